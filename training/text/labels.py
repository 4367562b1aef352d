"""Sentiment labels for reviews, defined by examples, by an instruction, or not at all. Knows no other task."""

import random

from training.text.example import Example, held_out
from training.text.phrasing import casual, chance, joined, made_up, neutral_system, upper_first, weighted
from training.text.words import forms, words

_WORDS = words("labels")
DOMAINS = forms("labels")["domains"]
PRAISE = _WORDS["praise"]
BLAME = _WORDS["blame"]
PRAISE_LINES = _WORDS["praise_lines"]
BLAME_LINES = _WORDS["blame_lines"]
FRAMES = _WORDS["frames"]
PAIRS_OF_WORDS = _WORDS["pairs_of_words"]
WORDS = _WORDS["words"]
LAYOUTS = forms("labels")["layouts"]
INSTRUCTIONS = _WORDS["instructions"]


NATURAL = (
    ("positive", "negative"),
    ("good", "bad"),
    ("Positive", "Negative"),
    ("pos", "neg"),
    ("happy", "unhappy"),
    ("like", "dislike"),
)
SHOTS = {0: 12, 1: 4, 2: 10, 3: 10, 4: 28, 5: 6, 6: 10, 8: 12, 12: 8}


def sentence(rng: random.Random, thing: str, praise: bool) -> str:
    aspects = rng.sample(DOMAINS[thing], 2)
    words = rng.sample(PRAISE if praise else BLAME, 2)
    kind = rng.random()
    if kind < 0.55:
        form = rng.choice(FRAMES)
    elif kind < 0.75:
        form = rng.choice(PAIRS_OF_WORDS)
    else:
        form = rng.choice(PRAISE_LINES if praise else BLAME_LINES)
    return form.format(thing=thing, aspect=aspects[0], aspect2=aspects[1], word=words[0], word2=words[1])


def review(rng: random.Random, praise: bool) -> str:
    thing = rng.choice(tuple(DOMAINS))
    text = " ".join(sentence(rng, thing, praise) for _ in range(rng.choice((1, 1, 2))))
    if chance(rng, 0.12):
        text = f"{upper_first(rng.choice(PRAISE[:20] if praise else BLAME[:14]))} {thing}! {text}"
    return text


def shown_review(rng: random.Random, praise: bool) -> str:
    """A review for the examples in a prompt: never one that is held out."""
    while held_out(text := review(rng, praise)):
        continue
    return text


def label_words(rng: random.Random) -> tuple[str, str]:
    first, second = rng.sample(WORDS, 2)
    if chance(rng, 0.35):
        first, second = made_up(rng), made_up(rng)
    return first, second if second != first else second + "s"


def sides(rng: random.Random, shots: int) -> list[bool]:
    """Praise (True) or blame for each example; two examples or more have both."""
    while True:
        drawn = [chance(rng, 0.5) for _ in range(shots)]
        if shots < 2 or len(set(drawn)) == 2:
            return drawn


def make(rng: random.Random, technique: str | None = None, shots: int | None = None) -> Example:
    technique = technique or rng.choices(("arbitrary", "natural"), (72, 28))[0]
    shots = weighted(rng, SHOTS) if shots is None else shots
    pair = label_words(rng) if technique == "arbitrary" else rng.choice(NATURAL)
    names = dict(zip((True, False), pair, strict=True))
    layout, glue = rng.choice(LAYOUTS)
    query_side = chance(rng, 0.5)
    query = review(rng, query_side)
    turns = [(layout.format(shown_review(rng, side)), names[side]) for side in sides(rng, shots)]
    turns.append((layout.format(query), names[query_side]))
    system, turns = instructed(rng, turns, pair, shots)
    keys = (query, f"labels {sorted(pair)}") if technique == "arbitrary" else (query,)
    facts = {"label": names[query_side], "shots": shots}
    return Example("labels", technique, keys, tuple(turns), system, glue, facts)


def make_plain(rng: random.Random) -> Example:
    """Natural label words, mostly without examples: the plain sentiment task."""
    return make(rng, "natural", 0 if chance(rng, 0.75) else None)


def instructed(
    rng: random.Random, turns: list[tuple[str, str]], pair: tuple[str, str], shots: int
) -> tuple[str, list[tuple[str, str]]]:
    """An instruction that names the labels, before the first turn or as system message; examples may do without."""
    if shots >= 2 and chance(rng, 0.35):
        return neutral_system(rng), turns
    a, b = rng.sample(pair, 2)
    text = casual_unless(rng, rng.choice(INSTRUCTIONS).format(a=a, b=b), a + b)
    if chance(rng, 0.3):
        return text, turns
    return neutral_system(rng), [(joined(rng, text, turns[0][0]), turns[0][1]), *turns[1:]]


def casual_unless(rng: random.Random, text: str, names: str) -> str:
    """As `casual`, but never changing the case of the labels."""
    return casual(rng, text) if names.islower() else text


def check(example: Example, text: str) -> dict[str, bool]:
    """Right: the answer is the label and nothing else (a full stop is forgiven)."""
    return {"right": text.strip().rstrip(".") == example.facts["label"]}
