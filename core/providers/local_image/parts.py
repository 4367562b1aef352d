"""A Stable Diffusion in diffusers' layout, read part by part in float32, without ever running what a folder brings.

    model_index.json   names the parts        tokenizer, text_encoder   words into numbers
    unet               guesses the noise      vae                       latents into pixels
    scheduler          the schedule of noise  safety_checker            judges pixels; few models have one

The parts are used as they are rather than through a StableDiffusionPipeline: a pipeline keeps the state of a request on
itself, rewrites schedules that it thinks outdated, and cannot be stopped between two steps. Knows nothing of requests.
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
class Parts:
    """What a model is made of; `schedule` is the scheduler's configuration. The last two are there or not together."""

    tokenizer: Any
    text_encoder: Any
    unet: Any
    vae: Any
    schedule: dict[str, Any]
    checker: Any = None
    extractor: Any = None

    @property
    def models(self) -> list[Any]:
        return [part for part in (self.text_encoder, self.unet, self.vae, self.checker) if part is not None]

    @property
    def weight(self) -> int:
        """Bytes of all weights as they lie in memory."""
        return sum(p.numel() * p.element_size() for model in self.models for p in model.parameters())

    @property
    def distilled(self) -> bool:
        """Whether guidance is one of the model's inputs, as in a latent consistency model, and costs no second pass."""
        return self.unet.config.time_cond_proj_dim is not None

    @property
    def cell(self) -> int:
        """Pixels of the image along one place of the latents."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))


def read(spec: ModelSpec, folder: Path) -> Parts:
    """All parts, in evaluation mode and on the CPU.

    Raises:
        ModelRefused: it is another kind of model, or its files bring code, are broken, or do not fit into memory.
    """
    named = repository.named_parts(folder)
    _refuse_others(spec, named)
    for logging in (transformers.logging, diffusers.logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    try:
        return _read(folder, "safety_checker" in named)
    except MemoryError:
        raise ModelRefused(f"{spec.name} does not fit into this machine's memory. Choose a smaller model.") from None
    except Exception as error:  # whatever a broken file makes a parser raise, it is the files that are broken
        raise ModelRefused(
            f"The files of {spec.name} cannot be read ({type(error).__name__}). "
            f"Delete the folder {folder} and try again, or choose another model."
        ) from error


def _read(folder: Path, checked: bool) -> Parts:
    return Parts(
        tokenizer=transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        text_encoder=_model(folder, "text_encoder"),
        unet=_model(folder, "unet"),
        vae=_model(folder, "vae"),
        schedule=json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")),
        checker=_model(folder, "safety_checker") if checked else None,
        extractor=transformers.CLIPImageProcessor.from_pretrained(folder / "feature_extractor") if checked else None,
    )


def _model(folder: Path, name: str) -> Any:
    """One part with weights.

    Raises:
        ValueError: weights are missing; they would be random numbers otherwise.
    """
    place = folder / name
    halves = not any(file for file in place.glob("*.safetensors") if f".{HALF}." not in file.name)
    model, found = READ[name][1].from_pretrained(
        place,
        dtype=torch.float32,
        variant=HALF if halves else None,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    if found["missing_keys"] or found.get("mismatched_keys"):
        raise ValueError(f"weights of {name} are missing")
    return model.eval()


def _refuse_others(spec: ModelSpec, named: dict[str, str]) -> None:
    wrong = [part for part, (kind, _) in READ.items() if part != "safety_checker" and named.get(part) != kind]
    wrong += [part for part in ("safety_checker",) if named.get(part, READ[part][0]) != READ[part][0]]
    if wrong:
        raise ModelRefused(
            f"{spec.name} is not a Stable Diffusion of a kind that is read here: its {wrong[0]} is "
            f"{named.get(wrong[0], 'missing')[:40]}. Choose another model."
        )
