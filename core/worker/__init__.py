"""The worker process as the server sees it.

`Worker` starts the process at first use (`core.worker.launch`), exchanges messages with it (`core.worker.connection`),
and starts another when it died. A model opened through it looks like any other. The server that imports this never
imports torch; the process itself is `core.worker.server`, entered by `python -m core.worker`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from threading import Lock

from core.errors import ModelError, NeedsNewProcess, WorkerDied
from core.providers import Model, Report, open_remote
from core.settings import Secrets, Settings
from core.types import Event as ModelEvent
from core.types import Failed, Finished, ModelSpec, Progress, Request
from core.worker.connection import GracePeriod, WorkerConnection
from core.worker.launch import launch
from core.worker.messages import Event, Generate, Open, Opened, Stop

STOP_GRACE = 20.0
"""Seconds of silence after which a process is ended whose every row was told to stop."""

LOAD_GRACE = 5.0
"""The same for a load that nobody waits for any more: it is stopped only when it next reports."""


class Worker:
    """The one worker process of a server. Every method may be called from any thread; jobs take turns.

    Args:
        settings: handed to the process without keys and database URL.
        command: what to start; tests put their own providers behind it.
        stop_grace, load_grace: seconds; see the constants.
    """

    def __init__(
        self,
        settings: Settings,
        command: Sequence[str] = (sys.executable, "-m", "core.worker"),
        *,
        stop_grace: float = STOP_GRACE,
        load_grace: float = LOAD_GRACE,
    ) -> None:
        self._settings = replace(settings, secrets={}, database="")
        self._command = tuple(command)
        self._stop_grace = stop_grace
        self._load_grace = load_grace
        self._turn = Lock()
        self._numbers = itertools.count(1)
        self._connection: WorkerConnection | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the running process; None when there is none."""
        connection = self._connection
        return connection.pid if connection and connection.alive else None

    def open(self, spec: ModelSpec, report: Report, abandoned: Callable[[], bool] = lambda: False) -> Model:
        """Load a model in the worker process, which is started if need be, and return what stands for it here.

        A load that nobody waits for any more (`abandoned`) is asked to stop, and its process ended if it does not. A
        model that fits only into a new process gets one: what evicted models leave behind goes with the old.

        Raises:
            WorkerDied: the process could not be started, or ended.
            HubUnreachable, ModelRefused, ModelError: as the provider says.
        """
        with self._turn:
            new = self.pid is None
            try:
                return self._open(spec, report, abandoned)
            except NeedsNewProcess:
                if new:
                    raise
            self._forget()
            return self._open(spec, report, abandoned)

    def generate(
        self, spec: ModelSpec, requests: Sequence[Request], stopped: Callable[[int], bool]
    ) -> Iterator[ModelEvent]:
        """Answer a batch with a model that was opened here; as `Model.generate`.

        Raises:
            WorkerDied: the process ended.
        """
        with self._turn:
            connection = self._present()
            order = Generate(next(self._numbers), spec, tuple(requests))
            live, stopping = set(range(len(requests))), set[int]()
            grace = GracePeriod(self._stop_grace)

            def check() -> None:
                for index in [index for index in live - stopping if stopped(index)]:
                    stopping.add(index)
                    connection.send(Stop(order.job, index))
                if live <= stopping:
                    grace.begin()
                connection.end_if_over(grace)

            with closing(connection.replies(order, check, self._stop_grace)) as replies:
                for reply in replies:
                    grace.renew()
                    if isinstance(reply, Event):
                        if isinstance(reply.event, Finished | Failed):
                            live.discard(reply.event.index)
                        yield reply.event

    def close(self) -> None:
        """End the process, whatever it is doing. There will be no other."""
        self._closed = True
        connection = self._connection
        if connection and connection.alive:
            connection.kill()
        if self._turn.acquire(timeout=LOAD_GRACE):  # whoever holds it gets WorkerDied, and releases it
            try:
                self._forget()
            finally:
                self._turn.release()

    def _open(self, spec: ModelSpec, report: Report, abandoned: Callable[[], bool]) -> Model:
        connection = self._started()
        order = Open(next(self._numbers), spec)
        grace = GracePeriod(self._load_grace)

        def check() -> None:
            if abandoned() and grace.begin():
                connection.send(Stop(order.job))
            connection.end_if_over(grace)

        with closing(connection.replies(order, check, self._load_grace)) as replies:
            for reply in replies:
                if isinstance(reply, Event) and isinstance(reply.event, Progress):
                    report(reply.event)
                elif isinstance(reply, Opened):
                    return _Proxy(self, spec, reply.max_batch)
        raise ModelError(f"{spec.name} could not be opened. Try again.")

    def _started(self) -> WorkerConnection:
        if self._connection is None or not self._connection.alive:
            self._forget()
            if self._closed:
                raise WorkerDied("The server is closing down. Try again in a minute.")
            self._connection = WorkerConnection(*launch(self._command, self._settings))
        return self._connection

    def _present(self) -> WorkerConnection:
        if self._connection is None or not self._connection.alive:
            raise WorkerDied("The model process ended before it could answer. Try again.")
        return self._connection

    def _forget(self) -> None:
        if self._connection:
            self._connection.end()
        self._connection = None


@dataclass(slots=True)
class _Proxy:
    """Stands for a model in the worker process, which stays loaded when this is closed: the pool evicts it."""

    worker: Worker
    spec: ModelSpec
    max_batch: int

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[ModelEvent]:
        return self.worker.generate(self.spec, requests, stopped)

    def close(self) -> None:
        pass


def opener(worker: Worker, settings: Settings) -> Callable[[ModelSpec, Secrets, Report, Callable[[], bool]], Model]:
    """What the engine opens models with: local ones in the worker, remote ones here, with the keys of the call only."""

    def open_anywhere(spec: ModelSpec, secrets: Secrets, report: Report, abandoned: Callable[[], bool]) -> Model:
        return worker.open(spec, report, abandoned) if spec.local else open_remote(spec, settings, secrets)

    return open_anywhere
