"""Where a model's files are: a folder that ships with the app, or a pinned snapshot from the Hugging Face hub.

Only repositories and revisions of the catalog, only weights in safetensors but for one listed exception, never code.
Files that are on this machine are used without a request to the network; `download` fetches the rest. Knows nothing of
how a model is read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from core.errors import ModelRefused
from core.repository import download, layout
from core.repository.layout import PATTERNS, PICKLED, PICKLES, has_weights, named_parts, pickled
from core.settings import Settings
from core.text import in_words
from core.types import ModelSpec, Progress

__all__ = ["PATTERNS", "PICKLED", "Report", "cache", "folder", "in_words", "named_parts", "pickled", "present", "size"]

Report = Callable[[Progress], None]

REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
FOLDER = re.compile(r"[\w-][\w.-]*")


def folder(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> Path:
    """The folder with the model's files, downloaded first where they are missing; progress in bytes.

    Raises:
        HubUnreachable: the files are missing, and downloads are switched off or the hub does not answer.
        ModelRefused: the source is no valid name, the hub refuses it, it has no safetensors, or the disk is too small.
    """
    _check_source(spec)
    path = _path_of(spec, settings)
    if spec.bundled and not _complete(path, spec):
        raise ModelRefused(
            f"{spec.name} should ship with the app, but {path} does not hold it. "
            "Reinstall the app, or set DIPTYCH_MODELS to the folder that holds the models."
        )
    if not present(spec, settings):
        download.fetch(spec, settings, cache(), report)
        path = _path_of(spec, settings)
        if not has_weights(path, spec):
            raise ModelRefused(
                f"{spec.name} has no safetensors weights in {spec.source}; other formats can run code and are not read."
            )
    return path


def present(spec: ModelSpec, settings: Settings) -> bool:
    """Whether the model's files are all on this machine. Reads the disk only."""
    return _complete(_path_of(spec, settings), spec)


def size(folder: Path) -> int:
    """Bytes of the files in a folder, following the links of a hub snapshot."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def cache() -> Path:
    """The hub's cache, as huggingface_hub finds it."""
    env = os.environ
    home = env.get("HF_HOME") or os.path.join(env.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return Path(os.path.expandvars(env.get("HF_HUB_CACHE") or os.path.join(home, "hub"))).expanduser()


def _check_source(spec: ModelSpec) -> None:
    shape = FOLDER if spec.bundled else REPOSITORY
    if not shape.fullmatch(spec.source) or ".." in spec.source:
        raise ModelRefused(f"The catalog's source of {spec.name} is not the name of a folder or repository.")
    if not re.fullmatch(r"\w[\w.-]*", spec.revision) or ".." in spec.revision:
        raise ModelRefused(f"The catalog's revision of {spec.name} is not a commit, branch or tag.")
    if any(pattern.endswith(PICKLES) for pattern in spec.files):
        raise ModelRefused(f"The catalog asks for a file of {spec.name} that can run code; only safetensors are read.")


def _path_of(spec: ModelSpec, settings: Settings) -> Path:
    if spec.bundled:
        return settings.models / spec.source
    store = _store(spec)
    try:
        commit = (store / "refs" / spec.revision).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        commit = spec.revision
    return store / "snapshots" / commit


def _store(spec: ModelSpec) -> Path:
    return cache() / layout.repo_folder_name(spec)


def _complete(path: Path, spec: ModelSpec) -> bool:
    """Whether every listed file is there; after an interrupted download some are missing.

    The hub client keeps each commit's list of files beside its snapshots. A cache without a list (an older client's)
    counts as complete when it holds every file of the layout.
    """
    return layout.is_complete(path, spec, () if spec.bundled else _listed(path))


def _listed(snapshot: Path) -> Iterable[str]:
    """The commit's files as the hub client listed them; () where there is no list."""
    try:
        tree = json.loads((snapshot.parent.parent / "trees" / f"{snapshot.name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    files = tree.get("files") if isinstance(tree, dict) else None
    return files if isinstance(files, dict) else ()
