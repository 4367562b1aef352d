"""From words and a seed to latents, a step at a time, and from latents to pixels that were looked at.

The loop is that of diffusers' StableDiffusionPipeline and LatentConsistencyModelPipeline, to the last bit, as a
generator: the caller looks at every step, and ends the drawing by not asking for another. Knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from PIL import Image

from core.providers.local_image import preview, schedules
from core.providers.local_image.parameters import Wanted
from core.providers.local_image.parts import Parts


@torch.inference_mode()
def encoded(parts: Parts, texts: list[str], device: str) -> torch.Tensor:
    """What the text encoder makes of texts: (texts, tokens, width). What is too long is cut off."""
    read = parts.tokenizer(
        texts, padding="max_length", max_length=parts.tokenizer.model_max_length, truncation=True, return_tensors="pt"
    )
    masked = getattr(parts.text_encoder.config, "use_attention_mask", None)
    mask = read.attention_mask.to(device) if masked else None
    states: torch.Tensor = parts.text_encoder(read.input_ids.to(device), attention_mask=mask)[0]
    return states


@torch.inference_mode()
def steps(
    parts: Parts, wanted: Wanted, words: torch.Tensor, scheduler: Any, seed: int, device: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Latents after each step, and the estimate of the finished ones: both (1, channels, height, width).

    Args:
        words: of the prompt, (1, tokens, width); guided, (2, tokens, width) with the negative prompt's first.

    The noise is drawn on the CPU from a generator of its own: the same on every machine, whatever ran before.
    """
    generator = torch.Generator().manual_seed(seed)
    width, height = wanted.pixels
    shape = (1, parts.unet.config.in_channels, height // parts.cell, width // parts.cell)
    latents = torch.randn(shape, generator=generator).to(device) * scheduler.init_noise_sigma
    guidance = _guidance(wanted.guidance_scale, parts.unet.config.time_cond_proj_dim, device)
    for time in scheduler.timesteps:
        seen = scheduler.scale_model_input(torch.cat([latents] * len(words)), time)
        output = parts.unet(seen, time, encoder_hidden_states=words, timestep_cond=guidance, return_dict=False)[0]
        if len(words) == 2:
            without, with_prompt = output.chunk(2)
            output = without + wanted.guidance_scale * (with_prompt - without)
        latents, estimate = schedules.step(scheduler, output, time, latents, generator)
        yield latents, estimate


@torch.inference_mode()
def shown(parts: Parts, estimate: torch.Tensor) -> Image.Image | None:
    """A small image of an estimate; None where there is no quick way to one."""
    return preview.rough(parts.vae, estimate)


@torch.inference_mode()
def finished(parts: Parts, latents: torch.Tensor) -> tuple[Image.Image, bool]:
    """The image, and whether the model's safety checker took it away: then it is black."""
    image = preview.pictured(preview.decoded(parts.vae, latents))
    if parts.checker is None:
        return image, False
    seen = parts.extractor(image, return_tensors="pt").pixel_values.to(latents)
    _, flagged = parts.checker(clip_input=seen, images=[torch.zeros(1)])
    return (Image.new("RGB", image.size), True) if flagged[0] else (image, False)


def _guidance(scale: float, width: int | None, device: str) -> torch.Tensor | None:
    """Sines and cosines of the guidance, (1, width), for a model that takes it as an input (Meng et al. 2023; the code
    is that of github.com/google-research/vdm, model_vdm.py, line 298)."""
    if width is None:
        return None
    half = width // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float32) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    angles = torch.tensor([[(scale - 1) * 1000.0]]) * rates[None]
    found = torch.cat([angles.sin(), angles.cos()], dim=1)
    return torch.nn.functional.pad(found, (0, width - 2 * half)).to(device)
