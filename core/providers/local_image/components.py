"""A Stable Diffusion in diffusers' layout, read part by part in float32, without running what a folder brings.

    model_index.json   names the components   tokenizer, text_encoder   a prompt into embeddings
    unet               predicts the noise     vae                       latents into pixels
    scheduler          the schedule of noise  safety_checker            judges pixels; few models have one

The components are used as they are rather than through a StableDiffusionPipeline: a pipeline keeps the state of a
request on itself, rewrites schedules that it thinks outdated, and cannot be stopped between two steps. Knows nothing of
requests.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

from core import repository
from core.errors import ModelRefused
from core.providers.local.files import refuse_missing
from core.types import ModelSpec

READ = {
    "unet": ("UNet2DConditionModel", diffusers.UNet2DConditionModel),
    "vae": ("AutoencoderKL", diffusers.AutoencoderKL),
    "text_encoder": ("CLIPTextModel", transformers.CLIPTextModel),
    "safety_checker": ("StableDiffusionSafetyChecker", StableDiffusionSafetyChecker),
}
HALF = "fp16"
"""The variant that is read where a folder has no whole precision."""


@dataclass(slots=True)
class Components:
    """What a model is made of; `scheduler_config` is plain data. The last two are there or not together."""

    tokenizer: Any
    text_encoder: Any
    unet: Any
    vae: Any
    scheduler_config: dict[str, Any]
    safety_checker: Any = None
    feature_extractor: Any = None

    @property
    def models(self) -> list[Any]:
        every = (self.text_encoder, self.unet, self.vae, self.safety_checker)
        return [model for model in every if model is not None]

    @property
    def distilled(self) -> bool:
        """Whether guidance is one of the model's inputs, as in a latent consistency model, and costs no second pass."""
        return self.unet.config.time_cond_proj_dim is not None

    @property
    def vae_scale_factor(self) -> int:
        """Pixels of the image along one place of the latents."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))


def read(spec: ModelSpec, folder: Path) -> Components:
    """All components, in evaluation mode and on the CPU.

    Raises:
        ModelRefused: it is another kind of model.
        Exception: whatever a broken file makes a parser raise.
    """
    named = repository.named_parts(folder)
    _refuse_others(spec, named)
    for logging in (transformers.logging, diffusers.logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    checked = "safety_checker" in named
    return Components(
        tokenizer=transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        text_encoder=_model(folder, "text_encoder"),
        unet=_model(folder, "unet"),
        vae=_model(folder, "vae"),
        scheduler_config=json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")),
        safety_checker=_model(folder, "safety_checker") if checked else None,
        feature_extractor=transformers.CLIPImageProcessor.from_pretrained(folder / "feature_extractor")
        if checked
        else None,
    )


def _model(folder: Path, name: str) -> Any:
    """One component with weights.

    Raises:
        ValueError: weights are missing.
    """
    files = list((folder / name).glob("*.safetensors"))
    only_halves = not any(file for file in files if f".{HALF}." not in file.name)
    model, loading = READ[name][1].from_pretrained(
        folder / name,
        dtype=torch.float32,
        variant=HALF if only_halves else None,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    refuse_missing(loading, name)
    return model.eval()


def _refuse_others(spec: ModelSpec, named: dict[str, str]) -> None:
    wrong = [part for part, (kind, _) in READ.items() if part != "safety_checker" and named.get(part) != kind]
    wrong += [part for part in ("safety_checker",) if named.get(part, READ[part][0]) != READ[part][0]]
    if wrong:
        raise ModelRefused(
            f"{spec.name} is not a Stable Diffusion of a kind that is read here: its {wrong[0]} is "
            f"{named.get(wrong[0], 'missing')[:40]}. Choose another model."
        )
