"""What an image looks like so far, as a small PNG file.

A small decoder shows the estimate as it is; a large one would take longer than a step, so there a fixed linear map of
the four latent channels gives colours, a pixel for each place of the latents. Knows nothing of steps or prompts.
"""

from __future__ import annotations

import io
from typing import Any

import torch
from PIL import Image

SIDE = 512
"""Pixels of a preview's longer side, at most."""

SMALL = 5_000_000
"""Autoencoders of at most so many parameters decode their previews for real."""

# Red, green and blue of each of the four scaled latent channels of Stable Diffusion 1.x, for values from -1 to 1
# (ComfyUI, latent_formats.py).
_LATENT_RGB = (
    (0.3512, 0.2297, 0.3227),
    (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721),
    (-0.2120, -0.2616, -0.7177),
)


def png(image: Image.Image) -> bytes:
    """An image as a PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def to_image(pixels: torch.Tensor) -> Image.Image:
    """Numbers from -1 to 1, (1, 3, height, width), as an image; what lies outside is cut off."""
    light = (pixels[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).float().cpu().numpy()  # (height, width, 3), 0 to 1
    return Image.fromarray((light * 255).round().astype("uint8"))


def decode(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Latents (1, channels, height, width) through the decoder: (1, 3, height, width), about -1 to 1."""
    pixels: torch.Tensor = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
    return pixels


def quick(vae: Any, estimate: torch.Tensor) -> Image.Image | None:
    """A small image of an estimate (1, channels, height, width); None where there is no quick way to one."""
    if sum(weight.numel() for weight in vae.parameters()) <= SMALL:
        image = to_image(decode(vae, estimate))
    elif estimate.shape[1] == len(_LATENT_RGB):
        image = to_image(torch.einsum("nchw,cr->nrhw", estimate, estimate.new_tensor(_LATENT_RGB)))
    else:
        return None
    image.thumbnail((SIDE, SIDE))
    return image
