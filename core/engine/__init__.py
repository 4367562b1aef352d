"""The engine: many visitors' runs on few models, with fair turns, cancel, deadlines and snapshots.

    submit -> sink.begin -> queue -> lane: open the model, batch, events -> writer: sink.finish, sink.end -> final
                                                                            grader: sink.graded

Two lanes: local models on one thread (a CPU model uses all cores), remote ones on several, so that neither waits for
the other. Pages only watch: they poll `snapshot`, and every call is checked against the owner.

The engine knows nothing of Streamlit, nor of what a token is, nor where results are kept: it is given a sink, a
function that opens models, and a clock. This file is one class: all that pages call, with what it says when it refuses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from core import catalog
from core.engine.admission import Admission
from core.engine.jobs import Job, Slot
from core.engine.lanes import Abandoned, Lane, Opener
from core.engine.ledger import Ledger
from core.engine.queueing import Throughput, estimate, turns
from core.engine.writer import MAX_UNWRITTEN, Sink
from core.errors import Busy, DiptychError, HistoryUnavailable, InvalidInput, NotFound, UnknownModel
from core.settings import Secrets, Settings
from core.types import Cell, CellResult, ModelSpec, Run, Snapshot, State

__all__ = ["Abandoned", "Engine", "Opener", "Sink"]


class Engine:
    """Runs submitted runs.

    Args:
        open_model: opens a model; see `Opener`.
        sink: where every run and every final cell is kept; see `Sink`.
        settings: limits, deadlines in seconds.
        clock: seconds that never go backwards.
        lookup: the catalog row of a model id; raises UnknownModel.
        remote_threads: how many remote answers are awaited at a time.
        keep: how many ended runs stay in memory, for pages that still watch them.
        unwritten_bytes: how many bytes of results may wait for the sink before no new work begins.
    """

    def __init__(
        self,
        open_model: Opener,
        sink: Sink,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        *,
        lookup: Callable[[str], ModelSpec] = catalog.spec,
        remote_threads: int = 4,
        keep: int = 50,
        unwritten_bytes: int = MAX_UNWRITTEN,
    ) -> None:
        self._sink = sink
        self._settings = settings
        self._clock = clock
        self._lookup = lookup
        self._throughput = Throughput()
        self._ledger = Ledger(sink, settings, clock, keep, unwritten_bytes)
        self._changed = self._ledger.changed
        self._threads = {True: 1, False: remote_threads}
        self._admission = Admission(settings, self._throughput, self._threads)
        self._lanes = {
            local: Lane(
                local, threads, self._ledger, self._throughput, open_model=open_model, lookup=lookup, clock=clock
            )
            for local, threads in self._threads.items()
        }

    def submit(self, owner: str, run: Run, secrets: Secrets) -> str:
        """Queue a run and return its id. Submitting the same run again changes nothing.

        The keys are kept in memory until the run's last cell is final, and are given to nobody but `open_model`.

        Raises:
            InvalidInput: no cells, more than settings.max_cells, or two with one index.
            Busy: too many runs wait, of this owner or in all, or other owners' runs would hold this one up for longer
                than settings.max_wait_seconds; nothing was kept.
            HistoryUnavailable: the sink refused the run; nothing was kept.
        """
        return self._take(owner, run, secrets, {})

    def resume(
        self,
        owner: str,
        run: Run,
        results: Mapping[int, CellResult],
        secrets: Secrets,
        cells: Collection[int] | None = None,
    ) -> str:
        """Go on with a run that has left the memory, as after a restart: only what has no answer runs.

        Args:
            run: the run as it was submitted, all its cells.
            results: what the history has of its cells, by index.
            cells: which cells to run; None: all that are not done. Cells that are done stay as they are.

        Raises:
            InvalidInput: as for `submit`; or every one of the cells has its answer.
            NotFound: no such cell in the run.
            Busy, HistoryUnavailable: as for `submit`.
        """
        self._check(run)
        chosen = {cell.index for cell in run.cells} if cells is None else set(cells)
        if unknown := chosen - {cell.index for cell in run.cells}:
            raise NotFound(f"This run has no cell {min(unknown)}.")
        done = {index: result for index, result in results.items() if result.state is State.DONE}
        if not chosen - set(done):
            raise InvalidInput("Every cell of this run has its answer; run the experiment again to get others.")
        with self._changed:
            job = self._ledger.jobs.get(run.id)
            if job is not None and job.owner == owner:
                self._reopen(job, [job.slots[index] for index in chosen if index in job.slots], secrets)
                return run.id
        kept = {index: result for index, result in results.items() if index not in chosen or index in done}
        return self._take(owner, run, secrets, {index: result for index, result in kept.items() if result.state.final})

    def extend(self, owner: str, run: Run, results: Mapping[int, CellResult], secrets: Secrets) -> str:
        """Go on with a run that has ended and has more cells now: those that have an answer keep it, the others run.

        Args:
            run: the grown run under its own id, all its cells; those that it had before have the same coordinates.
            results: what there is of its cells, by their present indices.

        Raises:
            InvalidInput: as for `submit`; every cell has its answer; or the run is still going on.
            Busy, HistoryUnavailable: as for `submit`; the run then stays as it was.
        """
        done = {index: result for index, result in results.items() if result.state is State.DONE}
        if not {cell.index for cell in run.cells} - set(done):
            raise InvalidInput("Every cell of this run has its answer; add inputs or samples first.")
        with self._changed:
            before = self._ledger.jobs.get(run.id)
            if before is not None and before.ended is None:
                raise InvalidInput("This run is still going on. Wait for its end, or stop it, before you extend it.")
        return self._take(owner, run, secrets, done, before)

    def snapshot(self, run_id: str, owner: str) -> Snapshot:
        """The run as it is now: immutable, and the same object as last time when nothing visible changed.

        A cell is shown as final only once the sink has it; until then as running, with its text and a note.

        Raises:
            NotFound: no such run here for this owner; it may be in the history.
        """
        with self._changed:
            job = self._find(run_id, owner)
            return self._picture(job)

    def wait(self, run_id: str, owner: str, seconds: float) -> Snapshot:
        """The run's snapshot once it has ended and all of it is written, or as it is after `seconds`. For scripts.

        Raises:
            NotFound: as for `snapshot`.
        """
        with self._changed:
            job = self._find(run_id, owner)
            self._changed.wait_for(lambda: job.ended is not None, seconds)
            return self._picture(job)

    def cancel(self, run_id: str, owner: str, cell: int | None = None) -> None:
        """Stop a run, or one cell of it. What it has so far is kept; doing it twice, or too late, changes nothing.

        Raises:
            NotFound: no such run here for this owner, or no such cell in it.
        """
        with self._changed:
            job = self._find(run_id, owner)
            slots = list(job.slots.values()) if cell is None else [self._slot(job, cell)]
            job.cancelled = job.cancelled or (cell is None and job.unfinished())
            for slot in slots:
                self._ledger.cancel(job, slot)

    def retry(self, run_id: str, owner: str, cell: int, secrets: Secrets) -> None:
        """Put a cell that got no answer back into the queue. One that is under way stays as it is.

        Raises:
            NotFound: as for `cancel`; `resume` takes a run that has left the memory.
            InvalidInput: the cell has its answer.
            Busy: as for `submit`.
        """
        with self._changed:
            job = self._find(run_id, owner)
            slot = self._slot(job, cell)
            if slot.state is State.DONE:
                raise InvalidInput("This cell has its answer; run the experiment again to get another one.")
            self._reopen(job, [slot], secrets)

    def active(self, owner: str) -> tuple[str, ...]:
        """Ids of this owner's runs that have not ended, oldest first."""
        with self._changed:
            return tuple(job.run.id for job in self._ledger.unfinished() if job.owner == owner)

    def change_owner(self, owner: str, to: str) -> None:
        """Give all runs of an owner to another: two that turned out to be one."""
        with self._changed:
            for job in self._ledger.jobs.values():
                if job.owner == owner:
                    job.owner = to
                    for lane in self._lanes.values():
                        lane.rotation.arrive(to)

    def speed(self, model: str) -> float | None:
        """Generated tokens per second, all cells of a batch together: median of the recent batches. None: unknown."""
        with self._changed:
            return self._throughput.speed(model)

    def close(self, seconds: float = 5.0) -> None:
        """Interrupt everything, write it, and end the threads, within about `seconds` per thread."""
        with self._changed:
            self._ledger.interrupt()
        self._ledger.close(seconds)
        for lane in self._lanes.values():
            lane.join(seconds)

    def _check(self, run: Run) -> None:
        if not run.cells:
            raise InvalidInput("There is nothing to run: give at least one prompt, one model and one sample.")
        if len(run.cells) > self._settings.max_cells:
            raise InvalidInput(
                f"This run has {len(run.cells)} cells; at most {self._settings.max_cells} are allowed. "
                "Use fewer variants, models, inputs or samples."
            )
        if len({cell.index for cell in run.cells}) < len(run.cells):
            raise InvalidInput("Two cells of this run have the same index.")

    def _is_local(self, cell: Cell) -> bool:
        try:
            return self._lookup(cell.model).local
        except UnknownModel:  # its lane will meet the same error and say it in the cell
            return False

    def _take(
        self,
        owner: str,
        run: Run,
        secrets: Secrets,
        results: Mapping[int, CellResult],
        before: Job | None = None,
    ) -> str:
        """Let a run begin, or go on with what there is of it; `before` is the ended job whose place it takes."""
        self._check(run)
        now = self._clock()
        slots = {cell.index: self._new_slot(cell, results.get(cell.index), now) for cell in run.cells}
        job = Job(run=run, owner=owner, secrets=dict(secrets), submitted=now, touched=now, slots=slots)
        with self._changed:
            other = self._ledger.jobs.get(run.id)
            if other is not None and (other is not before or other.owner != owner):
                return _same(other, owner)
            self._admit(job)
            self._ledger.put(job)
        self._begin(job, before)
        self._enqueue(job)
        return run.id

    def _new_slot(self, cell: Cell, result: CellResult | None, now: float) -> Slot:
        slot = Slot(cell=cell, local=self._is_local(cell), since=now)
        if result is not None:
            slot.restore(result)
        return slot

    def _reopen(self, job: Job, slots: list[Slot], secrets: Secrets) -> None:
        """Put cells without an answer, whose end is written, back into the queue."""
        again = [slot for slot in slots if slot.kept and slot.state is not State.DONE]
        if not again:
            return
        if not job.unfinished():
            self._admit(job)
        for slot in again:
            job.reopen(slot, secrets, self._clock())
        self._enqueue(job)

    def _admit(self, job: Job) -> None:
        jobs = self._ledger.unfinished()
        for other in jobs:
            self._ledger.expire(other)
        if self._ledger.closing:
            raise Busy("The server is closing down. Try again in a minute.")
        if self._ledger.writer.full:
            raise Busy(f"{self._ledger.writer.note} Try again when the history can be written.")
        self._admission.check(job, jobs, self._clock())

    def _begin(self, job: Job, before: Job | None) -> None:
        try:
            self._sink.begin(job.owner, job.run)
        except BaseException as error:
            with self._changed:
                del self._ledger.jobs[job.run.id]
                if before is not None:
                    self._ledger.put(before)
            if isinstance(error, DiptychError) or not isinstance(error, Exception):
                raise
            raise HistoryUnavailable(f"The run could not be written down ({type(error).__name__}).") from error

    def _enqueue(self, job: Job) -> None:
        with self._changed:
            job.accepted = True
            if self._ledger.closing:
                self._ledger.interrupt()
            for lane in self._lanes.values():
                lane.rotation.arrive(job.owner)
            self._changed.notify_all()

    def _find(self, run_id: str, owner: str) -> Job:
        job = self._ledger.jobs.get(run_id)
        if job is None or job.owner != owner:
            raise NotFound("This run is not here any more. Look for it in the history.")
        return job

    def _slot(self, job: Job, cell: int) -> Slot:
        if cell not in job.slots:
            raise NotFound(f"This run has no cell {cell}.")
        return job.slots[cell]

    def _picture(self, job: Job) -> Snapshot:
        self._ledger.expire(job)
        stalled = self._ledger.writer.full and any(job.left(local) for local in self._lanes)
        note = self._ledger.writer.note if stalled else ""
        return job.snapshot(self._position(job), self._eta(job), self._clock(), note)

    def _position(self, job: Job) -> int:
        first = next((slot for slot in job.slots.values() if not slot.final), None)
        if job.started or first is None:
            return 0
        queue = turns(self._ledger.unfinished(), self._lanes[first.local].rotation, first.local)
        return queue.index(job) if job in queue else 0

    def _eta(self, job: Job) -> float | None:
        if job.ended:
            return 0.0
        return estimate(job, self._ledger.unfinished(), self._throughput, self._clock(), self._threads)


def _same(job: Job, owner: str) -> str:
    if job.owner != owner:
        raise InvalidInput("This run cannot be submitted again. Run the experiment anew.")
    return job.run.id
