"""Whose turn it is, how long a run waits and takes, and the throughput that was measured.

Turns go round the owners, not the runs: between two batches the lane takes the owner served longest ago. Times are
clock seconds. Callers hold the ledger's lock. Knows nothing of threads or models.
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
"""How many of a model's latest batches count."""


class Rotation:
    """Round-robin over owners: the one served longest ago is next.

    Newcomers stand behind everybody but the owner served last. So one visitor's 72 cells let another's single cell in
    after one batch, and submitting single cells again and again gets no extra turns.
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


class Throughput:
    """The measured throughput of each model: tokens per second of whole batches, and seconds per cell."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[tuple[float, float]]] = defaultdict(lambda: deque(maxlen=RECENT))
        self._cell_seconds: dict[str, float] = {}

    def record(self, model: str, cells: int, tokens: int, seconds: float) -> None:
        """Note a batch in which `cells` answers with `tokens` generated tokens in all took `seconds`."""
        if cells and seconds > 0:
            self._recent[model].append((tokens / seconds, seconds / cells))
            self._cell_seconds[model] = median(cell for _, cell in self._recent[model])

    def hint(self, model: str, done: int, share: int, seconds: float) -> None:
        """A first guess from a model's first batch while it runs, of whose `share` cells `done` are done.

        Rows of a batch advance side by side, so the first few that end say too little.
        """
        if model not in self._recent and 4 * done >= share:
            self._cell_seconds[model] = seconds / done

    def speed(self, model: str) -> float | None:
        """Median generated tokens per second of the recent batches, None before the first or without tokens."""
        return median(speed for speed, _ in self._recent[model]) or None if model in self._recent else None

    def remaining(self, job: Job, local: bool, now: float) -> tuple[float, float]:
        """Estimated seconds of the lane's time that a run's queued cells and its active ones still take; infinite
        where a model was never measured."""
        waiting = Counter(slot.cell.model for slot in job.queued(local))
        queued = sum(count * self._cell_seconds.get(model, math.inf) for model, count in waiting.items())
        active = [slot for slot in job.active.values() if slot.local == local]
        together = Counter(slot.since for slot in active)
        return queued, sum(self._rest(slot, now) / together[slot.since] for slot in active)

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


def estimate(
    job: Job, jobs: Iterable[Job], throughput: Throughput, now: float, threads: dict[bool, int]
) -> float | None:
    """Seconds until a run ends, None when a model in it was never measured.

    Turns are shared fairly, so every other owner takes as much of a lane's time as this one does, or all it needs if
    that is less. Local and remote cells go on side by side (`threads` of each); the longer of the two counts.
    """
    jobs = list(jobs)
    lanes = {local: _lane_seconds(job, jobs, throughput, now, local) for local in (True, False)}
    longest = max((own + others) / threads[local] for local, (own, others) in lanes.items())
    return None if math.isinf(longest) else longest


def waiting_time(
    job: Job, jobs: Iterable[Job], throughput: Throughput, now: float, threads: dict[bool, int]
) -> float | None:
    """Seconds by which other owners' runs delay the end of this one, None when nothing that counts was measured."""
    jobs = list(jobs)
    longest = max(_lane_seconds(job, jobs, throughput, now, local)[1] / threads[local] for local in (True, False))
    return None if math.isinf(longest) else longest


def _lane_seconds(job: Job, jobs: list[Job], throughput: Throughput, now: float, local: bool) -> tuple[float, float]:
    """Seconds of a lane's time: what this owner takes up to the end of this run, and what others take meanwhile.

    While cells of this owner wait, every other owner ends the batch under way and gets as many turns as this one.
    """
    if not job.left(local):
        return 0.0, 0.0
    queued: dict[str, float] = defaultdict(float)
    active: dict[str, float] = defaultdict(float)
    before = True
    for other in jobs:
        if other.owner != job.owner or before:
            waiting, going = throughput.remaining(other, local, now)
            queued[other.owner] += waiting
            active[other.owner] += going
        before = before and other is not job
    mine, going = queued.pop(job.owner, 0.0), active.pop(job.owner, 0.0)
    ahead = sum(seconds for seconds in active.values() if mine and not math.isinf(seconds))
    return mine + going, ahead + sum(min(mine, theirs) for theirs in queued.values())
