"""A model of sound in transformers' layout, read in float32, without ever running what a folder brings.

    musicgen   a T5 that encodes the prompt, a decoder of codes, an EnCodec that turns codes into samples
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
from core.providers.local.files import refuse_missing, refuse_slow
from core.types import ModelSpec

READ = {"musicgen": transformers.MusicgenForConditionalGeneration, "vits": transformers.VitsModel}


def read(spec: ModelSpec, folder: Path) -> tuple[str, Any, Any]:
    """The kind, which is a key of READ, the model, in evaluation mode and on the CPU, and its tokenizer.

    Raises:
        ModelRefused: it is another kind of model.
        Exception: whatever a broken file makes a parser raise.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind = str(config.get("model_type"))
    _refuse_others(spec, kind, config)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    _refuse_phonemes(spec, tokenizer)
    if kind == "musicgen":
        refuse_slow(spec, tokenizer)
    model, loading = READ[kind].from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    refuse_missing(loading)
    return kind, model.eval(), tokenizer


def _refuse_others(spec: ModelSpec, kind: str, config: dict[str, Any]) -> None:
    if kind not in READ:
        raise ModelRefused(
            f"{spec.name} is not a model of sound of a kind that is read here ({' or '.join(READ)}): it is "
            f"'{kind[:40]}'. Choose another model."
        )
    if config.get("decoder", {}).get("audio_channels", 1) != 1:
        raise ModelRefused(f"{spec.name} makes stereo sound; only mono is made here. Choose another model.")


def _refuse_phonemes(spec: ModelSpec, tokenizer: Any) -> None:
    if getattr(tokenizer, "phonemize", False) or getattr(tokenizer, "is_uroman", False):
        raise ModelRefused(
            f"{spec.name} reads sounds or Latin letters only, and the program that would turn a text into them is not "
            "part of this app. Choose another model."
        )
