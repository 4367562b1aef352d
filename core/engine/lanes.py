"""A lane: threads that each open a model, run one batch of a run's cells, and go on with the next owner's run.

One batch holds cells of one model of one run: the first cell that waits, and the next ones of its model, up to
`max_batch`, in the run's order. Nothing else decides, so running a run again forms the same batches, unless cells are
cancelled or fail. A lane begins no batch while too many results wait to be written. It knows nothing of tokens or
processes, and passes keys on unread.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from itertools import chain, islice
from threading import Thread

from core.engine.jobs import Job, Slot
from core.engine.ledger import Ledger
from core.engine.queueing import Rotation, Throughput, turns
from core.errors import DiptychError
from core.providers import Model, Report
from core.settings import Secrets
from core.types import Finished, ModelSpec, Progress, State

log = logging.getLogger(__name__)

Abandoned = Callable[[], bool]
"""Asked while a model loads: true once nobody waits for it any more, because of a cancel or a deadline."""

Opener = Callable[[ModelSpec, Secrets, Report, Abandoned], Model]
"""Opens a model with a visitor's keys; reports its progress, and raises a DiptychError when it cannot.

Once abandoned, it should raise soon, whatever it raises.
"""


class Lane:
    """The threads for one kind of model: local (one thread) or remote (several)."""

    def __init__(
        self,
        local: bool,
        threads: int,
        ledger: Ledger,
        throughput: Throughput,
        *,
        open_model: Opener,
        lookup: Callable[[str], ModelSpec],
        clock: Callable[[], float],
    ) -> None:
        self.local = local
        self.rotation = Rotation()
        self._ledger = ledger
        self._throughput = throughput
        self._open_model = open_model
        self._lookup = lookup
        self._clock = clock
        name = "diptych-local" if local else "diptych-remote"
        self._threads = [Thread(target=self._serve, name=f"{name}-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the threads to leave, for at most this long each. They are daemons: a stuck one holds up no exit."""
        for thread in self._threads:
            thread.join(seconds)

    def _serve(self) -> None:
        while turn := self._next():
            try:
                self._take_turn(*turn)
            except Exception as error:  # a mistake of ours must not close the lane for everybody
                self._drop(*turn, error)

    def _next(self) -> tuple[Job, Slot] | None:
        with self._ledger.changed:
            while not self._ledger.closing:
                for job in self._ledger.unfinished():
                    self._ledger.expire(job)
                queue = turns(self._ledger.unfinished(), self.rotation, self.local)
                if queue and not self._ledger.writer.full:
                    return self._claim(queue[0])
                self._ledger.changed.wait()
        return None

    def _claim(self, job: Job) -> tuple[Job, Slot]:
        now = self._clock()
        slot = next(job.waiting(self.local))
        job.enter(slot, State.LOADING, now)
        job.started, job.touched = True, now
        self.rotation.serve(job.owner)
        return job, slot

    def _take_turn(self, job: Job, first: Slot) -> None:
        try:
            model = self._open(job, first)
        except BaseException as error:
            self._refuse(job, first, error)
            return
        try:
            if batch := self._begin(job, first, model.max_batch):
                self._run(job, batch, model)
        finally:
            _close(model)

    def _open(self, job: Job, first: Slot) -> Model:
        spec = self._lookup(first.cell.model)
        ledger = self._ledger

        def report(progress: Progress) -> None:
            with ledger.changed:
                if job.unfinished():
                    note = progress.note or f"loading {spec.name}"
                    note = note if spec.name in note else f"{note} ({spec.name})"
                    job.loading = Progress(None, progress.done, progress.total, note[:1].upper() + note[1:])

        def abandoned() -> bool:
            with ledger.changed:
                ledger.expire_cell(job, first)
                return first.final and next(job.waiting(self.local, first.cell.model), None) is None

        report(Progress(None, 0, 0))
        try:
            return self._open_model(spec, job.secrets, report, abandoned)
        finally:
            with ledger.changed:
                job.loading = None

    def _refuse(self, job: Job, first: Slot, error: BaseException) -> None:
        """Fail this cell, and all cells of this run that wait for the same model: it cannot be opened."""
        with self._ledger.changed:
            waiting = job.waiting(self.local, first.cell.model)
            self._ledger.fail(job, [first, *waiting], _sentence(error, "could not be opened"), type(error).__name__)

    def _drop(self, job: Job, first: Slot, error: BaseException) -> None:
        with self._ledger.changed:
            mine = [slot for slot in job.slots.values() if slot.local == self.local]
            sentence = _sentence(error, f"{first.cell.model} failed in the engine")
            self._ledger.fail(job, mine, sentence, type(error).__name__)

    def _begin(self, job: Job, first: Slot, size: int) -> list[Slot]:
        with self._ledger.changed:
            head = [] if first.final else [first]
            batch = list(islice(chain(head, job.waiting(self.local, first.cell.model)), max(1, size)))
            now = self._clock()
            for slot in batch:
                job.enter(slot, State.RUNNING, now)
                slot.share = len(batch)
            return batch

    def _run(self, job: Job, batch: list[Slot], model: Model) -> None:
        ledger = self._ledger

        def stopped(index: int) -> bool:
            with ledger.changed:
                ledger.expire_cell(job, batch[index])
                return batch[index].final or batch[index].stop is not None

        began = self._clock()
        sentence, kind = "The model ended without an answer. Try this cell again.", ""
        try:
            for event in model.generate([slot.cell.request for slot in batch], stopped):
                with ledger.changed:
                    ledger.apply(job, batch, event)
                    if isinstance(event, Finished):
                        done = sum(slot.state is State.DONE for slot in batch)
                        self._throughput.hint(batch[0].cell.model, done, len(batch), self._clock() - began)
        except BaseException as error:
            sentence, kind = _sentence(error, "failed while answering"), type(error).__name__
        with ledger.changed:
            self._measure(batch, self._clock() - began)
            ledger.fail(job, batch, sentence, kind)
            job.touched = self._clock()

    def _measure(self, batch: list[Slot], seconds: float) -> None:
        done = [slot for slot in batch if slot.state is State.DONE]
        self._throughput.record(batch[0].cell.model, len(done), sum(slot.tokens for slot in done), seconds)


def _sentence(error: BaseException, what: str) -> str:
    """What a person reads. An unexpected error gives its class only: its text may quote a prompt or a key."""
    if isinstance(error, DiptychError):
        return str(error)
    log.error("a model %s: %s\n%s", what, type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return f"The model {what} ({type(error).__name__}). Try again; if it stays so, choose another model."


def _close(model: Model) -> None:
    try:
        model.close()
    except BaseException as error:
        _sentence(error, "could not be closed")
