"""Which files a model has, in the two layouts that are read: a transformers folder and a diffusers pipeline.

    transformers   config.json, tokenizer files, model*.safetensors
    diffusers      model_index.json names the parts; each is a folder with its config, and weights where it has any

Knows file names only: neither where the files are nor how they are fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from core.types import Modality, ModelSpec

PATTERNS = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    *("special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt"),
    "chat_template*",
    "model*.safetensors",
    "model.safetensors.index.json",
)
WEIGHTS = {
    "text_encoder": "model",
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "safety_checker": "model",
}
"""The parts of a pipeline that have weights, and what their file is called."""

PIPELINE = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    *("tokenizer/*.json", "tokenizer/merges.txt"),
    "feature_extractor/preprocessor_config.json",
    *(f"{part}/config.json" for part in WEIGHTS),
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".py")
PICKLED = {("Salesforce/codegen-350M-mono", "d9107f71cca463240db1143f4a75a927a27fcb27"): "pytorch_model.bin"}
"""The one repository that has no safetensors, at the one revision that is read, and the pickle that holds its weights.
Whoever reads it must read tensors only: a pickle can run code."""


def allow_patterns(spec: ModelSpec) -> tuple[str, ...]:
    """Glob patterns of the files that are fetched. A row's own `files` replace all of them, in a pipeline the weights.

    Without `files` a pipeline's weights are float32, never the single-file copies beside the parts.
    """
    if spec.modality is Modality.IMAGE:
        return (*PIPELINE, *(spec.files or (f"{part}/{stem}.safetensors" for part, stem in WEIGHTS.items())))
    listed = spec.files or PATTERNS
    return (*listed, pickled(spec)) if pickled(spec) else listed


def ignore_patterns(spec: ModelSpec) -> tuple[str, ...]:
    """Glob patterns of the files that are never fetched, because they can run code."""
    return tuple(f"*{ending}" for ending in PICKLES if not pickled(spec).endswith(ending))


def repo_folder_name(spec: ModelSpec) -> str:
    """The name of a hub model's folder in the hub's cache, as huggingface_hub makes it."""
    return "models--" + spec.source.replace("/", "--")


def files_to_fetch(spec: ModelSpec, names: Iterable[str]) -> list[str]:
    """The names of a repository's files that are fetched."""
    return [
        name
        for name in names
        if any(fnmatch(name, pattern) for pattern in allow_patterns(spec))
        and not any(fnmatch(name, pattern) for pattern in ignore_patterns(spec))
    ]


def pickled(spec: ModelSpec) -> str:
    """The name of the pickle that holds this model's weights; '' for every model but the listed exception."""
    return "" if spec.bundled else PICKLED.get((spec.source, spec.revision), "")


def is_complete(folder: Path, spec: ModelSpec, listed: Iterable[str]) -> bool:
    """Whether a folder holds all parts of a model, and of the `listed` files every one that is fetched."""
    if not all((folder / name).is_file() for name in files_to_fetch(spec, listed)):
        return False
    if spec.modality is Modality.IMAGE:
        parts = named_parts(folder)
        return "unet" in parts and all(_part_is_complete(folder / name, name, spec) for name in parts)
    return (folder / "config.json").is_file() and has_weights(folder, spec) and any(folder.glob("*token*"))


def has_weights(folder: Path, spec: ModelSpec) -> bool:
    """Whether the folder has weights in a format that is read; of a sharded model, every shard."""
    if spec.modality is Modality.IMAGE:
        return any(folder.glob("unet/*.safetensors"))
    shards = _json(folder / "model.safetensors.index.json").get("weight_map", {}).values()
    has_any = any(folder.glob("*.safetensors")) or (bool(pickled(spec)) and (folder / pickled(spec)).is_file())
    return has_any and all((folder / shard).is_file() for shard in shards)


def named_parts(folder: Path) -> dict[str, str]:
    """The parts that a pipeline's index names, with each one's class name; {} without an index."""
    entries = _json(folder / "model_index.json").items()
    return {name: str(value[1]) for name, value in entries if isinstance(value, list) and len(value) == 2 and value[1]}


def _part_is_complete(folder: Path, name: str, spec: ModelSpec) -> bool:
    if name in WEIGHTS:
        names = spec.files and [file for file in spec.files if file.startswith(f"{name}/")]
        files = names or [f"{name}/{WEIGHTS[name]}.safetensors"]
        return all((folder.parent / file).is_file() for file in (f"{name}/config.json", *files))
    if name == "tokenizer":
        return any((folder / file).is_file() for file in ("vocab.json", "tokenizer.json"))
    config = {"scheduler": "scheduler_config.json", "feature_extractor": "preprocessor_config.json"}.get(name)
    return config is None or (folder / config).is_file()


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
