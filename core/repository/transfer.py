"""Resumable download of one large file over HTTP: after a lost connection, a stop, or the end of the process.

The hub client discards an incomplete file. So large files are fetched here first, into the client's blob folder, where
it finds them. A file counts only once its SHA-256 is the hub's.
Knows nothing of models.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Event

from core.text import duration, in_words

RETRIES = 5
"""Connections in a row that may break without a byte before the download fails."""

RECENT_SECONDS = 10.0


class Stopped(Exception):
    """The download was cancelled."""


class Tally:
    """Bytes done of all files together, and their throughput.

    Written by the download's threads, read by the thread that reports. `total` is 0 while it is not known.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = self.done = 0
        self._clock = clock
        self._ended = Event()
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, count: int) -> None:
        """Count bytes received; a negative count takes back bytes that were discarded.

        Raises:
            Stopped: `stop` was called.
        """
        if self._ended.is_set():
            raise Stopped
        self.done += count

    def stop(self) -> None:
        self._ended.set()

    def pause(self, seconds: float) -> None:
        """Sleep for so many seconds, or until `stop` is called.

        Raises:
            Stopped: `stop` was called.
        """
        if self._ended.wait(seconds):
            raise Stopped

    def words(self) -> str:
        """'120 MB of 548 MB, 8.4 MB/s, about 51 s left', as far as it is known. Call it several times a second."""
        now = self._clock()
        self._recent.append((now, self.done))
        while now - self._recent[0][0] > RECENT_SECONDS:
            self._recent.popleft()
        amount = f"{in_words(self.done)} of {in_words(max(self.total, self.done))}"
        since, before = self._recent[0]
        speed, remaining = (self.done - before) / max(now - since, 1e-9), self.total - self.done
        return (
            f"{amount}, {speed / 1e6:.1f} MB/s, about {duration(remaining / speed)} left"
            if speed > 0 < remaining
            else amount
        )


def fetch(url: str, headers: dict[str, str], target: Path, size: int, sha256: str, tally: Tally) -> None:
    """Fetch a file of `size` bytes into `target`, through a `.part` file beside it, which a later call resumes.

    Raises:
        Stopped: the tally was stopped.
        OSError: the SHA-256 is not the one that the hub listed; the file is deleted.
        HfHubHTTPError, httpx2.TransportError: the hub refuses it, or cannot be reached.
    """
    import httpx2

    if target.is_file():  # another process was quicker
        tally.add(size)
        return
    part = target.with_name(f"{target.name}.part")
    tally.add(received := _size(part))
    if received > size:
        part.unlink()
        tally.add(-received)
    failures = 0
    while (received := _size(part)) < size:
        try:
            _stream(url, headers, part, tally)
        except httpx2.TransportError:
            failures = 0 if _size(part) > received else failures + 1
            if failures > RETRIES:
                raise
            tally.pause(min(8.0, 0.5 * 2**failures))
    if _sha256(part, tally) != sha256:
        part.unlink()
        raise OSError("what came is not what the hub listed")
    part.replace(target)


def _stream(url: str, headers: dict[str, str], part: Path, tally: Tally) -> None:
    """Append the missing bytes; write the file anew where the server ignores the range."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status

    received = _size(part)
    request_headers = {
        **headers,
        "Accept-Encoding": "identity",
        **({"Range": f"bytes={received}-"} if received else {}),
    }
    with get_session().stream("GET", url, headers=request_headers, follow_redirects=True, timeout=10.0) as response:
        hf_raise_for_status(response)
        resumed = response.status_code == 206
        if received and not resumed:
            tally.add(-received)
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_bytes():  # as they arrive: a partly filled chunk would be lost
                file.write(chunk)
                tally.add(len(chunk))


def _sha256(path: Path, tally: Tally) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 24):
            digest.update(chunk)
            tally.add(0)
    return digest.hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
