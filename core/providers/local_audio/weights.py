"""A model of sound in transformers' layout, read in float32, without ever running what a folder brings.

    musicgen   a T5 that reads the words, a decoder of codes, an EnCodec that turns codes into samples
    vits       letters into samples, in one pass

Knows nothing of requests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers

from core.errors import ModelRefused
from core.types import ModelSpec

READ = {"musicgen": transformers.MusicgenForConditionalGeneration, "vits": transformers.VitsModel}


def read(spec: ModelSpec, folder: Path) -> tuple[str, Any, Any]:
    """The kind, which is a key of READ, the model, in evaluation mode and on the CPU, and its tokenizer.

    Raises:
        ModelRefused: it is another kind of model, or its files bring code, are broken, or do not fit into memory.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        kind = str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type"))
        _refuse_others(spec, folder, kind)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        _refuse_unspeakable(spec, tokenizer)
        return kind, _model(folder, kind), tokenizer
    except ModelRefused:
        raise
    except MemoryError:
        raise ModelRefused(f"{spec.name} does not fit into this machine's memory. Choose a smaller model.") from None
    except Exception as error:  # whatever a broken file makes a parser raise, it is the files that are broken
        raise ModelRefused(
            f"The files of {spec.name} cannot be read ({type(error).__name__}). "
            f"Delete the folder {folder} and try again, or choose another model."
        ) from error


def size(model: Any) -> int:
    """Bytes of a model's weights as they lie in memory."""
    return sum(p.numel() * p.element_size() for p in model.parameters())


def _model(folder: Path, kind: str) -> Any:
    """The model with all its weights.

    Raises:
        ValueError: weights are missing; they would be random numbers otherwise.
    """
    model, found = READ[kind].from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    if found["missing_keys"] or found.get("mismatched_keys"):
        raise ValueError("weights are missing")
    return model.eval()


def _refuse_others(spec: ModelSpec, folder: Path, kind: str) -> None:
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        if path.is_file() and '"auto_map"' in path.read_text(encoding="utf-8", errors="replace"):
            raise ModelRefused(f"{spec.name} brings code of its own, which is never run here. Choose another model.")
    if kind not in READ:
        raise ModelRefused(
            f"{spec.name} is not a model of sound of a kind that is read here ({' or '.join(READ)}): it is "
            f"'{kind[:40]}'. Choose another model."
        )
    decoder = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("decoder", {})
    if decoder.get("audio_channels", 1) != 1:
        raise ModelRefused(f"{spec.name} makes stereo sound; only mono is made here. Choose another model.")


def _refuse_unspeakable(spec: ModelSpec, tokenizer: Any) -> None:
    if getattr(tokenizer, "phonemize", False) or getattr(tokenizer, "is_uroman", False):
        raise ModelRefused(
            f"{spec.name} reads sounds or Latin letters only, and the program that would turn a text into them is not "
            "part of this app. Choose another model."
        )
