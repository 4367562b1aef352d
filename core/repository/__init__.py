"""Where a model's files are: a folder that ships with the app, or a pinned snapshot from the Hugging Face hub.

Only repositories and revisions of the catalog, only weights in safetensors but for one listed exception, never code.
What is here already is used without a word to the network; `download` fetches the rest. Knows nothing of how a model
is read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from core.errors import ModelRefused
from core.repository import download
from core.repository.download import in_words
from core.settings import Settings
from core.types import ModelSpec, Progress

__all__ = ["PATTERNS", "PICKLED", "Report", "cache", "folder", "in_words", "pickled", "present", "size"]

Report = Callable[[Progress], None]

PATTERNS = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    *("special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt"),
    "chat_template*",
    "model*.safetensors",
    "model.safetensors.index.json",
)
REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
FOLDER = re.compile(r"[\w-][\w.-]*")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".py")
PICKLED = {("Salesforce/codegen-350M-mono", "d9107f71cca463240db1143f4a75a927a27fcb27"): "pytorch_model.bin"}
"""The one repository that has no safetensors, at the one revision that is read, and the pickle that holds its weights.
Whoever reads it must read tensors only: a pickle can run code."""


def folder(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> Path:
    """The folder with the model's files, downloaded first where they are not here; progress in bytes.

    Raises:
        HubUnreachable: the files are not here, and the hub is not to be asked or does not answer.
        ModelRefused: the source is not of the catalog's shape, the hub refuses it, it has no safetensors, or the disk
            is too small.
    """
    _refuse_strange(spec)
    place = _place(spec, settings)
    if spec.bundled and not _complete(place, spec):
        raise ModelRefused(
            f"{spec.name} should ship with the app, but {place} does not hold it. "
            "Reinstall the app, or set DIPTYCH_MODELS to the folder that holds the models."
        )
    if not present(spec, settings):
        download.fetch(spec, settings, cache(), _patterns(spec), _refused(spec), report)
        place = _place(spec, settings)
        if not _weights(place, spec):
            raise ModelRefused(
                f"{spec.name} has no safetensors weights in {spec.source}; other formats can run code and are not read."
            )
    return place


def present(spec: ModelSpec, settings: Settings) -> bool:
    """Whether the model's files are all on this machine. Reads the disk only."""
    return _complete(_place(spec, settings), spec)


def pickled(spec: ModelSpec) -> str:
    """The name of the pickle that holds this model's weights; '' for every model but the listed exception."""
    return "" if spec.bundled else PICKLED.get((spec.source, spec.revision), "")


def size(folder: Path) -> int:
    """Bytes of the files in a folder, following the links of a hub snapshot."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def cache() -> Path:
    """The hub's cache, as huggingface_hub finds it."""
    env = os.environ
    home = env.get("HF_HOME") or os.path.join(env.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return Path(os.path.expandvars(env.get("HF_HUB_CACHE") or os.path.join(home, "hub"))).expanduser()


def _refuse_strange(spec: ModelSpec) -> None:
    shape = FOLDER if spec.bundled else REPOSITORY
    if not shape.fullmatch(spec.source) or ".." in spec.source:
        raise ModelRefused(f"The catalog's source of {spec.name} is not the name of a folder or repository.")
    if not re.fullmatch(r"\w[\w.-]*", spec.revision) or ".." in spec.revision:
        raise ModelRefused(f"The catalog's revision of {spec.name} is not a commit, branch or tag.")
    if any(pattern.endswith(PICKLES) for pattern in spec.files):
        raise ModelRefused(f"The catalog asks for a file of {spec.name} that can run code; only safetensors are read.")


def _place(spec: ModelSpec, settings: Settings) -> Path:
    if spec.bundled:
        return settings.models / spec.source
    store = _store(spec)
    try:
        commit = (store / "refs" / spec.revision).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        commit = spec.revision
    return store / "snapshots" / commit


def _store(spec: ModelSpec) -> Path:
    return cache() / ("models--" + spec.source.replace("/", "--"))


def _complete(place: Path, spec: ModelSpec) -> bool:
    """Whether every file that was listed is there; an interrupted download leaves some out.

    The hub client keeps each commit's list of files beside its snapshots. A cache without one (an older client's) is
    taken to be whole when it holds a config, a tokenizer and all shards of the weights.
    """
    listed = _json(place.parent.parent / "trees" / f"{place.name}.json").get("files", {}) if not spec.bundled else {}
    wanted = [name for name in listed if any(fnmatch(name, pattern) for pattern in _patterns(spec))]
    shards = _json(place / "model.safetensors.index.json").get("weight_map", {}).values()
    parts = ("config.json", *wanted, *shards)
    return all((place / part).is_file() for part in parts) and _weights(place, spec) and any(place.glob("*token*"))


def _weights(place: Path, spec: ModelSpec) -> bool:
    return any(place.glob("*.safetensors")) or (bool(pickled(spec)) and (place / pickled(spec)).is_file())


def _patterns(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the files that are fetched."""
    listed = spec.files or PATTERNS
    return (*listed, pickled(spec)) if pickled(spec) else listed


def _refused(spec: ModelSpec) -> tuple[str, ...]:
    """Names of files that are never fetched, because they can run code."""
    return tuple(f"*{ending}" for ending in PICKLES if not pickled(spec).endswith(ending))


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
