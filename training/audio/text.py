"""The text encoder (a T5), and the lesson that it gets before the decoder: to tell what a caption mentions.

As for tiny-image: minutes of plain supervision on the captions' own facts put them into the encoder's states, which the
decoder's errors alone would do slowly.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from training import loop
from training.audio import captions, sound
from training.audio.vocabulary import LENGTH

Tokens = tuple[torch.Tensor, torch.Tensor]
"""Ids and mask, captions x positions."""
Lesson = tuple[Tokens, torch.Tensor]
"""Tokens, and what is mentioned (captions x facts, 0 or 1)."""


@dataclass(frozen=True)
class Plan(loop.Plan):
    """As every plan, with the encoder's own shape and length."""

    minutes: float = 0.7
    width: int = 128
    layers: int = 2
    heads: int = 4
    batch: int = 64


def new_model(plan: Plan, tokenizer: PreTrainedTokenizerFast) -> T5EncoderModel:
    torch.manual_seed(plan.seed)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=plan.width,
        d_kv=plan.width // plan.heads,
        d_ff=2 * plan.width,
        num_layers=plan.layers,
        num_heads=plan.heads,
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return T5EncoderModel(config).to(plan.device)


def tokens(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> Tokens:
    """As the processor makes them. An empty text has a mask of zeros: so `generate` asks for no caption (guidance)."""
    found = tokenizer(texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
    there = torch.tensor([[bool(text)] for text in texts])
    return found.input_ids, found.attention_mask * there


def facts() -> dict[tuple[str, str], int]:
    """Everything that a caption may mention, and its column."""
    rows = {
        "content": sound.CONTENTS,
        "instrument": (*sound.INSTRUMENTS, *sound.DRUMS),
        "direction": sound.DIRECTIONS,
        "chord": sound.CHORDS,
        "speed": sound.SPEEDS,
        "register": sound.REGISTERS,
        "loudness": sound.LOUDNESSES,
        "name": sound.NAMES,
    }
    pairs = [(name, value) for name, values in rows.items() for value in values]
    return {pair: index for index, pair in enumerate(pairs)}


def stream(
    tokenizer: PreTrainedTokenizerFast, seed: int, size: int, pool: int, batch: int
) -> Iterator[tuple[int, int, Lesson]]:
    """Captions with what they mention, from a place on."""
    columns = facts()
    while True:
        rng = random.Random(f"words {seed} {pool} {batch}")
        said = [captions.caption(sound.for_training(rng), rng) for _ in range(size)]
        targets = torch.zeros(size, len(columns))
        for row, words in enumerate(said):
            targets[row, [columns[fact] for fact in words.mentions.items()]] = 1
        yield pool, batch, (tokens(tokenizer, [words.text for words in said]), targets)
        batch += 1


class Reader(torch.nn.Module):
    """The text encoder with a reading of each token's state, averaged."""

    def __init__(self, encoder: T5EncoderModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.read = torch.nn.Linear(encoder.config.d_model, len(facts()))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
        return self.read(states.sum(1) / mask.sum(1, keepdim=True))


class Trainer(loop.Trainer[Lesson]):
    """The text encoder in its lesson."""

    def __init__(self, plan: Plan, tokenizer: PreTrainedTokenizerFast) -> None:
        reader = Reader(new_model(plan, tokenizer)).to(plan.device)
        super().__init__(plan, reader, partial(stream, tokenizer, plan.seed, plan.batch))

    def backward(self, batch: Lesson) -> tuple[float, int]:
        (ids, mask), targets = batch
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.half):
            logits = self.model(ids.to(self.plan.device), mask.to(self.plan.device))
        wanted = targets.to(self.plan.device)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted) * 10
        loss.backward()
        return float(loss.detach()), len(targets)
