"""Sums of a few numbers, asked for plainly, step by step, or as the bare number. Knows nothing of the other tasks."""

import random
from collections.abc import Sequence

from training.text.example import Example
from training.text.phrasing import arrange, casual, chance, listed, neutral_system, weighted
from training.text.words import words

_WORDS = words("sums")
FIRST_NAMES = _WORDS["first_names"]
THINGS = _WORDS["things"]
EXPRESSION_QUESTIONS = _WORDS["expression_questions"]
LIST_QUESTIONS = _WORDS["list_questions"]
STARTS = _WORDS["starts"]
GAINS = _WORDS["gains"]
ASKS = _WORDS["asks"]
STEPS = _WORDS["steps"]
UNSEEN_STEPS = _WORDS["unseen_steps"]
DIRECT = _WORDS["direct"]
NUMBER_ONLY = _WORDS["number_only"]


COUNTS = (2, 3, 3, 4, 4, 5, 5)
TECHNIQUES = {"plain": 16, "steps": 66, "number": 8, "shown steps": 6, "shown plain": 4}


def numbers(rng: random.Random, counts: Sequence[int], smallest: int = 10) -> list[int]:
    """Random addends: mostly of two digits, one in twenty from 100 to 300; with ``smallest`` < 10 some of one digit."""

    def one() -> int:
        if smallest < 10 and chance(rng, 0.12):
            return rng.randint(smallest, 9)
        return rng.randint(100, 300) if chance(rng, 0.05) else rng.randint(10, 99)

    return [one() for _ in range(rng.choice(counts))]


def question(rng: random.Random, addends: list[int]) -> str:
    kind = rng.random()
    if kind < 0.45:
        sign = rng.choice((" + ", " + ", " + ", "+", " plus "))
        return rng.choice(EXPRESSION_QUESTIONS).format(sign.join(map(str, addends)))
    if kind < 0.75:
        items = [str(n) for n in addends]
        text = rng.choice((listed(rng, items), listed(rng, items), " ".join(items), "\n".join(items)))
        return rng.choice(LIST_QUESTIONS).format(text)
    return word_problem(rng, addends)


def word_problem(rng: random.Random, addends: list[int]) -> str:
    name, other = rng.sample(FIRST_NAMES, 2)
    words = {"name": name, "other": other, "things": rng.choice(THINGS)}
    lines = [rng.choice(STARTS).format(n=addends[0], **words)]
    lines += [rng.choice(GAINS).format(n=n, **words) for n in addends[1:]]
    return " ".join([*lines, rng.choice(ASKS).format(**words)])


def running_totals(addends: Sequence[int]) -> str:
    lines, total = [], addends[0]
    for n in addends[1:]:
        lines.append(f"{total} + {n} = {total + n}.")
        total += n
    return " ".join([*lines, f"The answer is {total}."])


def answer(addends: Sequence[int], technique: str) -> str:
    if "steps" in technique:
        return running_totals(addends)
    return str(sum(addends)) if technique == "number" else f"The answer is {sum(addends)}."


def worded(rng: random.Random, addends: list[int], technique: str) -> tuple[str, str]:
    """(system, user) for one sum."""
    text = question(rng, addends)
    phrases = {"steps": STEPS, "unseen steps": UNSEEN_STEPS, "number": NUMBER_ONLY}.get(technique)
    if phrases is None and chance(rng, 0.2):
        phrases = DIRECT
    if phrases is None:
        return neutral_system(rng), casual(rng, text)
    instruction = rng.choice(phrases)
    if (
        instruction[-1] == "." and chance(rng, 0.15) and text[-1] in ".?"
    ):  # one sentence: "Add 1 and 2, think step by step."
        return neutral_system(rng), casual(rng, f"{text[:-1]}, {instruction[0].lower()}{instruction[1:]}")
    system, user = arrange(rng, casual(rng, instruction), text)
    return system, casual(rng, user)


def shown(rng: random.Random, technique: str, addends: list[int]) -> tuple[tuple[str, str], ...]:
    """Worked examples before the question, answered as the question is to be."""
    groups = [numbers(rng, (2, 3, 4)) for _ in range(rng.choice((1, 2, 2, 3)))]
    form = rng.choice(("What is {}?", "{} =", "Add {}.", "Q: {}\nA:", "Question: {}\nAnswer:", "{}"))
    return tuple((form.format(" + ".join(map(str, g))), answer(g, technique)) for g in [*groups, addends])


def make(
    rng: random.Random, technique: str | None = None, counts: Sequence[int] = COUNTS, smallest: int = 1
) -> Example:
    technique = technique or weighted(rng, TECHNIQUES)
    addends = numbers(rng, counts, smallest)
    facts = {"total": sum(addends), "addends": tuple(addends)}
    keys = (f"sum {sorted(addends)}",)
    if technique.startswith("shown"):
        return Example("sums", technique, keys, shown(rng, technique, addends), neutral_system(rng), "\n\n", facts)
    system, user = worded(rng, addends, technique)
    return Example("sums", technique, keys, ((user, answer(addends, technique)),), system, facts=facts)


def check(example: Example, text: str) -> dict[str, bool]:
    """Right: the last number written is the total. Obeyed: the answer has the asked form."""
    digits = "".join(c if c.isdigit() else " " for c in text).split()
    right = bool(digits) and int(digits[-1]) == example.facts["total"]
    obeyed = (
        text.strip().isdigit() if example.technique == "number" else ("=" in text) == ("steps" in example.technique)
    )
    return {"right": right, "obeyed": obeyed}
