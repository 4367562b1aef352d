"""Where a model's files are: a folder that ships with the app, or a pinned snapshot from the Hugging Face hub.

Only repositories and revisions of the catalog, only weights in safetensors, never code. What is here already is used
without a word to the network. Knows nothing of how a model is read. huggingface_hub is imported only to download.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import HubUnreachable, ModelError, ModelRefused
from core.settings import Settings
from core.types import ModelSpec, Progress

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
CONNECT_SECONDS = 3.0
"""How long a hub that does not answer is waited for."""


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
        _refuse_offline(spec, settings)
        _refuse_full_disk(spec)
        _download(spec, settings, report)
        place = _place(spec, settings)
        if not _weights(place):
            raise ModelRefused(
                f"{spec.name} has no safetensors weights in {spec.source}; other formats can run code and are not read."
            )
    return place


def present(spec: ModelSpec, settings: Settings) -> bool:
    """Whether the model's files are all on this machine. Reads the disk only."""
    return _complete(_place(spec, settings), spec)


def size(folder: Path) -> int:
    """Bytes of the files in a folder, following the links of a hub snapshot."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def in_words(count: int) -> str:
    """Bytes for a person, in decimal units as file sizes are given: 2.6 GB, 548 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


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
    wanted = [name for name in listed if any(fnmatch(name, pattern) for pattern in spec.files or PATTERNS)]
    shards = _json(place / "model.safetensors.index.json").get("weight_map", {}).values()
    parts = ("config.json", *wanted, *shards)
    return all((place / part).is_file() for part in parts) and _weights(place) and any(place.glob("*token*"))


def _weights(place: Path) -> bool:
    return any(place.glob("*.safetensors"))


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _unreachable(spec: ModelSpec, why: str) -> HubUnreachable:
    return HubUnreachable(
        f"{spec.name} is not on this machine ({in_words(spec.download_bytes)}) and {why}. "
        "Connect to the internet and try again, or choose tiny-text, which ships with the app."
    )


def _refuse_offline(spec: ModelSpec, settings: Settings) -> None:
    if settings.offline or os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise _unreachable(spec, "downloads are switched off here (DIPTYCH_OFFLINE or HF_HUB_OFFLINE)")
    url = urlsplit(_endpoint())
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY")):
        return  # only the proxy can be reached directly
    try:
        # The hub client tries five times with growing pauses; one short look answers an offline person at once.
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError:
        raise _unreachable(spec, f"{url.hostname} cannot be reached") from None


def _refuse_full_disk(spec: ModelSpec) -> None:
    here = next(path for path in (cache(), *cache().parents) if path.exists())
    need, free = int(spec.download_bytes * 1.1), shutil.disk_usage(here).free
    if free < need:
        raise ModelRefused(
            f"{spec.name} needs {in_words(need)} of disk and {here} has {in_words(free)} left. "
            "Free some space, or set HF_HOME to a larger disk."
        )


def _download(spec: ModelSpec, settings: Settings, report: Report) -> None:
    counter, note = _Counter(), f"downloading {spec.name}"
    with ThreadPoolExecutor(1, thread_name_prefix="download") as thread:
        download = thread.submit(_snapshot, spec, settings, counter.bar())
        # The download's threads only count; reports go out from the caller's own.
        while not wait([download], timeout=0.25).done:
            report(Progress(None, float(counter.done), float(max(spec.download_bytes, counter.done)), note))
    if (error := download.exception()) is not None:
        raise _explained(spec, error) from None
    report(Progress(None, float(counter.done), float(counter.done), note))


def _snapshot(spec: ModelSpec, settings: Settings, bar: type) -> None:
    from huggingface_hub import snapshot_download

    secret = settings.secrets.get("huggingface")
    snapshot_download(
        spec.source,
        revision=spec.revision,
        allow_patterns=list(spec.files or PATTERNS),
        ignore_patterns=[f"*{ending}" for ending in PICKLES],
        cache_dir=cache(),
        endpoint=_endpoint(),
        etag_timeout=5,
        token=secret.reveal() if secret else os.environ.get("HF_TOKEN") or False,
        tqdm_class=bar,
    )


def _explained(spec: ModelSpec, error: BaseException) -> ModelError:
    """What went wrong in the hub client, as a sentence that says what to do."""
    from huggingface_hub import errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError) or status == 403:
        return ModelRefused(
            f"{spec.name} is gated: accept its terms at {_endpoint()}/{spec.source}, "
            "then set HF_TOKEN to a token of that account."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelRefused(f"{spec.source} has no revision {spec.revision} on the hub. Correct the catalog's row.")
    if isinstance(error, errors.RepositoryNotFoundError) or status == 401:
        return ModelRefused(
            f"The hub knows no public repository {spec.source}. "
            "Correct the catalog's row, or set HF_TOKEN if it is private."
        )
    if isinstance(error, OSError) and error.errno == 28:
        return ModelRefused(f"The disk filled up while {spec.name} was downloading. Free some space and try again.")
    return _unreachable(spec, f"{urlsplit(_endpoint()).hostname} did not deliver it ({type(error).__name__})")


class _Counter:
    """Adds up the bytes that the hub client's progress bars are told of."""

    def __init__(self) -> None:
        self.done = 0

    def bar(self) -> type:
        """A silent tqdm class. The client makes a bar of bytes received, one of bytes written and one of files."""
        from huggingface_hub.utils import tqdm

        counter = self

        class Bar(tqdm):  # type: ignore[misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                self.counts = str(kwargs.get("desc", "")).startswith("Reconstructing")
                super().__init__(*args, **(kwargs | {"disable": True}))

            def update(self, n: float | None = 1) -> bool | None:
                if self.counts:
                    counter.done += int(n or 0)
                return None

        return Bar
