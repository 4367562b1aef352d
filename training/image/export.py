"""Write the trained parts as a StableDiffusionPipeline in diffusers' layout, in float16. Knows nothing of training."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from training.export import remove_source_paths, written


def pipeline(
    vae: AutoencoderKL,
    encoder: CLIPTextModel,
    unet: UNet2DConditionModel,
    tokenizer: CLIPTokenizer,
    schedule: DDIMScheduler,
) -> StableDiffusionPipeline:
    """The parts as one pipeline, without a safety checker: the model is trained on drawn shapes and landscapes only."""
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
    """Write the pipeline; ``trained`` (steps, seconds, pictures) goes to training.json for the card."""
    with written(folder, trained) as draft:
        parts.to(torch.float16).save_pretrained(draft)
        remove_source_paths(draft)
