"""Inside the worker process: one model job at a time on the main thread, stop messages on another.

It exits when the server does: when its connection or its standard input closes. Models are kept in a pool and evicted
after `settings.idle_seconds` without a job. It knows nothing of visitors, runs or keys. The messages are in
`core.worker.messages`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Listener
from pickle import UnpicklingError
from queue import Empty, SimpleQueue
from typing import cast

from core.errors import ModelError
from core.providers import open_model
from core.settings import Settings
from core.types import Progress
from core.worker.messages import (
    Done,
    Event,
    Generate,
    Open,
    Opened,
    Order,
    Reply,
    Stop,
    refusal,
)
from core.worker.pool import Pool
from core.worker.wire import pack, unpack

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.05
"""Progress of a load is reported at most this often."""

NICENESS = 10
"""Priority while a model works: below the pages'."""


class WorkerServer:
    """Serves one connection until it closes."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._pool = Pool(lambda spec, report: open_model(spec, settings, report), settings.memory_budget)
        self._inbox: SimpleQueue[Order] = SimpleQueue()
        self._stopped: set[tuple[int, int | None]] = set()
        self._sending = threading.Lock()

    def serve(self) -> None:
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        pause = min(30.0, max(0.05, self._settings.idle_seconds / 4))
        while True:
            try:
                order = self._inbox.get(timeout=pause)
            except Empty:
                self._pool.release_idle(self._settings.idle_seconds)
                continue
            self._send(self._outcome(order))

    def _outcome(self, order: Order) -> Reply:
        try:
            match order:
                case Open():
                    return self._open(order)
                case Generate():
                    return self._generate(order)
                case Stop():
                    return Done(order.job)
        except BaseException as error:
            _record(error)
            return refusal(order.job, error)
        finally:
            self._stopped.clear()

    def _open(self, order: Open) -> Opened:
        with self._pool.lease(order.spec, self._reporter(order.job)) as model:
            return Opened(order.job, model.max_batch)

    def _generate(self, order: Generate) -> Done:
        def stopped(index: int) -> bool:
            return (order.job, index) in self._stopped or (order.job, None) in self._stopped

        _give_way()
        with self._pool.lease(order.spec, self._reporter(order.job)) as model:
            for event in model.generate(order.requests, stopped):
                self._send(Event(order.job, event))
        return Done(order.job)

    def _reporter(self, job: int) -> Callable[[Progress], None]:
        """Reports how far a load is; raises once nobody waits for it, so that a long download ends soon."""
        last = [("", 0.0)]

        def report(progress: Progress) -> None:
            if (job, None) in self._stopped:
                raise ModelError("Loading was stopped.")
            note, when = last[0]
            if progress.note != note or time.monotonic() - when >= REPORT_SECONDS:
                last[0] = (progress.note, time.monotonic())
                self._send(Event(job, progress))

        return report

    def _send(self, reply: Reply) -> None:
        data = pack(reply)
        try:
            with self._sending:
                self._connection.send_bytes(data)
        except OSError:
            os._exit(0)

    def _listen(self) -> None:
        while True:
            try:
                order = cast(Order, unpack(self._connection.recv_bytes()))
            except (EOFError, OSError, UnpicklingError):
                os._exit(0)  # the main thread may be deep in a matrix product; there is nobody left to answer
            if isinstance(order, Stop):
                self._stopped.add((order.job, order.index))
            else:
                self._inbox.put(order)


def _give_way() -> None:
    """Lower the priority, from the first answer on. Before, libraries and a model are read: some seconds of CPU, which
    at this priority take minutes on a busy machine, and the first answer waits for them."""
    if hasattr(os, "nice"):
        os.nice(max(0, NICENESS - os.nice(0)))


def main() -> None:
    """Take an address and its key from standard input, wait there for the server, and serve it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server; this process exits when it does
    logging.basicConfig(format="worker: %(levelname)s %(name)s: %(message)s")
    start = json.loads(sys.stdin.readline())
    threading.Thread(target=_exit_with_server, name="exit-with-server", daemon=True).start()
    listener = Listener(start["address"], authkey=bytes.fromhex(start["authkey"]))
    print("ready", flush=True)
    os.dup2(2, 1)  # what a library prints must not fill a pipe that nobody reads
    connection = listener.accept()
    with suppress(FileNotFoundError):  # the server removes the folder as soon as it is connected
        listener.close()
    WorkerServer(connection, cast(Settings, unpack(connection.recv_bytes()))).serve()


def _exit_with_server() -> None:
    sys.stdin.read()
    os._exit(0)


def _record(error: BaseException) -> None:
    """Class and places only: an exception's text may quote a prompt."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("a model job ended with %s\n%s", type(error).__name__, frames)
