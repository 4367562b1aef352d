"""The worker process as the server sees it.

`Worker` has the process started at first use (`core.worker.launch`), speaks with it (`core.worker.connection`), and
has another started when it died. A model opened through it looks like any other. The server that imports this never
imports torch; the process itself is `core.worker.server`, entered by `python -m core.worker`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from threading import Lock

from core.errors import ModelError, WorkerDied
from core.providers import Model, Report, open_remote
from core.settings import Secrets, Settings
from core.types import Event as ModelEvent
from core.types import Failed, Finished, ModelSpec, Progress, Request
from core.worker.connection import Conversation, Patience
from core.worker.launch import launch
from core.worker.messages import Event, Generate, Open, Opened, Stop

STOP_GRACE = 20.0
"""Seconds after which a process whose every row was told to stop, and that said nothing since, is ended."""

LOAD_GRACE = 5.0
"""The same for a load that nobody waits for any more: it hears of that only when it next reports."""


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
        self._conversation: Conversation | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the running process; None when there is none."""
        conversation = self._conversation
        return conversation.pid if conversation and conversation.alive else None

    def open(self, spec: ModelSpec, report: Report, abandoned: Callable[[], bool] = lambda: False) -> Model:
        """Load a model in the worker process, which is started if need be, and return what stands for it here.

        A load that nobody waits for any more (`abandoned`) is asked to stop, and its process ended if it does not.

        Raises:
            WorkerDied: the process could not be started, or ended.
            HubUnreachable, ModelRefused, ModelError: as the provider says.
        """
        with self._turn:
            conversation = self._started()
            order = Open(next(self._numbers), spec)
            patience = Patience(self._load_grace)

            def check() -> None:
                if abandoned() and patience.begin():
                    conversation.send(Stop(order.job))
                conversation.give_up(patience)

            with closing(conversation.replies(order, check, self._load_grace)) as replies:
                for reply in replies:
                    if isinstance(reply, Event) and isinstance(reply.event, Progress):
                        report(reply.event)
                    elif isinstance(reply, Opened):
                        return _Proxy(self, spec, reply.max_batch)
        raise ModelError(f"{spec.name} could not be opened. Try again.")

    def generate(
        self, spec: ModelSpec, requests: Sequence[Request], stopped: Callable[[int], bool]
    ) -> Iterator[ModelEvent]:
        """Answer a batch with a model that was opened here; as `Model.generate`.

        Raises:
            WorkerDied: the process ended.
        """
        with self._turn:
            conversation = self._present()
            order = Generate(next(self._numbers), spec, tuple(requests))
            live, told = set(range(len(requests))), set[int]()
            patience = Patience(self._stop_grace)

            def check() -> None:
                for index in [index for index in live - told if stopped(index)]:
                    told.add(index)
                    conversation.send(Stop(order.job, index))
                if live <= told:
                    patience.begin()
                conversation.give_up(patience)

            with closing(conversation.replies(order, check, self._stop_grace)) as replies:
                for reply in replies:
                    patience.renew()
                    if isinstance(reply, Event):
                        if isinstance(reply.event, Finished | Failed):
                            live.discard(reply.event.index)
                        yield reply.event

    def close(self) -> None:
        """End the process, whatever it is doing. There will be no other."""
        self._closed = True
        conversation = self._conversation
        if conversation and conversation.alive:
            conversation.kill()
        if self._turn.acquire(timeout=LOAD_GRACE):  # whoever is at it hears of the death, and lets go
            try:
                self._forget()
            finally:
                self._turn.release()

    def _started(self) -> Conversation:
        if self._conversation is None or not self._conversation.alive:
            self._forget()
            if self._closed:
                raise WorkerDied("The server is closing down. Try again in a minute.")
            self._conversation = Conversation(*launch(self._command, self._settings))
        return self._conversation

    def _present(self) -> Conversation:
        if self._conversation is None or not self._conversation.alive:
            raise WorkerDied("The model process ended before it could answer. Try again.")
        return self._conversation

    def _forget(self) -> None:
        if self._conversation:
            self._conversation.end()
        self._conversation = None


@dataclass(slots=True)
class _Proxy:
    """A model in the worker process, seen from here. Closing it keeps it loaded: the pool decides when it goes."""

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
