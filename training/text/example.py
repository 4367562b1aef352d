"""One training example, and the split between training and evaluation. Knows nothing of any task, nor of tokens.

The split is by content, never by seed: a stable hash of an example's keys (its numbers, its review, its facts ...)
decides the side, so that a held-out sum is held out in every wording.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

HELD_OUT_ONE_IN = 10


@dataclass(frozen=True)
class Example:
    """A conversation that ends in the answer to learn.

    ``turns`` are (user, answer) pairs, the last one being the question; ``glue`` joins several into one prompt.
    ``facts`` is what a check needs to judge an answer. ``keys`` name the content for the split.
    """

    family: str
    technique: str
    keys: tuple[str, ...]
    turns: tuple[tuple[str, str], ...]
    system: str = ""
    glue: str = "\n\n"
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        return self.turns[-1][1]

    def merged(self) -> str:
        """All turns as one prompt, up to the place where the last answer goes."""
        shown = [user + gap(user) + answer for user, answer in self.turns[:-1]]
        return self.glue.join([*shown, self.turns[-1][0]])


def gap(before: str) -> str:
    """The separator between a prompt and an answer that continues it on the same line."""
    return "" if before.endswith("\n") else " "


def held_out(key: str) -> bool:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) % HELD_OUT_ONE_IN == 0


def for_training(make: Callable[[random.Random], Example], rng: random.Random) -> Example:
    """Draw until no key is held out."""
    while True:
        example = make(rng)
        if not any(map(held_out, example.keys)):
            return example


def for_evaluation(make: Callable[[random.Random], Example], rng: random.Random) -> Example:
    """Draw until every key is held out."""
    while True:
        example = make(rng)
        if all(map(held_out, example.keys)):
            return example
