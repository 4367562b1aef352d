"""One worker process and what is being said with it: orders out, replies in, patience, and the end.

Knows the form of the messages (`core.worker.messages`) and nothing of what they are about. One thread speaks at a
time; its caller, `core.worker.Worker`, sees to that.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection

from core.errors import WorkerDied
from core.worker.launch import end
from core.worker.messages import Event, Order, Refused, Reply, Stop, rebuilt

POLL_SECONDS = 0.02
"""How long a stop may wait before it is forwarded."""


class Patience:
    """How long silence is borne, in seconds, once it began to matter."""

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


class Conversation:
    """With a process that was launched; `alive` until it ends or is ended."""

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
        self._connection.send(order)

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
        except (EOFError, OSError):
            self.end()
            raise WorkerDied(
                "The model process ended while it was at work (it may have run out of memory). "
                "Try again; ask for fewer samples or tokens, or choose a smaller model."
            ) from None
        finally:
            if not last and not self._ended:
                self._silence(order, grace)

    def give_up(self, patience: Patience) -> None:
        """End the process if it was borne for long enough.

        Raises:
            WorkerDied: it was.
        """
        if patience.over():
            self.end()
            raise WorkerDied("The model did not stop when it was told to, so its process was ended. Try again.")

    def kill(self) -> None:
        """From any thread: whoever is listening hears of the death."""
        self._process.kill()

    def end(self) -> None:
        """Kill the process, wait until its memory is free, and close everything. For the thread that speaks."""
        if not self._ended:
            self._ended = True
            end(self._process)
            self._connection.close()

    def _receive(self, check: Callable[[], None]) -> Reply:
        check()
        while not self._connection.poll(POLL_SECONDS):
            check()
        return self._connection.recv()  # type: ignore[no-any-return]

    def _silence(self, order: Order, grace: float) -> None:
        patience = Patience(grace)
        patience.begin()
        try:
            self.send(Stop(order.job))
            while True:
                reply = self._receive(lambda: self.give_up(patience))
                if reply.job == order.job and not isinstance(reply, Event):
                    return
        except (EOFError, OSError, WorkerDied):
            self.end()
