"""Grades finished cells after they are written, on threads of its own.

Each thread grades one cell at a time, of the owner graded longest ago, and never two of one owner at once. So with
THREADS threads an owner waits for nobody while fewer others have cells to grade, and else for one cell of each: what
`grade` bounds a cell's checks to, times the owners that wait, divided by THREADS. Writing waits for no grading.

What is not graded when the process ends, and what is too much to hold, stays marked in the sink, which is asked for it
at the start and whenever there is nothing else to do.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from threading import Condition, Thread
from typing import Protocol

from core.checks import budget
from core.engine.jobs import size
from core.engine.queueing import Rotation
from core.errors import HistoryUnavailable
from core.experiment.grid import GridCell
from core.experiment.growth import Coordinates, coordinates
from core.experiment.scores import cell_score
from core.experiment.ungraded import Ungraded
from core.types import Cell

log = logging.getLogger(__name__)

Key = tuple[str, Coordinates]
"""A run's id and where the cell stands: its index changes when the run grows."""

THREADS = 2

MAX_HELD = 64 * 2**20
"""Bytes of answers that are held in memory until they are graded; the rest is read from the sink again."""

PAGE = 100
"""How many cells the sink is asked for at a time."""

PAUSE = 5.0
"""Seconds after which a sink is asked again that failed or had nothing new."""


class GradeSink(Protocol):
    """Where grades are kept, and which cells still lack one."""

    def graded(self, run_id: str, cell: Cell | GridCell, passed: bool | None) -> None: ...

    def ungraded(self, limit: int) -> Sequence[Ungraded]: ...


class Grader:
    """A queue of finished cells for each owner, and the threads that grade them."""

    def __init__(self, sink: GradeSink, limit: int = MAX_HELD) -> None:
        self._sink = sink
        self._limit = limit
        self._changed = Condition()
        self._rotation = Rotation()
        self._queues: dict[str, deque[Ungraded]] = {}
        self._held: dict[Key, int] = {}
        self._busy: set[str] = set()
        self._failed: set[Key] = set()
        self._more = True
        self._ask_at = 0.0
        self._asking = self._closing = False
        self._threads = [Thread(target=self._serve, name=f"diptych-grader-{i}", daemon=True) for i in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def add(self, cell: Ungraded) -> None:
        """Grade a cell that was written, soon."""
        with self._changed:
            if _key(cell) in self._held:
                return
            if sum(self._held.values()) >= self._limit:
                self._more = True
            else:
                self._enqueue(cell)

    def close(self, seconds: float) -> None:
        """End the threads, within about this long; what is not graded is graded at the next start."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _enqueue(self, cell: Ungraded) -> None:
        self._queues.setdefault(cell.owner, deque()).append(cell)
        self._held[_key(cell)] = size(cell.result)
        self._rotation.arrive(cell.owner)
        self._changed.notify_all()

    def _serve(self) -> None:
        while (cell := self._next()) is not None:
            try:
                self._grade(cell)
            finally:
                with self._changed:
                    self._busy.discard(cell.owner)
                    self._held.pop(_key(cell), None)
                    self._changed.notify_all()

    def _next(self) -> Ungraded | None:
        """A cell of the owner whose turn it is; None once the grader is closed."""
        with self._changed:
            while not self._closing:
                free = [owner for owner in self._queues if owner not in self._busy]
                if free:
                    return self._take(self._rotation.order(free)[0])
                if not self._more or self._asking or self._held:
                    self._changed.wait()
                elif (pause := self._ask_at - time.monotonic()) > 0:
                    self._changed.wait(pause)
                else:
                    self._ask()
        return None

    def _take(self, owner: str) -> Ungraded:
        cell = self._queues[owner].popleft()
        if not self._queues[owner]:
            del self._queues[owner]
        self._busy.add(owner)
        self._rotation.serve(owner)
        return cell

    def _ask(self) -> None:
        """Fetch cells that the sink has and nobody holds; called with the lock held, which is let go meanwhile."""
        self._asking = True
        self._changed.release()
        try:
            cells = list(self._sink.ungraded(PAGE))
        except HistoryUnavailable:
            cells = None
        except Exception as error:
            log.error("cells to grade could not be read: %s", type(error).__name__)
            cells = None
        finally:
            self._changed.acquire()
            self._asking = False
        self._accept(cells)

    def _accept(self, cells: list[Ungraded] | None) -> None:
        fresh = [cell for cell in cells or () if _key(cell) not in self._held and _key(cell) not in self._failed]
        for cell in fresh:
            self._enqueue(cell)
        self._more = cells is None or len(cells) == PAGE
        if self._more and not fresh:
            self._ask_at = time.monotonic() + PAUSE

    def _grade(self, cell: Ungraded) -> None:
        try:
            passed = outcome(cell)
        except Exception as error:  # a mistake of ours; the cell stays ungraded, and its neighbours are graded
            log.error("cell %d of run %s was not graded: %s", cell.cell.index, cell.run_id, type(error).__name__)
            with self._changed:
                self._failed.add(_key(cell))
            return
        try:
            self._sink.graded(cell.run_id, cell.cell, passed)
        except Exception as error:  # the sink still has it as ungraded
            log.error("a grade of run %s was not written: %s", cell.run_id, type(error).__name__)
            with self._changed:
                self._more, self._ask_at = True, time.monotonic() + PAUSE


def outcome(cell: Ungraded) -> bool | None:
    """Whether the cell passes its checks, as the verdict counts it; None where nothing counts."""
    score = cell_score(cell.experiment, cell.cell, cell.result, _OWNERS.of(cell.owner))
    return None if score is None else score == 1.0


_OWNERS = budget.of_owners()
"""What each owner's checks have taken, over all runs of this process."""


def _key(cell: Ungraded) -> Key:
    return cell.run_id, coordinates(cell.cell)
