"""The text encoder, and the lesson that it gets before the diffusion model: to tell what a caption mentions.

A CLIP text encoder from nothing learns words only through the pixels that they change, which is slow. Minutes of plain
supervision on the captions' own facts put the facts into its states first. Every position is read, the padding too,
since the diffusion model attends to all of them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training import loop
from training.image import captions, scene
from training.image.vocabulary import LENGTH

Lesson = tuple[torch.Tensor, torch.Tensor]
"""Token ids (captions x LENGTH), and what is mentioned (captions x facts, 0 or 1)."""


@dataclass(frozen=True)
class Plan(loop.Plan):
    """As every plan, with the encoder's own shape and length."""

    minutes: float = 4
    width: int = 96
    layers: int = 2
    heads: int = 4
    batch: int = 64


def new_model(plan: Plan, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    torch.manual_seed(plan.seed)
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.width,
        intermediate_size=4 * plan.width,
        projection_dim=plan.width,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        max_position_embeddings=LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config).to(plan.device)


def ids(tokenizer: CLIPTokenizer, texts: list[str]) -> torch.Tensor:
    """Captions x LENGTH, as the pipeline makes them."""
    found = tokenizer(texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    return found.input_ids


def facts() -> dict[tuple[str, str], int]:
    """Everything that a caption may mention, and its column."""
    group = {
        "shape": scene.SHAPES,
        "color": scene.COLORS,
        "size": tuple(scene.SIZES),
        "number": tuple(map(str, scene.NUMBERS)),
        "position": scene.POSITIONS,
    }
    rows = [(name, value) for name, values in group.items() for value in values]
    rows += [(f"{place} {name}", value) for place in captions.PLACED for name, value in rows]
    rows += [("background", value) for value in scene.BACKGROUNDS]
    rows += [("time", value) for value in scene.TIMES] + [(feature, "yes") for feature in scene.FEATURES]
    return {row: index for index, row in enumerate(rows)}


def stream(tokenizer: CLIPTokenizer, seed: int, size: int, pool: int, batch: int) -> Iterator[tuple[int, int, Lesson]]:
    """Captions with what they mention, from a place on."""
    columns = facts()
    while True:
        rng = random.Random(f"words {seed} {pool} {batch}")
        said = [captions.caption(scene.for_training(rng), rng) for _ in range(size)]
        targets = torch.zeros(size, len(columns))
        for row, words in enumerate(said):
            targets[row, [columns[fact] for fact in words.mentions.items()]] = 1
        yield pool, batch, (ids(tokenizer, [words.text for words in said]), targets)
        batch += 1


class Reader(torch.nn.Module):
    """The text encoder with a reading of each position's state, averaged."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.read = torch.nn.Linear(encoder.config.hidden_size, len(facts()))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.read(self.encoder(tokens).last_hidden_state.mean(1))


class Trainer(loop.Trainer[Lesson]):
    """The text encoder in its lesson."""

    def __init__(self, plan: Plan, tokenizer: CLIPTokenizer) -> None:
        reader = Reader(new_model(plan, tokenizer)).to(plan.device)
        super().__init__(plan, reader, partial(stream, tokenizer, plan.seed, plan.batch))

    def backward(self, batch: Lesson) -> tuple[float, int]:
        tokens, targets = (part.to(self.plan.device) for part in batch)
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.half):
            logits = self.model(tokens)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), targets) * 10
        loss.backward()
        return float(loss.detach()), len(targets)
