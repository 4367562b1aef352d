"""The state of every run in memory, under one lock.

A cell's state becomes final once and never changes after (but for a retry, which starts the cell anew). It is shown
as final only when the writer has it committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Condition

from core.engine.grading import Grader
from core.engine.jobs import Job, Slot
from core.engine.writer import MAX_UNWRITTEN, Entry, Sink, Writer
from core.experiment.grade import checks_of
from core.experiment.ungraded import Ungraded
from core.settings import Settings
from core.types import Delta, Event, Failed, Finished, Output, Progress, State

GRADE_GRACE = 1.0
"""Seconds that closing waits for the checks that are being applied."""

STOP_GRACE = 30.0
"""Seconds after which a cell that was told to stop is final, whatever its model does."""


class Ledger:
    """All runs in memory, oldest first. Every method but `close` expects the caller to hold `changed`."""

    def __init__(
        self,
        sink: Sink,
        settings: Settings,
        clock: Callable[[], float],
        keep: int,
        unwritten_bytes: int = MAX_UNWRITTEN,
    ) -> None:
        self.changed = Condition()
        self.grader = Grader(sink)
        self.jobs: dict[str, Job] = {}
        self.closing = False
        self.writer = Writer(sink, self.changed, self._written, unwritten_bytes)
        self._settings = settings
        self._clock = clock
        self._keep = keep

    def put(self, job: Job) -> None:
        """Add a job as the newest; one of the same run that has ended makes way, and its snapshots are counted on."""
        before = self.jobs.pop(job.run.id, None)
        if before is not None:
            job.follow(before)
        self.jobs[job.run.id] = job

    def unfinished(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.ended is None]

    def settle(
        self,
        job: Job,
        slot: Slot,
        state: State,
        *,
        output: Output | None = None,
        error: str = "",
        error_kind: str = "",
    ) -> None:
        """Make a cell final, unless it is; the last one ends the run and forgets its keys."""
        if slot.final:
            return
        slot.conclude(output, error, error_kind)
        job.enter(slot, state, self._clock())
        self.writer.add_result(job, slot)
        if not job.unfinished():
            job.secrets, job.loading = {}, None
            self.writer.add_end(job)

    def fail(self, job: Job, slots: Iterable[Slot], sentence: str, kind: str = "") -> None:
        """Cells that get no answer: stopped where they were told to stop, else failed with an error of class `kind`."""
        for slot in list(slots):
            if slot.stop:
                self.settle(job, slot, slot.stop, error=self._overdue() if slot.stop is State.TIMEOUT else "")
            else:
                self.settle(job, slot, State.FAILED, error=sentence, error_kind=kind)

    def cancel(self, job: Job, slot: Slot) -> None:
        """At once where nothing runs yet; a running cell is told to stop, and keeps what it has."""
        if slot.state is State.RUNNING:
            self._ask_to_stop(slot, State.CANCELLED)
        else:
            self.settle(job, slot, State.CANCELLED)

    def interrupt(self) -> None:
        """Everything that is not final will not become so: the engine closes."""
        self.closing = True
        for job in self.unfinished():
            for slot in job.slots.values():
                self.settle(job, slot, State.INTERRUPTED)
        self.changed.notify_all()

    def apply(self, job: Job, slots: list[Slot], event: Event) -> None:
        """Apply a model's event to its cell of the batch; events of a cell that is final are ignored."""
        if event.index is None or not 0 <= event.index < len(slots) or slots[event.index].final:
            return
        slot = slots[event.index]
        match event:
            case Delta(text=text, tokens=tokens):
                slot.write(text, tokens)
            case Progress():
                slot.advance(event)
            case Finished(output=output):
                stopped = (slot.stop or State.CANCELLED) if output.finish == "cancelled" else None
                error = self._overdue() if stopped is State.TIMEOUT else ""
                self.settle(job, slot, stopped or State.DONE, output=output, error=error)
            case Failed(error=error, kind=kind):
                self.fail(job, [slot], error, kind)

    def expire(self, job: Job) -> None:
        """End what has taken too long: waiting, loading, running, or obeying.

        Nobody watches the clock for its own sake: lanes and pages call this whenever they look at a run.
        """
        now, limits = self._clock(), self._settings
        if now - job.touched > limits.queue_seconds and job.accepted and not job.active:
            for slot in job.slots.values():
                sentence = (
                    f"This waited longer than {limits.queue_seconds:g} s for its turn. Try again at a quieter time."
                )
                self.settle(job, slot, State.TIMEOUT, error=sentence)
        for slot in list(job.active.values()):
            self.expire_cell(job, slot)

    def expire_cell(self, job: Job, slot: Slot) -> None:
        """The same for one cell that is loading or running."""
        now, limits = self._clock(), self._settings
        if slot.state is State.LOADING and now - slot.since > limits.load_seconds:
            self._give_up_loading(job, slot)
        elif slot.state is State.RUNNING and slot.stop is None and now - slot.since > limits.run_seconds:
            self._ask_to_stop(slot, State.TIMEOUT)
        elif slot.state is State.RUNNING and slot.stop and now - slot.stop_since > STOP_GRACE:
            self.fail(job, [slot], "")

    def close(self, seconds: float) -> None:
        """Write what is still to be written, for at most this long. What is not graded is graded at the next start."""
        self.writer.close(seconds)
        self.grader.close(min(seconds, GRADE_GRACE))

    def _ask_to_stop(self, slot: Slot, state: State) -> None:
        if slot.stop is None:
            slot.stop, slot.stop_since = state, self._clock()

    def _give_up_loading(self, job: Job, first: Slot) -> None:
        sentence = (
            f"Loading the model took longer than {self._settings.load_seconds:g} s and was stopped. Try again, "
            "choose a smaller model, or raise DIPTYCH_LOAD_SECONDS."
        )
        for slot in (first, *job.waiting(first.local, first.cell.model)):
            self.settle(job, slot, State.TIMEOUT, error=sentence)

    def _overdue(self) -> str:
        return (
            f"This took longer than {self._settings.run_seconds:g} s and was stopped; what it had so far is kept. "
            "Ask for fewer tokens, or raise DIPTYCH_RUN_SECONDS."
        )

    def _written(self, entry: Entry, refusal: str) -> None:
        slot = entry.slot
        if slot is None:
            self._ended(entry)
            return
        if refusal:
            slot.conclude(slot.output, refusal)
            slot.enter(State.FAILED, self._clock())
        slot.keep()
        if slot.state is State.DONE:
            self._grade(entry.job, slot)

    def _grade(self, job: Job, slot: Slot) -> None:
        cell, experiment = slot.cell, job.run.experiment
        if 0 <= cell.input < len(experiment.inputs) and checks_of(experiment, experiment.inputs[cell.input]):
            result = slot.result()
            self.grader.add(
                Ungraded(owner=job.owner, run_id=job.run.id, experiment=experiment, cell=cell, result=result)
            )

    def _ended(self, entry: Entry) -> None:
        job = entry.job
        if entry.epoch == job.epoch and isinstance(entry.result, State):
            job.ended, job.ended_at = entry.result, self._clock()
        ended = [other.run.id for other in self.jobs.values() if other.ended]
        for run_id in ended[: max(0, len(ended) - self._keep)]:
            del self.jobs[run_id]
