"""Which files a model has, by the two layouts that are read: one folder of transformers', and diffusers' pipelines.

    transformers   config.json, tokenizer files, model*.safetensors
    diffusers      model_index.json names the parts; each is a folder with its config, and weights where it has any

Knows names of files only: nothing of where they are, or how they come here.
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


def patterns(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the files that are fetched. A row's own `files` stand for all of them, in a pipeline for its weights:
    without them only whole precision is fetched, and never the single-file copies that lie beside the parts."""
    if spec.modality is Modality.IMAGE:
        return (*PIPELINE, *(spec.files or (f"{part}/{stem}.safetensors" for part, stem in WEIGHTS.items())))
    listed = spec.files or PATTERNS
    return (*listed, pickled(spec)) if pickled(spec) else listed


def refused(spec: ModelSpec) -> tuple[str, ...]:
    """Names of files that are never fetched, because they can run code."""
    return tuple(f"*{ending}" for ending in PICKLES if not pickled(spec).endswith(ending))


def store(spec: ModelSpec) -> str:
    """The name of a hub model's folder in the hub's cache."""
    return "models--" + spec.source.replace("/", "--")


def wanted(spec: ModelSpec, names: Iterable[str]) -> list[str]:
    """Those of a repository's files that are fetched."""
    return [
        name
        for name in names
        if any(fnmatch(name, pattern) for pattern in patterns(spec))
        and not any(fnmatch(name, pattern) for pattern in refused(spec))
    ]


def pickled(spec: ModelSpec) -> str:
    """The name of the pickle that holds this model's weights; '' for every model but the listed exception."""
    return "" if spec.bundled else PICKLED.get((spec.source, spec.revision), "")


def whole(place: Path, spec: ModelSpec, listed: Iterable[str]) -> bool:
    """Whether a folder holds a model with all its parts, and every file of those `listed` that is fetched."""
    if not all((place / name).is_file() for name in wanted(spec, listed)):
        return False
    if spec.modality is Modality.IMAGE:
        parts = named_parts(place)
        return "unet" in parts and all(_part_is_whole(place / name, name, spec) for name in parts)
    return (place / "config.json").is_file() and has_weights(place, spec) and any(place.glob("*token*"))


def has_weights(place: Path, spec: ModelSpec) -> bool:
    """Whether there are weights of a kind that is read; of a sharded model all of them."""
    if spec.modality is Modality.IMAGE:
        return any(place.glob("unet/*.safetensors"))
    shards = _json(place / "model.safetensors.index.json").get("weight_map", {}).values()
    found = any(place.glob("*.safetensors")) or (bool(pickled(spec)) and (place / pickled(spec)).is_file())
    return found and all((place / shard).is_file() for shard in shards)


def named_parts(place: Path) -> dict[str, str]:
    """The parts that a pipeline's index names, with the name of each one's class; {} without an index."""
    entries = _json(place / "model_index.json").items()
    return {name: str(value[1]) for name, value in entries if isinstance(value, list) and len(value) == 2 and value[1]}


def _part_is_whole(folder: Path, name: str, spec: ModelSpec) -> bool:
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
