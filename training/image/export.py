"""Write the trained parts as a StableDiffusionPipeline in diffusers' layout, in float16. Knows nothing of training."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from training.export import forget_places, written


def pipeline(
    vae: AutoencoderKL,
    encoder: CLIPTextModel,
    unet: UNet2DConditionModel,
    tokenizer: CLIPTokenizer,
    schedule: DDIMScheduler,
) -> StableDiffusionPipeline:
    """The parts as one. There is no safety checker: the model has seen nothing but drawn shapes and landscapes."""
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=schedule,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def write(parts: StableDiffusionPipeline, folder: Path, trained: dict[str, float]) -> None:
    """``trained`` (steps, seconds, pictures) is kept beside the weights for the card."""
    with written(folder, trained) as draft:
        parts.to(torch.float16).save_pretrained(draft)
        forget_places(draft)
