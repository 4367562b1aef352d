"""Write the trained parts as a StableDiffusionPipeline in diffusers' layout, in float16. Knows nothing of training."""

import json
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer


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
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        written = Path(name)
        parts.to(torch.float16).save_pretrained(written)
        for file in written.rglob("config.json"):
            config = json.loads(file.read_text(encoding="utf-8"))
            config.pop("_name_or_path", None)  # where a part lay while it was trained
            file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (written / "training.json").write_text(json.dumps(trained, indent=2) + "\n", encoding="utf-8")
        for file in (file for file in written.rglob("*") if file.is_file()):
            place = folder / file.relative_to(written)
            place.parent.mkdir(exist_ok=True)
            file.chmod(0o644)
            file.replace(place)
