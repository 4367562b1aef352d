"""Whose turn it is, how long that takes, and what was measured.

Turns go round the owners, not the runs: between two batches the lane asks who was served longest ago. Knows nothing of
threads or models, and counts in clock seconds. Whoever calls holds the ledger's lock.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from statistics import median

from core.engine.jobs import Job, Slot
from core.types import State

REMEMBERED = 1_000
"""How many owners a rotation remembers."""

RECENT = 8
"""How many of a model's latest batches speak for its speed."""


class Rotation:
    """Round-robin over owners: the one served longest ago is next.

    Newcomers stand behind everybody but the owner served last. So one visitor's 72 cells let another's single cell in
    after one batch, and submitting single cells again and again wins no extra turns.
    """

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._turn = 0

    def arrive(self, owner: str) -> None:
        self._served.setdefault(owner, 2 * self._turn - 1)

    def serve(self, owner: str) -> None:
        self._turn += 1
        self._served.pop(owner, None)
        self._served[owner] = 2 * self._turn
        if len(self._served) > REMEMBERED:
            del self._served[next(iter(self._served))]

    def order(self, owners: Iterable[str]) -> list[str]:
        """Owners, next one first; equals stay in the order given."""
        return sorted(dict.fromkeys(owners), key=lambda owner: self._served.get(owner, 2 * self._turn - 1))


class Pace:
    """How quick each model has been: tokens per second of whole batches, and seconds per cell."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[tuple[float, float]]] = defaultdict(lambda: deque(maxlen=RECENT))
        self._cell_seconds: dict[str, float] = {}

    def record(self, model: str, cells: int, tokens: int, seconds: float) -> None:
        """Note a batch in which `cells` answers with `tokens` generated tokens in all took `seconds`."""
        if cells and seconds > 0:
            self._recent[model].append((tokens / seconds, seconds / cells))
            self._cell_seconds[model] = median(cell for _, cell in self._recent[model])

    def hint(self, model: str, done: int, share: int, seconds: float) -> None:
        """What the first batch of a model shows while it runs: so many of its `share` cells are done by now.

        Rows of a batch come along side by side, so the first ones done would make the others look far away.
        """
        if model not in self._recent and 4 * done >= share:
            self._cell_seconds[model] = seconds / done

    def speed(self, model: str) -> float | None:
        """Median generated tokens per second of the recent batches, None before the first or without tokens."""
        return median(speed for speed, _ in self._recent[model]) or None if model in self._recent else None

    def remaining(self, job: Job, local: bool, now: float) -> float:
        """Estimated seconds of the lane's time that a run still takes; infinite when a model was never measured."""
        waiting = Counter(slot.cell.model for slot in job.waiting(local))
        queued = sum(count * self._cell_seconds.get(model, math.inf) for model, count in waiting.items())
        active = [slot for slot in job.active.values() if slot.local == local]
        together = Counter(slot.since for slot in active)
        return queued + sum(self._rest(slot, now) / together[slot.since] for slot in active)

    def _rest(self, slot: Slot, now: float) -> float:
        """What is left of the batch that a cell runs in, or will run in alone."""
        spent = max(0.0, now - slot.since) if slot.state is State.RUNNING else 0.0
        return max(0.0, self._cell_seconds.get(slot.cell.model, math.inf) * slot.share - spent)


def turns(jobs: Iterable[Job], rotation: Rotation, local: bool) -> list[Job]:
    """Runs with waiting cells in the order in which they would get their first turn: each owner's oldest run, then
    each owner's second, and so on."""
    queues: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if next(job.waiting(local), None):
            queues[job.owner].append(job)
    rounds = range(max(map(len, queues.values()), default=0))
    order = rotation.order(queues)
    return [queues[owner][place] for place in rounds for owner in order if place < len(queues[owner])]


def estimate(job: Job, jobs: Iterable[Job], pace: Pace, now: float, threads: dict[bool, int]) -> float | None:
    """Seconds until a run ends, None when a model in it was never measured.

    Turns are shared fairly, so every other owner takes as much of a lane's time as this one does, or all it needs if
    that is less. Local and remote cells go on side by side (`threads` of each); the longer of the two counts.
    """
    jobs = list(jobs)
    longest = max(_lane_seconds(job, jobs, pace, now, local) / threads[local] for local in (True, False))
    return None if math.isinf(longest) else longest


def _lane_seconds(job: Job, jobs: list[Job], pace: Pace, now: float, local: bool) -> float:
    if not job.left(local):
        return 0.0
    work: dict[str, float] = defaultdict(float)
    before = True
    for other in jobs:
        if other.owner != job.owner or before:
            work[other.owner] += pace.remaining(other, local, now)
        before = before and other is not job
    mine = work.pop(job.owner, 0.0)
    return mine + sum(min(mine, theirs) for theirs in work.values())
