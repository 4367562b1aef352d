"""The copying task: repeat a text. A model that can copy learns labels, records and sums much sooner."""

import random

from training.text.example import Example
from training.text.labels import review
from training.text.phrasing import arrange, casual, chance, made_up, weighted
from training.text.subjects import CATEGORIES
from training.text.words import words

REQUESTS = words("echo")["requests"]
KINDS = {"words": 40, "numbers": 25, "made up": 25, "review": 10}


def material(rng: random.Random) -> str:
    kind, count = weighted(rng, KINDS), rng.randint(1, 8)
    if kind == "review":
        return review(rng, chance(rng, 0.5))
    if kind == "numbers":
        return " ".join(str(rng.randint(1, 999)) for _ in range(count))
    if kind == "made up":
        return " ".join(made_up(rng) for _ in range(count))
    nouns = [noun for items in CATEGORIES.values() for noun in items]
    return " ".join(rng.choice(nouns) for _ in range(count))


def make(rng: random.Random) -> Example:
    text = material(rng)
    if chance(rng, 0.3):
        system, user = arrange(
            rng, casual(rng, rng.choice(("Repeat the text.", "Say it back.", "Copy the text."))), text
        )
    else:
        system, user = "", rng.choice(REQUESTS).format(text)
    return Example("echo", "repeat", (f"echo {text}",), ((user, text),), system, facts={"text": text})


def check(example: Example, text: str) -> dict[str, bool]:
    return {"right": text.strip() == example.facts["text"]}
