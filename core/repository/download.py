"""Downloads from the Hugging Face hub into its cache, with progress, and an error in words for each way they fail.

Does not decide which files are safe to read. huggingface_hub is imported only when something is fetched.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import HubUnreachable, ModelError, ModelRefused
from core.repository import layout, transfer
from core.repository.transfer import Tally
from core.settings import Settings
from core.text import in_words
from core.types import ModelSpec, Progress

CONNECT_SECONDS = 3.0
"""The timeout of the first connection to the hub."""


def fetch(spec: ModelSpec, settings: Settings, cache: Path, report: Callable[[Progress], None]) -> None:
    """Bring the files of a model's pinned revision into the cache; progress in bytes, with speed and remaining time.

    An exception from `report` ends the download; the next call resumes it.

    Raises:
        HubUnreachable: downloads are switched off, or the hub does not answer.
        ModelRefused: the hub refuses it, or the disk is too small.
    """
    _refuse_offline(spec, settings)
    _refuse_full_disk(spec, cache)
    tally = Tally()
    with ThreadPoolExecutor(1, thread_name_prefix="download") as thread:
        snapshot = thread.submit(_snapshot, spec, settings, cache, tally)
        try:
            # The download's threads only count bytes; `report` is called from the caller's thread.
            while not wait([snapshot], timeout=0.25).done:
                total = max(tally.total or spec.download_bytes, tally.done)
                detail = f": {tally.words()}" if tally.total else ""
                report(Progress(None, float(tally.done), float(total), f"downloading {spec.name}{detail}"))
        except BaseException:
            tally.stop()
            raise
    if (error := snapshot.exception()) is not None:
        raise _as_model_error(spec, error) from None
    report(Progress(None, float(tally.total), float(tally.total), f"downloading {spec.name}: {tally.words()}"))


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
        # The hub client retries five times with growing pauses; one short connection tells an offline user at once.
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError:
        raise _unreachable(spec, f"{url.hostname} cannot be reached") from None


def _refuse_full_disk(spec: ModelSpec, cache: Path) -> None:
    existing = next(path for path in (cache, *cache.parents) if path.exists())
    blobs = (cache / layout.repo_folder_name(spec) / "blobs").glob("*")
    present = sum(blob.stat().st_size for blob in blobs if not blob.name.endswith(".incomplete"))
    need, free = int(spec.download_bytes * 1.1) - present, shutil.disk_usage(existing).free
    if free < need:
        raise ModelRefused(
            f"{spec.name} needs {in_words(need)} of disk and {existing} has {in_words(free)} left. "
            "Free some space, or set HF_HOME to a larger disk."
        )


def _snapshot(spec: ModelSpec, settings: Settings, cache: Path, tally: Tally) -> None:
    from huggingface_hub import snapshot_download

    secret = settings.secrets.get("huggingface")
    token = secret.reveal() if secret else os.environ.get("HF_TOKEN") or False
    _fetch_large(spec, cache, token, tally)
    snapshot_download(
        spec.source,
        revision=spec.revision,
        allow_patterns=list(layout.allow_patterns(spec)),
        ignore_patterns=list(layout.ignore_patterns(spec)),
        cache_dir=cache,
        endpoint=_endpoint(),
        etag_timeout=5,
        token=token,
        tqdm_class=_bar(tally),
    )


def _fetch_large(spec: ModelSpec, cache: Path, token: str | bool, tally: Tally) -> None:
    """Fetch the files that the hub keeps by SHA-256 (LFS: the large ones) into the client's blob folder."""
    from huggingface_hub import HfApi, hf_hub_url
    from huggingface_hub.hf_api import RepoFile
    from huggingface_hub.utils import WeakFileLock, build_hf_headers

    tree = HfApi(endpoint=_endpoint(), token=token).list_repo_tree(spec.source, recursive=True, revision=spec.revision)
    files = {file.path: file for file in tree if isinstance(file, RepoFile)}
    chosen = [files[name] for name in layout.files_to_fetch(spec, files)]
    tally.total = sum(file.size for file in chosen)
    store = layout.repo_folder_name(spec)
    blobs, locks = cache / store / "blobs", cache / ".locks" / store
    for folder in (blobs, locks):
        folder.mkdir(parents=True, exist_ok=True)
    for file in chosen:
        blob = blobs / (file.lfs.sha256 if file.lfs else file.blob_id)
        if blob.is_file():
            tally.add(file.size)
        elif file.lfs:
            url = hf_hub_url(spec.source, file.path, revision=spec.revision, endpoint=_endpoint())
            with WeakFileLock(locks / f"{blob.name}.lock"):  # the client's own lock: two processes may share a cache
                transfer.fetch(url, build_hf_headers(token=token), blob, file.size, file.lfs.sha256, tally)


def _bar(tally: Tally) -> type:
    """A silent tqdm class that counts bytes written. The client also makes bars of bytes received and of files."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts = str(kwargs.get("desc", "")).startswith("Reconstructing")
            super().__init__(*args, **(kwargs | {"disable": True}))

        def update(self, n: float | None = 1) -> bool | None:
            tally.add(int(n or 0) if self.counts else 0)
            return None

    return Bar


def _as_model_error(spec: ModelSpec, error: BaseException) -> ModelError:
    """An exception of the hub client as an error whose sentence says what to do."""
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
    kept = "" if isinstance(error, OSError) else "; what came so far is kept, and the next try goes on from there"
    return _unreachable(spec, f"{urlsplit(_endpoint()).hostname} did not deliver it ({type(error).__name__}){kept}")
