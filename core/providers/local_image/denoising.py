"""From a prompt and a seed to latents, a step at a time, and from latents to pixels that the safety checker has seen.

The loop is that of diffusers' StableDiffusionPipeline and LatentConsistencyModelPipeline, to the last bit, as a
generator: the caller looks at every step, and ends it by not asking for another. Knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from PIL import Image

from core.providers.local_image import preview, schedulers
from core.providers.local_image.components import Components
from core.providers.local_image.parameters import ImageParameters


@torch.inference_mode()
def encode_prompts(components: Components, texts: list[str], device: str) -> torch.Tensor:
    """Prompt embeddings, (texts, tokens, width), float32. What is too long is cut off; special tokens that a person
    typed are text."""
    tokenizer, encoder = components.tokenizer, components.text_encoder
    encoded = tokenizer(
        texts,
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
        split_special_tokens=True,
    )
    masked = getattr(encoder.config, "use_attention_mask", None)
    mask = encoded.attention_mask.to(device) if masked else None
    embeddings: torch.Tensor = encoder(encoded.input_ids.to(device), attention_mask=mask)[0]
    return embeddings


@torch.inference_mode()
def denoise(
    components: Components,
    parameters: ImageParameters,
    prompt_embeds: torch.Tensor,
    scheduler: Any,
    seed: int,
    device: str,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Latents after each step, and the estimate of the finished ones: both (1, channels, height, width), float32.

    Args:
        prompt_embeds: of the prompt, (1, tokens, width); guided, (2, tokens, width) with the negative prompt's first.

    The noise is drawn on the CPU from a generator of its own: the same on every machine, whatever ran before.
    """
    unet, generator = components.unet, torch.Generator().manual_seed(seed)
    width, height = parameters.pixels
    scale = components.vae_scale_factor
    shape = (1, unet.config.in_channels, height // scale, width // scale)
    latents = torch.randn(shape, generator=generator).to(device) * scheduler.init_noise_sigma
    guidance = _guidance_embedding(parameters.guidance_scale, unet.config.time_cond_proj_dim, device)
    for timestep in scheduler.timesteps:
        latent_input = scheduler.scale_model_input(torch.cat([latents] * len(prompt_embeds)), timestep)  # (1 or 2, ...)
        prediction = unet(
            latent_input, timestep, encoder_hidden_states=prompt_embeds, timestep_cond=guidance, return_dict=False
        )[0]
        if len(prompt_embeds) == 2:  # classifier-free guidance (Ho and Salimans 2022)
            negative, positive = prediction.chunk(2)
            prediction = negative + parameters.guidance_scale * (positive - negative)
        latents, estimate = schedulers.step(scheduler, prediction, timestep, latents, generator)
        yield latents, estimate


@torch.inference_mode()
def preview_of(components: Components, estimate: torch.Tensor) -> Image.Image | None:
    """A small image of an estimate; None where there is no quick way to one."""
    return preview.quick(components.vae, estimate)


@torch.inference_mode()
def decode_checked(components: Components, latents: torch.Tensor) -> tuple[Image.Image, bool]:
    """The image of finished latents, and whether the model's safety checker took it away: then it is black."""
    image = preview.to_image(preview.decode(components.vae, latents))
    if components.safety_checker is None:
        return image, False
    pixels = components.feature_extractor(image, return_tensors="pt").pixel_values.to(latents)
    _, flagged = components.safety_checker(clip_input=pixels, images=[torch.zeros(1)])
    return (Image.new("RGB", image.size), True) if flagged[0] else (image, False)


def _guidance_embedding(scale: float, width: int | None, device: str) -> torch.Tensor | None:
    """Sines and cosines of the guidance, (1, width), for a model that takes it as an input (Meng et al. 2023; the code
    is that of github.com/google-research/vdm, model_vdm.py, line 298)."""
    if width is None:
        return None
    half = width // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float32) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    angles = torch.tensor([[(scale - 1) * 1000.0]]) * rates[None]  # (1, half)
    embedding = torch.cat([angles.sin(), angles.cos()], dim=1)  # (1, 2 * half)
    return torch.nn.functional.pad(embedding, (0, width - 2 * half)).to(device)
