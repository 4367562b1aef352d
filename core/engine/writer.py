"""Writes results to the sink, on a thread of its own, and keeps what the sink cannot take at once.

A run's entries are written in order, one run's after another's in turn, so that a run whose entry fails holds up no
other. An entry that the sink cannot take for now is tried again, at longer and longer intervals, for as long as the
process lives; what waits is counted in bytes, and the engine takes no new work while there is too much of it. Knows
nothing of models or lanes.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Protocol

from core.engine.grading import GradeSink
from core.engine.jobs import Job, Slot, size
from core.errors import DiptychError, HistoryUnavailable
from core.text import in_words
from core.types import Cell, CellResult, Run, State

log = logging.getLogger(__name__)

MAX_UNWRITTEN = 64 * 2**20
"""Bytes of results that may wait to be written before the engine takes no new work."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts to write the same entry: the first pause, which doubles, and the longest."""

WAITING = "finished, waiting to be written"
"""What a cell is called whose result the sink could not take at once."""

ATTEMPTS = 4
"""How often an entry is tried that fails for another reason than that the history is unavailable."""


class Sink(GradeSink, Protocol):
    """Where runs go to be kept. Every method returns once what it was given is committed.

    `finish` is called once for every time that a cell becomes final, and again after it raised. After a retry, a cell
    of a run that had ended is finished again, and the run ended again: the last call counts.
    """

    def begin(self, owner: str, run: Run) -> None: ...

    def finish(self, run: Run, cell: Cell, result: CellResult) -> None: ...

    def end(self, run_id: str, state: State) -> None: ...


@dataclass(slots=True, eq=False)
class Entry:
    """Something to write: a cell's final result, or without a slot the end of a run."""

    job: Job
    epoch: int
    slot: Slot | None
    result: CellResult | State
    bytes: int = 0


@dataclass(slots=True, eq=False)
class Line:
    """One run's entries, in order; `due` is when the first may be tried, in seconds of time.monotonic."""

    entries: deque[Entry] = field(default_factory=deque)
    failures: int = 0
    due: float = 0.0


class Writer:
    """The queue of what is to be written, and the thread that writes it.

    Args:
        changed: the engine's lock; callers of every method but `close` hold it.
        written: called with the lock held when the sink has an entry, or has refused it for good (with the sentence).
        limit: bytes above which `full` is true.
    """

    def __init__(
        self, sink: Sink, changed: Condition, written: Callable[[Entry, str], None], limit: int = MAX_UNWRITTEN
    ) -> None:
        self._sink = sink
        self._changed = changed
        self._written = written
        self.limit = limit
        self._lines: dict[str, Line] = {}
        self._bytes = 0
        self._deadline: float | None = None
        self._thread = Thread(target=self._serve, name="diptych-writer", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether so much waits to be written that no new work should begin."""
        return self._bytes >= self.limit

    @property
    def note(self) -> str:
        """Why no new work begins, while `full`."""
        limit = in_words(self.limit)
        return f"Finished answers wait to be written and fill the {limit} kept for them, so nothing new begins."

    def add_result(self, job: Job, slot: Slot) -> None:
        result = slot.outcome()
        self._add(Entry(job, job.epoch, slot, result, size(result)))
        if job.trouble:
            slot.hold(WAITING)

    def add_end(self, job: Job) -> None:
        self._add(Entry(job, job.epoch, None, job.outcome()))

    def close(self, seconds: float) -> None:
        """Write what waits, for at most this long."""
        with self._changed:
            self._deadline = time.monotonic() + seconds
            self._changed.notify_all()
        self._thread.join(seconds + 0.5)

    def _add(self, entry: Entry) -> None:
        self._lines.setdefault(entry.job.run.id, Line()).entries.append(entry)
        self._bytes += entry.bytes
        self._changed.notify_all()

    def _serve(self) -> None:
        while (entry := self._next()) is not None:
            error: Exception | None = None
            try:
                self._write(entry)
            except Exception as raised:
                error = raised
            with self._changed:
                if error is None or self._hopeless(entry, error):
                    self._remove(entry, error)
                else:
                    self._postpone(entry, error)
                self._changed.notify_all()

    def _next(self) -> Entry | None:
        """The first entry of the run whose turn it is; None once the writer is closed and nothing is left to try."""
        with self._changed:
            while True:
                now = time.monotonic()
                if self._deadline is not None and (not self._lines or now >= self._deadline):
                    self._report_loss()
                    return None
                due = [line for line in self._lines.values() if line.due <= now]
                if due:
                    return due[0].entries[0]
                events = [line.due for line in self._lines.values()]
                events += [] if self._deadline is None else [self._deadline]
                self._changed.wait(max(0.0, min(events) - now) if events else None)

    def _write(self, entry: Entry) -> None:
        run = entry.job.run
        if entry.slot is not None and isinstance(entry.result, CellResult):
            self._sink.finish(run, entry.slot.cell, entry.result)
        elif isinstance(entry.result, State):
            self._sink.end(run.id, entry.result)

    def _hopeless(self, entry: Entry, error: Exception) -> bool:
        """Whether no later attempt can succeed: the run is gone, or a mistake of ours that does not pass."""
        if isinstance(error, HistoryUnavailable):
            return False
        log.error("a result of run %s was not written: %s", entry.job.run.id, type(error).__name__)
        return isinstance(error, DiptychError) or self._lines[entry.job.run.id].failures + 1 >= ATTEMPTS

    def _remove(self, entry: Entry, error: Exception | None) -> None:
        job = entry.job
        line = self._lines.pop(job.run.id)
        line.entries.popleft()
        self._bytes -= entry.bytes
        line.failures, line.due = 0, 0.0
        if error is None:
            job.trouble = job.lost
        else:
            job.trouble = job.lost = f"The history could not keep all of this run; save what you need. {_reason(error)}"
        if line.entries:
            self._lines[job.run.id] = line  # behind the other runs
        self._written(entry, "" if error is None else f"The history could not keep this. {_reason(error)}")

    def _postpone(self, entry: Entry, error: Exception) -> None:
        """Try again later. Nothing is dropped: the run goes on, and its snapshot says what it waits for."""
        line = self._lines.pop(entry.job.run.id)
        self._lines[entry.job.run.id] = line
        pause = min(FIRST_PAUSE * 2**line.failures, LONGEST_PAUSE if self._deadline is None else FIRST_PAUSE)
        line.failures, line.due = line.failures + 1, time.monotonic() + pause
        entry.job.trouble = f"Finished answers wait to be written. {_reason(error)}"
        for waiting in line.entries:
            if waiting.slot is not None:
                waiting.slot.hold(WAITING)

    def _report_loss(self) -> None:
        for run_id, line in self._lines.items():
            log.error("%d results of run %s could not be written before the end", len(line.entries), run_id)


def _reason(error: Exception) -> str:
    """What a person reads. An unexpected error gives its class only: its text may quote a prompt."""
    return str(error) if isinstance(error, DiptychError) else f"It failed with {type(error).__name__}."
