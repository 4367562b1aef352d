"""Which runs the engine takes: as many as can be served within a stated wait. Callers hold the ledger's lock."""

from __future__ import annotations

from core.engine.jobs import Job
from core.engine.queueing import Throughput, estimate, waiting_time
from core.errors import Busy
from core.settings import Settings
from core.text import duration


class Admission:
    """Takes a run or refuses it, with a sentence that says when to come back.

    A run is refused when other owners' runs would hold it up for longer than settings.max_wait_seconds. Turns are
    shared fairly, so a small run waits little behind large ones, and is queued where a large one is refused. While
    nothing is measured nobody knows the wait, and only the numbers of waiting runs count.

    Args:
        threads: how many batches run side by side, by lane (True: local).
    """

    def __init__(self, settings: Settings, throughput: Throughput, threads: dict[bool, int]) -> None:
        self._settings = settings
        self._throughput = throughput
        self._threads = threads

    def check(self, job: Job, jobs: list[Job], now: float) -> None:
        """Whether `job` may join the unfinished `jobs`, of which it may be one.

        Raises:
            Busy: it may not.
        """
        jobs = [other for other in jobs if other is not job]
        waiting = [other for other in jobs if not other.started and other.unfinished()]
        mine = [other for other in waiting if other.owner == job.owner]
        if len(mine) >= self._settings.max_waiting_per_owner:
            ahead = self._room([other for other in jobs if other.owner == job.owner], now)
            raise Busy(
                f"You have {len(mine)} runs waiting. Cancel one, or wait until one begins{_about(ahead)}.", ahead
            )
        if len(waiting) >= self._settings.max_waiting:
            ahead = self._room(jobs, now)
            raise Busy(f"{len(waiting)} runs wait here already. Try again when one has begun{_about(ahead)}.", ahead)
        self._check_wait(waiting_time(job, [*jobs, job], self._throughput, now, self._threads))

    def _check_wait(self, wait: float | None) -> None:
        limit = self._settings.max_wait_seconds
        if wait is not None and wait > limit:
            raise Busy(
                f"Other visitors' runs would hold this one up for about {duration(wait)}; a run is queued here for up "
                f"to {duration(limit)}. Come back in about {duration(wait - limit)}, or run fewer cells.",
                wait - limit,
            )

    def _room(self, jobs: list[Job], now: float) -> float | None:
        """Seconds until the first of these ends, as far as is known."""
        ends = [estimate(job, jobs, self._throughput, now, self._threads) for job in jobs]
        return min((end for end in ends if end is not None), default=None)


def _about(seconds: float | None) -> str:
    return "" if seconds is None else f", in about {duration(seconds)}"
