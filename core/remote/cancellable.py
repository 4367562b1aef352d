"""A stream that can be cancelled while its next chunk is still on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

Chunk = TypeVar("Chunk")
POLL_SECONDS = 0.1


class Cancellable(Generic[Chunk]):
    """Chunks as they come; ends early, with `cancelled` set, once `stopped` says so.

    Args:
        chunks: opens the stream; called and read in a thread of its own.
        stopped: asked before each chunk and every POLL_SECONDS while none comes.
        hang_up: wakes the reading thread.

    Iterating raises whatever the stream raises. Whoever stops iterating before the end hangs up too.
    """

    def __init__(
        self, chunks: Callable[[], Iterable[Chunk]], stopped: Callable[[], bool], hang_up: Callable[[], None]
    ) -> None:
        self.cancelled = False
        self._chunks = chunks
        self._stopped = stopped
        self._hang_up = hang_up
        self._queue: SimpleQueue[tuple[str, Chunk | BaseException | None]] = SimpleQueue()

    def __iter__(self) -> Iterator[Chunk]:
        if self._stopped():
            self.cancelled = True
            return
        Thread(target=self._read, name="diptych-answer", daemon=True).start()
        finished = False
        try:
            while not self._stopped():
                kind, item = self._next()
                finished = kind in ("end", "error")
                if kind == "end":
                    return
                if isinstance(item, BaseException):
                    raise item
                if kind == "chunk":
                    yield item  # type: ignore[misc]
            self.cancelled = True
        finally:
            if not finished:
                self._hang_up()

    def _next(self) -> tuple[str, Chunk | BaseException | None]:
        try:
            return self._queue.get(timeout=POLL_SECONDS)
        except Empty:
            return "nothing", None

    def _read(self) -> None:
        try:
            for chunk in self._chunks():
                self._queue.put(("chunk", chunk))
            self._queue.put(("end", None))
        except BaseException as error:
            self._queue.put(("error", error))
