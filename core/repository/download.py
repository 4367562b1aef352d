"""Files from the Hugging Face hub into its cache, with progress, and every way in which a hub says no as a sentence.

Fetches what it is told to and judges none of it. huggingface_hub is imported only when something is fetched.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import HubUnreachable, ModelError, ModelRefused
from core.settings import Settings
from core.types import ModelSpec, Progress

CONNECT_SECONDS = 3.0
"""How long a hub that does not answer is waited for."""


def in_words(count: int) -> str:
    """Bytes for a person, in decimal units as file sizes are given: 2.6 GB, 548 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def fetch(
    spec: ModelSpec,
    settings: Settings,
    cache: Path,
    wanted: Sequence[str],
    refused: Sequence[str],
    report: Callable[[Progress], None],
) -> None:
    """Bring the files of a model's pinned revision into the cache; progress in bytes.

    Args:
        wanted, refused: patterns of file names; what is refused is not fetched though it be wanted.

    Raises:
        HubUnreachable: the hub is not to be asked or does not answer.
        ModelRefused: the hub refuses it, or the disk is too small.
    """
    _refuse_offline(spec, settings)
    _refuse_full_disk(spec, cache)
    counter, note = _Counter(), f"downloading {spec.name}"
    with ThreadPoolExecutor(1, thread_name_prefix="download") as thread:
        snapshot = thread.submit(_snapshot, spec, settings, cache, wanted, refused, counter.bar())
        # The download's threads only count; reports go out from the caller's own.
        while not wait([snapshot], timeout=0.25).done:
            report(Progress(None, float(counter.done), float(max(spec.download_bytes, counter.done)), note))
    if (error := snapshot.exception()) is not None:
        raise _explained(spec, error) from None
    report(Progress(None, float(counter.done), float(counter.done), note))


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


def _refuse_full_disk(spec: ModelSpec, cache: Path) -> None:
    here = next(path for path in (cache, *cache.parents) if path.exists())
    need, free = int(spec.download_bytes * 1.1), shutil.disk_usage(here).free
    if free < need:
        raise ModelRefused(
            f"{spec.name} needs {in_words(need)} of disk and {here} has {in_words(free)} left. "
            "Free some space, or set HF_HOME to a larger disk."
        )


def _snapshot(
    spec: ModelSpec, settings: Settings, cache: Path, wanted: Sequence[str], refused: Sequence[str], bar: type
) -> None:
    from huggingface_hub import snapshot_download

    secret = settings.secrets.get("huggingface")
    snapshot_download(
        spec.source,
        revision=spec.revision,
        allow_patterns=list(wanted),
        ignore_patterns=list(refused),
        cache_dir=cache,
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
