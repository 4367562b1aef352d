"""How long checks may take: one, those of an answer, those of an experiment, those of an owner.

Only checks whose time a person decides count (core.checks.isolated): patterns, schemas, parsed code. Thread-safe.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock

CHECK_SECONDS = 1.0
CELL_SECONDS = 3.0
EXPERIMENT_SECONDS = 10.0
OWNER_SECONDS = 30.0
REFILL = 0.1
"""Seconds of one check, of an answer's, an experiment's and an owner's checks together. What experiment and owner spent
comes back at REFILL seconds a second."""


class Budget:
    """Seconds left for checks. What is spent from it is spent from its parents too.

    Args:
        whose: completes "the checks of ..." in the sentence for checks that it has no time for.
        refill: seconds that come back in each second.
    """

    def __init__(
        self,
        seconds: float,
        whose: str,
        *parents: Budget,
        refill: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._left, self._refill = seconds, seconds, refill
        self._whose, self._parents = whose, parents
        self._clock, self._at = clock, clock()
        self._lock = Lock()

    def left(self) -> float:
        """Seconds that a check may take now: the least of this budget's and its parents'."""
        return min([self._own(), *(parent.left() for parent in self._parents)])

    def spend(self, seconds: float) -> None:
        with self._lock:
            self._left = self._refilled() - seconds
            self._at = self._clock()
        for parent in self._parents:
            parent.spend(seconds)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Spend as long as the block takes."""
        began = self._clock()
        try:
            yield
        finally:
            self.spend(self._clock() - began)

    def shortest(self) -> Budget:
        """The one of this budget and its parents that has the least left."""
        return min([self, *self._parents], key=lambda budget: budget._own())

    @property
    def refills(self) -> bool:
        return self._refill > 0

    @property
    def reason(self) -> str:
        """Why there is no time left for a check."""
        return f"not judged: the checks of {self._whose} took {self._most:g} s in all; simplify the slow ones"

    def full(self) -> bool:
        return self._own() >= self._most

    def _own(self) -> float:
        with self._lock:
            return self._refilled()

    def _refilled(self) -> float:
        return min(self._most, self._left + (self._clock() - self._at) * self._refill)


class Budgets:
    """A budget for each key, such as an owner or an experiment; whole ones are forgotten when there are many."""

    def __init__(self, seconds: float, whose: str, *, refill: float = REFILL, most: int = 1_000) -> None:
        self._seconds, self._whose, self._refill, self._most = seconds, whose, refill, most
        self._budgets: OrderedDict[Hashable, Budget] = OrderedDict()
        self._lock = Lock()

    def of(self, key: Hashable) -> Budget:
        with self._lock:
            if key not in self._budgets:
                self._forget()
                self._budgets[key] = Budget(self._seconds, self._whose, refill=self._refill)
            self._budgets.move_to_end(key)
            return self._budgets[key]

    def _forget(self) -> None:
        """Make room: of budgets that are whole, since forgetting those changes nothing; else of the oldest."""
        if len(self._budgets) < self._most:
            return
        whole = [key for key, budget in self._budgets.items() if budget.full()]
        for key in whole or [next(iter(self._budgets))]:
            del self._budgets[key]


def of_experiments() -> Budgets:
    return Budgets(EXPERIMENT_SECONDS, "this experiment")


def of_owners() -> Budgets:
    """The accounting of what each owner's checks take, for whoever grades on behalf of many."""
    return Budgets(OWNER_SECONDS, "this visitor's runs")
