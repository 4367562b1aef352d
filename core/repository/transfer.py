"""One large file over HTTP, taken up where it broke off: after a lost connection, a stop, or the end of the process.

The hub client throws away what it has of a file when it ends early. So large files come this way first, into the
client's own store of blobs, where it finds them. What arrives is compared with the hub's SHA-256 before it counts.
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
"""How often in a row a connection may break without a byte before the file is given up."""

RECENT_SECONDS = 10.0


class Stopped(Exception):
    """Nobody waits for the download any more."""


class Tally:
    """Bytes done of all files together, and how quickly they come.

    Written by the download's threads, read by the one that reports. `total` 0: not known yet.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = self.done = 0
        self._clock = clock
        self._ended = Event()
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, count: int) -> None:
        """Count bytes that have come (below 0: that were lost again).

        Raises:
            Stopped: there is no use in more.
        """
        if self._ended.is_set():
            raise Stopped
        self.done += count

    def stop(self) -> None:
        self._ended.set()

    def pause(self, seconds: float) -> None:
        """Wait, but not past a stop."""
        if self._ended.wait(seconds):
            raise Stopped

    def words(self) -> str:
        """'120 MB of 548 MB, 8.4 MB/s, about 51 s left', as much of it as is known. Call it several times a second."""
        now = self._clock()
        self._recent.append((now, self.done))
        while now - self._recent[0][0] > RECENT_SECONDS:
            self._recent.popleft()
        told = f"{in_words(self.done)} of {in_words(max(self.total, self.done))}"
        since, before = self._recent[0]
        speed, left = (self.done - before) / max(now - since, 1e-9), self.total - self.done
        return f"{told}, {speed / 1e6:.1f} MB/s, about {duration(left / speed)} left" if speed > 0 < left else told


def fetch(url: str, headers: dict[str, str], target: Path, size: int, sha256: str, tally: Tally) -> None:
    """Bring a file to `target`, by way of a `.part` beside it, which a later call goes on with.

    Raises:
        Stopped: the tally was stopped.
        OSError: what came is not what the hub listed; it is thrown away.
        HfHubHTTPError, httpx2.TransportError: the hub refuses it, or cannot be reached.
    """
    import httpx2

    if target.is_file():  # another process was quicker
        tally.add(size)
        return
    part = target.with_name(f"{target.name}.part")
    tally.add(held := _size(part))
    if held > size:
        part.unlink()
        tally.add(-held)
    failures = 0
    while (had := _size(part)) < size:
        try:
            _stream(url, headers, part, tally)
        except httpx2.TransportError:
            failures = 0 if _size(part) > had else failures + 1
            if failures > RETRIES:
                raise
            tally.pause(min(8.0, 0.5 * 2**failures))
    if _sha256(part, tally) != sha256:
        part.unlink()
        raise OSError("what came is not what the hub listed")
    part.replace(target)


def _stream(url: str, headers: dict[str, str], part: Path, tally: Tally) -> None:
    """Append what is missing; a server that sends everything again is written from the beginning."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status

    had = _size(part)
    asked = {**headers, "Accept-Encoding": "identity", **({"Range": f"bytes={had}-"} if had else {})}
    with get_session().stream("GET", url, headers=asked, follow_redirects=True, timeout=10.0) as response:
        hf_raise_for_status(response)
        goes_on = response.status_code == 206
        if had and not goes_on:
            tally.add(-had)
        with part.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_bytes():  # as they come: a size to be filled first would be lost with the line
                file.write(chunk)
                tally.add(len(chunk))


def _sha256(path: Path, tally: Tally) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 24):
            found.update(chunk)
            tally.add(0)
    return found.hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
