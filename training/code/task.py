"""A small function to write: its signature, its wording, its body, and checks that tell whether a body is right.

The split is by content: a stable hash of a task's keys (the filter, the map and the reduction; the sort key, the order
and the limit; the function and its wording) says on which side it lies, whatever its names. Knows no family.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.text.example import held_out

INDENT = "    "
ANY_NAMES = ("f", "solve", "compute", "process", "calculate", "run", "answer", "func", "g", "my_function", "result_of")
MADE = (
    ("b", "d", "k", "l", "m", "p", "r", "t", "v", "z", "st", "gr"),
    ("a", "e", "i", "o", "u"),
    ("", "n", "r", "l", "x", "s"),
)
NOUNS = [
    "apples",
    "prices",
    "ages",
    "cities",
    "temperatures",
    "users",
    "bars",
    "books",
    "cars",
    "cells",
    "colors",
    "dates",
    "flags",
    "games",
    "grades",
    "hits",
    "houses",
    "icons",
    "jobs",
    "labels",
]
UNUSUAL = 0.35
Check = tuple[tuple[object, ...], object]


@dataclass(frozen=True)
class Task:
    """``checks`` are (arguments, expected) pairs, the expected values computed by other code than the body's.

    ``phrase`` is a noun phrase ("the sum of the numbers"), a clause ("any of the numbers is even"), or an order ("sort
    the words"), by ``mood`` "value", "whether" or "order". ``hints`` are the types of the arguments, then the result's.
    With ``reads_file`` the first argument of a check is a file's text, and the function gets the file's path.
    """

    keys: tuple[str, ...]
    name: str
    arguments: tuple[str, ...]
    hints: tuple[str, ...]
    phrase: str
    body: tuple[str, ...]
    checks: tuple[Check, ...]
    mood: str = "value"
    reads_file: bool = False
    telling: bool = True

    @property
    def code(self) -> str:
        """The body, indented, with its last line's end."""
        return "".join(f"{INDENT}{line}\n" if line else "\n" for line in self.body)

    def signature(self, typed: bool = False) -> str:
        if not typed:
            return f"def {self.name}({', '.join(self.arguments)}):\n"
        listed = ", ".join(f"{name}: {hint}" for name, hint in zip(self.arguments, self.hints, strict=False))
        return f"def {self.name}({listed}) -> {self.hints[-1]}:\n"

    def is_held_out(self) -> bool:
        return any(map(held_out, self.keys))


Make = Callable[[random.Random], Task]


def unusual_name(rng: random.Random) -> str:
    """A name that no family uses for its own variables: a plain noun, or one made of syllables."""
    if rng.random() < 0.3:
        return rng.choice(NOUNS)
    return "".join(rng.choice(part) for _ in range(2) for part in MADE)


def argument_name(rng: random.Random, names: Sequence[str]) -> str:
    """One of the usual names, or an unusual one, which the body can only get from the signature."""
    return unusual_name(rng) if rng.random() < UNUSUAL else rng.choice(names)


MOODS = {
    "value": ("Return {}.", "Return {}.", "Returns {}.", "Compute {}.", "Get {}.", "Find {}.", "Calculate {}."),
    "whether": (
        "Return True if {}, else False.",
        "Check whether {}.",
        "Check if {}.",
        "Return whether {}.",
        "Tell if {}.",
    ),
    "order": ("{}.", "{}.", "{}."),
}
FREE = {
    "value": ("returns {}", "returns {}", "computes {}", "finds {}", "calculates {}", "gives {}"),
    "whether": ("checks if {}", "checks whether {}", "tells whether {}", "returns True if {}"),
    "order": ("does this: {}",),
}


def sentence(task: Task, rng: random.Random) -> str:
    """The docstring of a task."""
    text = rng.choice(MOODS[task.mood]).format(task.phrase)
    text = text[0].upper() + text[1:]
    bare = text.rstrip(".")
    return text if rng.random() < 0.85 or bare.endswith('"') else bare


def request(task: Task, rng: random.Random) -> str:
    """A free wording, as a person would write it in a comment."""
    does = rng.choice(FREE[task.mood]).format(task.phrase)
    start = rng.choice(
        ("A function that ", "a function that ", "Write a function that ", "Function that ", "function that ")
    )
    if task.mood != "order":
        return start + does + rng.choice(("", "", "."))
    if rng.random() < 0.5:
        return rng.choice(("A function to ", "a function to ", "Write a function to ")) + task.phrase
    verb, _, rest = task.phrase.partition(" ")
    return f"{start}{verb}{'es' if verb.endswith(('ch', 'sh', 'ss')) else 's'} {rest}"


def example_line(task: Task, rng: random.Random) -> list[str]:
    """Two lines of an interactive session, or none where it would be long."""
    given, expected = rng.choice(task.checks)
    call = f">>> {task.name}({', '.join(map(repr, given))})"
    if task.reads_file or len(call) > 60 or len(repr(expected)) > 40 or expected is None:
        return []
    return [call, repr(expected)]


def training_task(make: Make, rng: random.Random) -> Task:
    while True:
        task = make(rng)
        if not task.is_held_out():
            return task


def held_out_task(make: Make, rng: random.Random) -> Task:
    while True:
        task = make(rng)
        if task.is_held_out():
            return task
