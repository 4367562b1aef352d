"""A measured share with its confidence interval. Knows nothing of what was measured."""

import math
from dataclasses import dataclass

from core.statistics import wilson


@dataclass(frozen=True)
class Result:
    """One line of a table: ``hits`` of ``n`` items (``what``), by a ``measure``.

    For pass@k, ``hits`` is the sum of the tasks' estimates, and the interval is Wilson's over tasks (rounded to whole
    ones), since samples of one task are not independent.
    """

    what: str
    measure: str
    hits: float
    n: int

    @property
    def share(self) -> float:
        return self.hits / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high) of Wilson's 95 % interval."""
        interval = wilson(round(self.hits), self.n)
        return interval.low, interval.high


def pass_at(k: int, samples: int, correct: int) -> float:
    """The unbiased estimate of the chance that one of ``k`` samples is right.

    Source: Chen et al. 2021, Evaluating Large Language Models Trained on Code.
    """
    return 1 - math.comb(samples - correct, k) / math.comb(samples, k)
