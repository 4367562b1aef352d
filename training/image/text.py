"""The text encoder (a CLIP), and its pretraining on the captions' facts.

The mean runs over all positions, padding too, because the diffusion model attends to all of them.
"""

import random

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training import pretraining
from training.image import captions, scene
from training.image.vocabulary import LENGTH
from training.pretraining import Plan


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
    """Token ids: captions x LENGTH, int64, as the pipeline makes them."""
    encoding = tokenizer(texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    return encoding.input_ids


def facts() -> pretraining.Facts:
    group = {
        "shape": scene.SHAPES,
        "color": scene.COLORS,
        "size": tuple(scene.SIZES),
        "number": tuple(map(str, scene.NUMBERS)),
        "position": scene.POSITIONS,
    }
    rows = [(name, value) for name, values in group.items() for value in values]
    rows += [(f"{ordinal} {name}", value) for ordinal in captions.ORDINALS for name, value in rows]
    rows += [("background", value) for value in scene.BACKGROUNDS]
    rows += [("time", value) for value in scene.TIMES] + [(feature, "yes") for feature in scene.FEATURES]
    return pretraining.fact_columns(rows)


def training_caption(rng: random.Random) -> captions.Caption:
    """A caption of the training side."""
    return captions.caption(scene.for_training(rng), rng)


class Reader(torch.nn.Module):
    """The text encoder with a linear head on the mean of its states: logits, captions x facts."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.read = torch.nn.Linear(encoder.config.hidden_size, len(facts()))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.read(self.encoder(tokens).last_hidden_state.mean(1))


def trainer(plan: Plan, tokenizer: CLIPTokenizer) -> pretraining.Trainer:
    """The text encoder in pretraining; ``model.encoder`` is exported."""
    reader = Reader(new_model(plan, tokenizer))
    return pretraining.Trainer(plan, reader, training_caption, lambda texts: (ids(tokenizer, texts),), facts())
