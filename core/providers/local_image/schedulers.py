"""diffusers' schedulers by the names that people know, each built anew for its request.

A scheduler counts its own steps and keeps earlier outputs, so one that two requests share gives both a wrong image
(diffusers issues 3672 and 9362). All of them follow the model's own schedule of noise, spacing of steps and kind of
prediction. Knows nothing of prompts or images.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
)

Config = Mapping[str, Any]

# Latents are not bounded by 1, which clip_sample would take them to be; it is on by default in DDIM and LCM.
_UNCLIPPED: Config = {"clip_sample": False, "thresholding": False}
SCHEDULERS: Mapping[str, tuple[Any, Config]] = {
    "DPM++ 2M Karras": (
        DPMSolverMultistepScheduler,
        {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": True},
    ),
    "UniPC": (UniPCMultistepScheduler, {"predict_x0": True}),
    "Euler": (EulerDiscreteScheduler, {}),
    "DDIM": (DDIMScheduler, {}),
    "LCM": (LCMScheduler, {}),
}


def build(name: str, config: Config, steps: int, device: str) -> tuple[Any, str]:
    """A scheduler for one request with its timesteps set, and a note where it differs from its name.

    A model whose last step is pure noise (`rescale_betas_zero_snr`, Lin et al. 2024) has an infinite first sigma, for
    which diffusers puts 4096. Karras' spacing (Karras et al. 2022, equation 5) would spend most steps between there
    and 15, where there is nothing but noise; such a model keeps its own spacing.
    """
    kind, changes = SCHEDULERS[name]
    note = ""
    if changes.get("use_karras_sigmas") and config.get("rescale_betas_zero_snr"):
        changes = {**changes, "use_karras_sigmas": False}
        note = "This model starts from pure noise, so DPM++ 2M took the model's own spacing of steps, not Karras'."
    scheduler = kind.from_config({**config, **_UNCLIPPED, **changes})
    with warnings.catch_warnings():  # three of them hand a tensor to numpy in a way that numpy 2 deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        scheduler.set_timesteps(steps, device=device)
    return scheduler, note


def step(
    scheduler: Any, prediction: torch.Tensor, timestep: torch.Tensor, latents: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Take one step back. Returns the next latents, and the model's present estimate of the finished ones (x0).

    All (1, channels, height, width), float32. The estimate is what the scheduler itself made of the prediction,
    whatever that is of: noise, velocity or the image.
    """
    more = {"generator": generator} if isinstance(scheduler, LCMScheduler) else {}
    result = scheduler.step(prediction, timestep, latents, **more)
    if isinstance(scheduler, LCMScheduler):
        return result.prev_sample, result.denoised
    if isinstance(scheduler, DDIMScheduler | EulerDiscreteScheduler):
        return result.prev_sample, result.pred_original_sample
    return result.prev_sample, scheduler.model_outputs[-1]  # the multistep ones keep theirs for the next step
