"""A run on its way through the engine: the state, text and result of each of its cells.

A Job is plain mutable data. It knows nothing of threads, queues or models: whoever touches one holds the ledger's lock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from core.settings import Secrets
from core.types import Cell, CellResult, Output, Progress, Run, Snapshot, State


@dataclass(slots=True, eq=False, kw_only=True)
class Slot:
    """One cell and how far it has come.

    `since` is when its state was entered, in clock seconds; `share` how many cells its batch has; `stop` the state it
    shall end in, once somebody cancelled it (CANCELLED) or its time is up (TIMEOUT), and `stop_since` when that was.
    `kept`: the sink has committed the final state. Until then `result` shows the cell as running.
    """

    cell: Cell
    local: bool
    since: float
    state: State = State.QUEUED
    share: int = 1
    text: str = ""
    tokens: int = 0
    fraction: float = 0.0
    note: str = ""
    preview: bytes = b""
    output: Output | None = None
    error: str = ""
    error_kind: str = ""
    stop: State | None = None
    stop_since: float = 0.0
    kept: bool = False
    _result: CellResult | None = None

    @property
    def final(self) -> bool:
        return self.state.final

    def write(self, text: str, tokens: int) -> None:
        """More of the answer, which has `tokens` tokens by now."""
        self.text += text
        self.tokens = max(self.tokens, tokens)
        self._result = None

    def advance(self, progress: Progress) -> None:
        """How far something without text has come."""
        self.fraction = min(1.0, progress.done / progress.total) if progress.total > 0 else 0.0
        self.note, self.preview = progress.note, progress.preview or self.preview
        self._result = None

    def enter(self, state: State, now: float) -> None:
        self.state, self.since = state, now
        self._result = None

    def conclude(self, output: Output | None, error: str, error_kind: str = "") -> None:
        if output is not None:
            self.output, self.text, self.tokens = output, output.text, output.output_tokens
        self.error, self.error_kind = error, error_kind
        self.fraction, self.note, self.preview = 0.0, "", b""
        self._result = None

    def restore(self, result: CellResult) -> None:
        """Take over a final result that the sink has already."""
        self.text, self.tokens, self.output = result.text, result.tokens, result.output
        self.error, self.error_kind = result.error, result.error_kind
        self.state = result.state
        self.keep()

    def keep(self) -> None:
        """The sink has the final state, so `result` may show it."""
        self.kept, self.note = True, ""
        self._result = None

    def hold(self, note: str) -> None:
        """The final state waits to be written; `note` says why."""
        self.note = note
        self._result = None

    def outcome(self) -> CellResult:
        """The cell as it is: what the sink is given."""
        return CellResult(
            index=self.cell.index,
            state=self.state,
            text=self.text,
            tokens=self.tokens,
            output=self.output,
            error=self.error,
            error_kind=self.error_kind,
            fraction=self.fraction,
            note=self.note,
            preview=self.preview,
        )

    def result(self) -> CellResult:
        """The cell as a page may see it: final only once the sink has it, and running, with its text, until then.

        The same object as long as nothing changed, so that comparing is cheap.
        """
        if self._result is None:
            self._result = self.outcome() if self.kept or not self.final else self._unwritten()
        return self._result

    def _unwritten(self) -> CellResult:
        images = self.output.images if self.output else ()
        return CellResult(
            index=self.cell.index,
            state=State.RUNNING,
            text=self.text,
            tokens=self.tokens,
            fraction=1.0,
            note=self.note or "saving",
            preview=images[0] if images else b"",
        )


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """A submitted run. `touched` is when it last got or ended a turn; `ended` its state once the sink has its end.

    `started` is false while the run waits for its first turn (after a retry: its next one). `epoch` counts the retries,
    so that the end of an earlier attempt is not taken for the end of this one. What can be counted is kept counted:
    pages ask several times a second, and a run may have hundreds of cells. `trouble` says why results are not written
    yet, or could not be (then `lost` says it too, and stays).
    """

    run: Run
    owner: str
    secrets: Secrets
    submitted: float
    touched: float
    slots: dict[int, Slot]
    accepted: bool = False
    started: bool = False
    cancelled: bool = False
    epoch: int = 0
    ended: State | None = None
    ended_at: float = 0.0
    loading: Progress | None = None
    trouble: str = ""
    lost: str = ""
    active: dict[int, Slot] = field(default_factory=dict)
    _queued: dict[bool, dict[int, Slot]] = field(init=False)
    _last: Snapshot | None = None

    def __post_init__(self) -> None:
        self._line_up()

    def enter(self, slot: Slot, state: State, now: float) -> None:
        """Move a cell on. There is no way back into the queue but `reopen`."""
        index = slot.cell.index
        self._queued[slot.local].pop(index, None)
        self.active.pop(index, None)
        slot.enter(state, now)
        if not state.final:
            self.active[index] = slot

    def reopen(self, slot: Slot, secrets: Secrets, now: float) -> None:
        """Put a final cell back into the queue; a run that had come to its end waits for a turn again.

        It gets a new slot: the batch that the old one was in may still be running, and has no say in the new attempt.
        """
        if not self.unfinished():
            self.started, self.submitted, self.touched = False, now, now
        self.secrets, self.ended, self.cancelled = dict(secrets), None, False
        self.epoch += 1
        self.slots[slot.cell.index] = Slot(cell=slot.cell, local=slot.local, since=now)
        self._line_up()

    def follow(self, before: Job) -> None:
        """Take the place of an earlier job of the same run: no snapshot has a version that another had."""
        self._last = before._last

    def waiting(self, local: bool, model: str | None = None) -> Iterator[Slot]:
        """Cells that a lane may take, in the run's order; of one model where it is named."""
        for slot in self.queued(local) if self.accepted else ():
            if model in (None, slot.cell.model):
                yield slot

    def queued(self, local: bool) -> Iterator[Slot]:
        """Cells that wait for a lane, whether the run was accepted yet or not."""
        yield from self._queued[local].values()

    def left(self, local: bool) -> bool:
        """Whether the lane still has something to do for this run."""
        return bool(self._queued[local]) or any(slot.local == local for slot in self.active.values())

    def unfinished(self) -> bool:
        return self.left(True) or self.left(False)

    def outcome(self) -> State:
        """The state of the whole, once every cell is final: done if any cell is, unless the run was cancelled."""
        states = {slot.state for slot in self.slots.values()}
        if State.INTERRUPTED in states:
            return State.INTERRUPTED
        if self.cancelled and State.CANCELLED in states:
            return State.CANCELLED
        return next(state for state in (State.DONE, State.TIMEOUT, State.FAILED, State.CANCELLED) if state in states)

    def state(self) -> State:
        if self.ended:
            return self.ended
        if self.active:
            loading = all(slot.state is State.LOADING for slot in self.active.values())
            return State.LOADING if loading else State.RUNNING
        return State.RUNNING if self.started or not self.unfinished() else State.QUEUED

    def snapshot(self, position: int, eta: float | None, now: float, note: str = "") -> Snapshot:
        """The present, or the very snapshot given last time when it looks the same. `note` is the engine's own.

        Elapsed time and estimate are in whole seconds while the run goes on: a page that polls several times a second
        redraws only when there is something to see.
        """
        fresh = Snapshot(
            run_id=self.run.id,
            experiment=self.run.experiment,
            version=self._last.version if self._last else 0,
            state=self.state(),
            cells=tuple(slot.result() for slot in self.slots.values()),
            position=position,
            eta=eta if eta is None else math.ceil(eta),
            elapsed=self._elapsed(now),
            note=" ".join(part for part in (self.loading.note if self.loading else "", note, self.trouble) if part),
            progress=self._progress(),
        )
        if fresh != self._last:
            self._last = replace(fresh, version=fresh.version + 1)
        return self._last or fresh

    def _elapsed(self, now: float) -> float:
        if self.ended:
            return max(0.0, self.ended_at - self.submitted)
        return float(math.floor(max(0.0, now - self.submitted)))

    def _progress(self) -> float | None:
        """The share of the load while a model is loading, else of the run's cells; None where a load does not say."""
        if self.loading:
            return min(1.0, self.loading.done / self.loading.total) if self.loading.total > 0 else None
        queued = len(self._queued[True]) + len(self._queued[False])
        going = sum(1.0 - slot.fraction for slot in self.active.values())
        return 1.0 - (queued + going) / len(self.slots)

    def _line_up(self) -> None:
        queued = [slot for slot in self.slots.values() if slot.state is State.QUEUED]
        self._queued = {
            local: {slot.cell.index: slot for slot in queued if slot.local == local} for local in (True, False)
        }


def size(result: CellResult) -> int:
    """Bytes that a result holds in memory, about."""
    output = result.output
    if output is None:
        return 1_000 + len(result.text)
    return 2_000 + 2 * len(output.text) + 100 * len(output.tokens) + sum(map(len, output.images)) + len(output.audio)
