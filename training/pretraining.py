"""Supervised pretraining of a text encoder: which facts does a caption mention? Knows no encoder and no captions.

A randomly initialised encoder learns words only through the pixels or the sounds that they change, which is slow.
Minutes of multi-label classification of the captions' facts put these facts into its states first.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch

from training import loop

Facts = Mapping[tuple[str, str], int]
"""The column of each fact (attribute, value) that a caption may mention."""
Tokens = tuple[torch.Tensor, ...]
"""The inputs of a reader, each captions x positions."""
Batch = tuple[Tokens, torch.Tensor]
"""Tokens, and the targets (captions x facts, float32, 1 where the fact is mentioned)."""
WEIGHT = 10
"""The factor of the loss, which is a mean over many facts, most of them 0."""


class Caption(Protocol):
    """A text and the facts that it mentions: attribute -> value."""

    @property
    def text(self) -> str: ...

    @property
    def mentions(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Plan(loop.Plan):
    """A plan with the encoder's shape and the number of captions in a step."""

    minutes: float = 4
    width: int = 96
    layers: int = 2
    heads: int = 4
    batch: int = 64


def fact_columns(pairs: Sequence[tuple[str, str]]) -> Facts:
    """A column for each (attribute, value), in their order."""
    return {pair: index for index, pair in enumerate(pairs)}


def stream(
    draw_caption: Callable[[random.Random], Caption],
    tokens: Callable[[list[str]], Tokens],
    facts: Facts,
    plan: Plan,
    pool: int,
    batch: int,
) -> Iterator[tuple[int, int, Batch]]:
    """Endless (pool, index, batch) of captions with their facts, from a given batch on."""
    while True:
        rng = random.Random(f"words {plan.seed} {pool} {batch}")
        captions = [draw_caption(rng) for _ in range(plan.batch)]
        targets = torch.zeros(len(captions), len(facts))
        for row, caption in enumerate(captions):
            targets[row, [facts[fact] for fact in caption.mentions.items()]] = 1
        yield pool, batch, (tokens([caption.text for caption in captions]), targets)
        batch += 1


class Trainer(loop.Trainer[Batch]):
    """A reader (tokens to logits, captions x facts) in pretraining."""

    def __init__(
        self,
        plan: Plan,
        reader: torch.nn.Module,
        draw_caption: Callable[[random.Random], Caption],
        tokens: Callable[[list[str]], Tokens],
        facts: Facts,
    ) -> None:
        super().__init__(plan, reader.to(plan.device), partial(stream, draw_caption, tokens, facts, plan))

    def backward(self, batch: Batch) -> tuple[float, int]:
        tokens, targets = batch
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.bfloat16):
            scores = self.model(*(part.to(self.plan.device) for part in tokens))
        labels = targets.to(self.plan.device)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores.float(), labels) * WEIGHT
        loss.backward()
        return float(loss.detach()), len(targets)
