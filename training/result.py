"""A measured share, and how sure it is. Knows nothing of what was measured."""

import math
from dataclasses import dataclass

from core.stats import wilson


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
        return wilson(round(self.hits), self.n)


def pass_at(k: int, samples: int, right: int) -> float:
    """The unbiased estimate of the chance that one of ``k`` samples is right.

    Source: Chen et al. 2021, Evaluating Large Language Models Trained on Code.
    """
    return 1 - math.comb(samples - right, k) / math.comb(samples, k)
