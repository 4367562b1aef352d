"""From tasks and library pieces to batches: the mixture, the prompt formats, tokens, rows. Knows no task's content.

A format is how a person asks: a signature with a docstring, a comment above a signature, a comment alone, a signature
alone, or several functions in a file. A row is one such document that starts at position 0, as at inference.
"""

import random
from collections.abc import Iterator

from tokenizers import Tokenizer

from training.code import basics, formulas, library, orders, pipelines, predicates, recursion
from training.code.task import INDENT, Make, Task, example_line, request, sentence, training_task
from training.code.vocabulary import END
from training.text.corpus import Row, Segment, batches_of, rows

MIXTURE: dict[Make, float] = {
    pipelines.numbers: 26,
    pipelines.words: 15,
    pipelines.characters: 9,
    predicates.make: 6,
    recursion.make: 7,
    orders.make: 9,
    formulas.make: 7,
    basics.make: 14,
}
LIBRARY = 30.0  # of the same weight, by document; a piece of it is about four times as long
LIBRARY_WEIGHT, PROMPT_WEIGHT, PROMPTS_LEARNED = 1.0, 0.15, 0.4
POOL = 2048
QUOTES = ('"""', '"""', '"""', "'''")


def documented(task: Task, rng: random.Random) -> str:
    """Signature and docstring, on one line or with an example."""
    quote, text = rng.choice(QUOTES), sentence(task, rng).replace("\\", "")
    head = task.signature(typed=rng.random() < 0.25)
    shown = example_line(task, rng) if rng.random() < 0.15 else []
    if not shown and rng.random() < 0.93:
        return f"{head}{INDENT}{quote}{text}{quote}\n"
    first = text if rng.random() < 0.6 else f"\n{INDENT}{text}"
    lines = "".join(f"{INDENT}{line}\n" for line in shown)
    return f"{head}{INDENT}{quote}{first}\n{chr(10) * bool(shown)}{lines}{INDENT}{quote}\n"


def commented(task: Task, rng: random.Random) -> str:
    text = sentence(task, rng) if rng.random() < 0.6 else request(task, rng)
    return f"# {text}\n{task.signature(typed=rng.random() < 0.2)}"


def prompt_of(task: Task, rng: random.Random) -> tuple[str, str]:
    """(prompt, answer) in one of the formats."""
    kind = rng.random()
    if kind < 0.2:
        return commented(task, rng), task.code
    if kind < 0.32:
        head = documented(task, rng) if rng.random() < 0.3 else task.signature()
        return f"# {request(task, rng)}\n", head + task.code
    if kind < 0.45 and task.telling:
        return task.signature(), task.code
    return documented(task, rng), task.code


def generated(rng: random.Random) -> list[Segment]:
    """One task, or several in a file of which the last is asked for."""
    makers = rng.choices(list(MIXTURE), list(MIXTURE.values()), k=1 if rng.random() < 0.88 else rng.choice((2, 3)))
    weight = PROMPT_WEIGHT if rng.random() < PROMPTS_LEARNED else 0.0
    segments: list[Segment] = []
    for make in makers:
        prompt, answer = prompt_of(training_task(make, rng), rng)
        segments += [("\n\n" * bool(segments) + prompt, weight), (answer, 1.0)]
    return [*segments[:-1], (segments[-1][0] + END, 1.0)]


def quoted(rng: random.Random) -> list[Segment]:
    """A piece of the standard library, with both its head and its body as targets."""
    piece = rng.choice(library.pieces(False))
    return [(piece.head, LIBRARY_WEIGHT), (piece.body + END, LIBRARY_WEIGHT)]


def documents(seed: int, pool: int, count: int = POOL) -> list[list[Segment]]:
    rng = random.Random(f"{seed}/{pool}")
    share = LIBRARY / (LIBRARY + sum(MIXTURE.values()))
    return [quoted(rng) if rng.random() < share else generated(rng) for _ in range(count)]


def stream(
    tokenizer: Tokenizer, seed: int, tokens: int, parts: int, pool: int = 0, step: int = 0
) -> Iterator[tuple[int, int, list[list[Row]]]]:
    """Endless (pool, step in it, batches), from a given pool and step on; deterministic in these and the seed."""
    while True:
        pool_rows = rows(tokenizer, documents(seed, pool))
        batches = batches_of(pool_rows, tokens, random.Random(f"{seed}/{pool}/order"))
        for index in range(step, len(batches) // parts):
            yield pool, index, batches[index * parts : (index + 1) * parts]
        pool, step = pool + 1, 0
