"""The connection to one worker process: orders out, replies in, a grace period for silence, and the end.

Knows the form of the messages (`core.worker.messages`) and nothing of what they are about. One thread uses it at a
time; its caller, `core.worker.Worker`, sees to that.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from pickle import UnpicklingError
from typing import cast

from core.errors import WorkerDied
from core.worker.launch import end
from core.worker.messages import Event, Order, Refused, Reply, Stop, rebuilt
from core.worker.wire import pack, unpack

POLL_SECONDS = 0.02
"""How long a stop may wait before it is forwarded."""


class GracePeriod:
    """Seconds of silence that a process is allowed, counted from `begin`, and from every `renew` after it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def begin(self) -> bool:
        """Whether this was the first time."""
        if self._since is not None:
            return False
        self._since = time.monotonic()
        return True

    def renew(self) -> None:
        if self._since is not None:
            self._since = time.monotonic()

    def over(self) -> bool:
        return self._since is not None and time.monotonic() - self._since > self._seconds


class WorkerConnection:
    """To a process that was launched; `alive` until it ends or is ended."""

    def __init__(self, process: subprocess.Popen[str], connection: Connection) -> None:
        self._process = process
        self._connection = connection
        self._ended = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._ended and self._process.poll() is None

    def send(self, order: Order) -> None:
        self._connection.send_bytes(pack(order))

    def replies(self, order: Order, check: Callable[[], None], grace: float) -> Generator[Reply, None, None]:
        """Send an order and yield what comes back for it, calling `check` at least every POLL_SECONDS.

        When the caller leaves before the last reply, the job is stopped, and the process ended if that takes longer
        than `grace` seconds.

        Raises:
            WorkerDied: the process ended.
            DiptychError: the worker refused; the error is the one that it met.
        """
        last = True
        try:
            self.send(order)
            last = False
            while not last:
                reply = self._receive(check)
                if reply.job == order.job:
                    last = not isinstance(reply, Event)
                    if isinstance(reply, Refused):
                        raise rebuilt(reply)
                    yield reply
        except (EOFError, OSError, UnpicklingError):
            self.end()
            raise WorkerDied(
                "The model process ended while it was at work (it may have run out of memory). "
                "Try again; ask for fewer samples or tokens, or choose a smaller model."
            ) from None
        finally:
            if not last and not self._ended:
                self._stop(order, grace)

    def end_if_over(self, grace: GracePeriod) -> None:
        """End the process if its grace period is over.

        Raises:
            WorkerDied: it is.
        """
        if grace.over():
            self.end()
            raise WorkerDied("The model did not stop when it was told to, so its process was ended. Try again.")

    def kill(self) -> None:
        """End the process, from any thread: whoever waits for a reply gets WorkerDied."""
        self._process.kill()

    def end(self) -> None:
        """End the process, wait until its memory is free, and close everything. For the thread that uses it."""
        if not self._ended:
            self._ended = True
            end(self._process)
            self._connection.close()

    def _receive(self, check: Callable[[], None]) -> Reply:
        check()
        while not self._connection.poll(POLL_SECONDS):
            check()
        return cast(Reply, unpack(self._connection.recv_bytes()))

    def _stop(self, order: Order, grace: float) -> None:
        period = GracePeriod(grace)
        period.begin()
        try:
            self.send(Stop(order.job))
            while True:
                reply = self._receive(lambda: self.end_if_over(period))
                if reply.job == order.job and not isinstance(reply, Event):
                    return
        except (EOFError, OSError, UnpicklingError, WorkerDied):
            self.end()
