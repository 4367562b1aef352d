"""The text encoder (a T5), and its lesson on the captions' facts."""

import random
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from training import lesson
from training.audio import captions, sound
from training.audio.vocabulary import LENGTH

Tokens = tuple[torch.Tensor, torch.Tensor]
"""Ids and mask, captions x positions."""


@dataclass(frozen=True)
class Plan(lesson.Plan):
    """As every lesson's; it takes less than a minute."""

    minutes: float = 0.7
    width: int = 128


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


def facts() -> lesson.Facts:
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
    return lesson.columns([(name, value) for name, values in rows.items() for value in values])


def said(rng: random.Random) -> captions.Caption:
    """A caption of the training side."""
    return captions.caption(sound.for_training(rng), rng)


class Reader(torch.nn.Module):
    """The text encoder with a reading of each token's state, averaged."""

    def __init__(self, encoder: T5EncoderModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.read = torch.nn.Linear(encoder.config.d_model, len(facts()))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
        return self.read(states.sum(1) / mask.sum(1, keepdim=True))


def trainer(plan: Plan, tokenizer: PreTrainedTokenizerFast) -> lesson.Trainer:
    """The text encoder in its lesson; ``model.encoder`` is what is kept."""
    reader = Reader(new_model(plan, tokenizer))
    return lesson.Trainer(plan, reader, said, lambda texts: tokens(tokenizer, texts), facts())
