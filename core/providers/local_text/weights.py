"""A model's files into float32 weights and a tokenizer, on the CPU, without ever running what a file brings along.

Weights are safetensors; the one pickle that `core.repository` lists is read as tensors and nothing else. Knows
transformers' layout of files; nothing of prompts, rows or devices.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
import transformers

from core import repository
from core.providers.local.files import refuse_slow
from core.types import ModelSpec


def read(spec: ModelSpec, folder: Path) -> tuple[Any, Any]:
    """The model, in evaluation mode, and its tokenizer.

    Raises:
        ModelRefused: its tokenizer is not one of the `tokenizers` library.
        Exception: whatever a broken file makes a parser raise.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    refuse_slow(spec, tokenizer)
    model = _from_pickle(folder, pickled) if (pickled := _only_pickle(spec, folder)) else _from_safetensors(folder)
    return model.eval(), tokenizer


def _from_safetensors(folder: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        attn_implementation="eager",
    )


def _from_pickle(folder: Path, name: str) -> Any:
    """transformers is handed the tensors: given only the folder it would look for safetensors, or have the hub's copy
    converted in a thread of its own.

    Raises:
        UnpicklingError: the file holds anything but tensors, or not all of the model's.
    """
    tensors = torch.load(folder / name, map_location="cpu", weights_only=True)
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model, loading = transformers.MODEL_FOR_CAUSAL_LM_MAPPING[type(config)].from_pretrained(
        None,
        config=config,
        state_dict=tensors,
        dtype=torch.float32,
        attn_implementation="eager",
        output_loading_info=True,
    )
    if loading["missing_keys"] or loading["mismatched_keys"]:
        raise pickle.UnpicklingError("tensors of the model are missing")
    return model


def _only_pickle(spec: ModelSpec, folder: Path) -> str:
    return "" if any(folder.glob("*.safetensors")) else repository.pickled(spec)
