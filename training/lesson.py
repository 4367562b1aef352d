"""The lesson that a text encoder gets before the model that it serves: to tell what a caption mentions.

An encoder from nothing learns words only through the pixels or the sounds that they change, which is slow. Minutes of
plain supervision on the captions' own facts put the facts into its states first. Knows no encoder and no captions.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch

from training import loop

Facts = Mapping[tuple[str, str], int]
"""Everything that a caption may mention (attribute, value), and its column."""
Tokens = tuple[torch.Tensor, ...]
"""What a reader takes, each captions x positions."""
Lesson = tuple[Tokens, torch.Tensor]
"""Tokens, and what is mentioned (captions x facts, 0 or 1)."""
WEIGHT = 10
"""Of the loss, which is a mean over many facts that are mostly 0."""


class Caption(Protocol):
    """Words, and what they mention: attribute -> value."""

    @property
    def text(self) -> str: ...

    @property
    def mentions(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Plan(loop.Plan):
    """As every plan, with the encoder's own shape and the number of captions in a step."""

    minutes: float = 4
    width: int = 96
    layers: int = 2
    heads: int = 4
    batch: int = 64


def columns(pairs: Sequence[tuple[str, str]]) -> Facts:
    return {pair: index for index, pair in enumerate(pairs)}


def stream(
    say: Callable[[random.Random], Caption],
    tokens: Callable[[list[str]], Tokens],
    facts: Facts,
    plan: Plan,
    pool: int,
    batch: int,
) -> Iterator[tuple[int, int, Lesson]]:
    """Captions with what they mention, from a place on."""
    while True:
        rng = random.Random(f"words {plan.seed} {pool} {batch}")
        said = [say(rng) for _ in range(plan.batch)]
        targets = torch.zeros(len(said), len(facts))
        for row, words in enumerate(said):
            targets[row, [facts[fact] for fact in words.mentions.items()]] = 1
        yield pool, batch, (tokens([words.text for words in said]), targets)
        batch += 1


class Trainer(loop.Trainer[Lesson]):
    """A reader (tokens to scores, captions x facts) in its lesson."""

    def __init__(
        self,
        plan: Plan,
        reader: torch.nn.Module,
        say: Callable[[random.Random], Caption],
        tokens: Callable[[list[str]], Tokens],
        facts: Facts,
    ) -> None:
        super().__init__(plan, reader.to(plan.device), partial(stream, say, tokens, facts, plan))

    def backward(self, batch: Lesson) -> tuple[float, int]:
        tokens, targets = batch
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.half):
            scores = self.model(*(part.to(self.plan.device) for part in tokens))
        wanted = targets.to(self.plan.device)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores.float(), wanted) * WEIGHT
        loss.backward()
        return float(loss.detach()), len(targets)
