"""The text encoder (a T5), and its pretraining on the captions' facts."""

import random
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from training import pretraining
from training.audio import captions, sound
from training.audio.vocabulary import LENGTH

Tokens = tuple[torch.Tensor, torch.Tensor]
"""Ids and mask, captions x positions."""


@dataclass(frozen=True)
class Plan(pretraining.Plan):
    """A pretraining's plan, of less than a minute."""

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
    """Ids and mask (captions x positions, int64), as the processor makes them.

    An empty text has a mask of zeros, as `generate` passes the empty caption of classifier-free guidance.
    """
    encoding = tokenizer(texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
    has_text = torch.tensor([[bool(text)] for text in texts])
    return encoding.input_ids, encoding.attention_mask * has_text


def facts() -> pretraining.Facts:
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
    return pretraining.fact_columns([(name, value) for name, values in rows.items() for value in values])


def training_caption(rng: random.Random) -> captions.Caption:
    """A caption of the training side."""
    return captions.caption(sound.for_training(rng), rng)


class Reader(torch.nn.Module):
    """The text encoder with a linear head on the mean of its states: logits, captions x facts."""

    def __init__(self, encoder: T5EncoderModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.read = torch.nn.Linear(encoder.config.d_model, len(facts()))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
        return self.read(states.sum(1) / mask.sum(1, keepdim=True))


def trainer(plan: Plan, tokenizer: PreTrainedTokenizerFast) -> pretraining.Trainer:
    """The text encoder in pretraining; ``model.encoder`` is exported."""
    reader = Reader(new_model(plan, tokenizer))
    return pretraining.Trainer(plan, reader, training_caption, lambda texts: tokens(tokenizer, texts), facts())
