"""Reading an answer that somebody may stop while its next piece is still on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

Piece = TypeVar("Piece")
POLL_SECONDS = 0.1


class Watched(Generic[Piece]):
    """Pieces as they come; ends early, with `cancelled` set, once `stopped` says so.

    Args:
        pieces: opens the stream; called and read in a thread of its own.
        stopped: asked before each piece and every POLL_SECONDS while none comes.
        hang_up: wakes the reading thread.

    Iterating raises whatever the stream raises. Whoever stops iterating before the end hangs up too.
    """

    def __init__(
        self, pieces: Callable[[], Iterable[Piece]], stopped: Callable[[], bool], hang_up: Callable[[], None]
    ) -> None:
        self.cancelled = False
        self._pieces = pieces
        self._stopped = stopped
        self._hang_up = hang_up
        self._queue: SimpleQueue[tuple[str, Piece | BaseException | None]] = SimpleQueue()

    def __iter__(self) -> Iterator[Piece]:
        if self._stopped():
            self.cancelled = True
            return
        Thread(target=self._read, name="diptych-answer", daemon=True).start()
        over = False
        try:
            while not self._stopped():
                kind, found = self._next()
                over = kind in ("end", "error")
                if kind == "end":
                    return
                if isinstance(found, BaseException):
                    raise found
                if kind == "piece":
                    yield found  # type: ignore[misc]
            self.cancelled = True
        finally:
            if not over:
                self._hang_up()

    def _next(self) -> tuple[str, Piece | BaseException | None]:
        try:
            return self._queue.get(timeout=POLL_SECONDS)
        except Empty:
            return "nothing", None

    def _read(self) -> None:
        try:
            for piece in self._pieces():
                self._queue.put(("piece", piece))
            self._queue.put(("end", None))
        except BaseException as error:
            self._queue.put(("error", error))
