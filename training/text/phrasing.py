"""How people word a request and arrange its parts. Knows nothing of its content."""

import random
from collections.abc import Mapping
from typing import TypeVar

from training.text.words import words

Option = TypeVar("Option")
_WORDS = words("phrasing")
NEUTRAL_SYSTEMS = _WORDS["neutral_systems"]
POLITE = _WORDS["polite"]


def weighted(rng: random.Random, options: Mapping[Option, float]) -> Option:
    """One of the options, each as often as its weight says."""
    return rng.choices(tuple(options), tuple(options.values()))[0]


def chance(rng: random.Random, probability: float) -> bool:
    return rng.random() < probability


def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def polite(rng: random.Random, request: str) -> str:
    """An imperative ("Explain rain.") as a polite request, one time in four."""
    if not chance(rng, 0.25):
        return request
    form = rng.choice(POLITE)
    bare = lower_first(request.rstrip(".?!"))
    ending = "" if form.endswith("?") else "."
    return form.format(upper_first(bare) if form.startswith("Hi") else bare) + ending


def casual(rng: random.Random, text: str) -> str:
    """The same words as typed hastily, at random: lower case, no full stop, no question mark."""
    if chance(rng, 0.25):
        text = text.rstrip(".?!")
    if chance(rng, 0.2):
        text = text.lower()
    return text


def arrange(rng: random.Random, instruction: str, material: str) -> tuple[str, str]:
    """(system, user): the instruction in the system message, before the material or after it."""
    position = rng.choices(("system", "before", "after"), (30, 30, 40))[0]
    if position == "system":
        return instruction, material
    parts = (instruction, material) if position == "before" else (material, instruction)
    system = rng.choice(NEUTRAL_SYSTEMS) if chance(rng, 0.2) else ""
    return system, joined(rng, *parts)


def joined(rng: random.Random, first: str, second: str) -> str:
    """Two parts of a prompt, on one line where the first ends like a sentence, or on two."""
    between = rng.choice((" ", " ", "\n", "\n\n")) if first[-1:] in ".?!:" else rng.choice(("\n", ". ", "\n\n"))
    return first + between + second


def neutral_system(rng: random.Random) -> str:
    return rng.choice(NEUTRAL_SYSTEMS) if chance(rng, 0.25) else ""


def listed(rng: random.Random, items: list[str]) -> str:
    """ "a, b and c", or one of the other ways to write a list in a line."""
    last = rng.choice((" and ", ", ", ", and "))
    return last.join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def made_up(rng: random.Random, syllables: int = 2) -> str:
    """A nonsense word, which can only be copied."""
    return "".join(
        rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") + rng.choice(("", "", "n", "r", "l", "s"))
        for _ in range(syllables)
    )
