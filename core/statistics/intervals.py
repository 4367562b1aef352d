"""Intervals for one rate: where the true value plausibly lies. Knows numbers only: not what passed, nor why.

numpy and scipy are imported when the first interval is asked for, so that the server starts without them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: its lower end.
        high: its upper end; always above `low`.
        level: how often intervals made this way hold the true value, such as 0.95.
    """

    low: float
    high: float
    level: float

    @property
    def width(self) -> float:
        return self.high - self.low

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high

    def within(self, margin: float) -> bool:
        """Whether the whole interval lies between -margin and +margin."""
        return -margin <= self.low and self.high <= margin


@dataclass(frozen=True)
class Rate:
    """A mean score with its interval.

    Attributes:
        mean: the mean over units of each unit's mean score.
        interval: where the true mean plausibly lies; inside the scores' bounds, never of zero width.
        units: inputs (or groups of inputs) with at least one finished answer.
        method: "Wilson", or "clustered Wilson" where a unit's score lies between the bounds.
    """

    mean: float
    interval: Interval
    units: int
    method: str


def check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InvalidInput("The confidence level must lie between 0 and 1, such as 0.95.")


def as_matrix(scores: ArrayLike, bounds: tuple[float, float] | None) -> Floats:
    """Scores as float64 of shape (inputs, samples); one score per input may come as a plain sequence. NaN is a gap.

    Raises:
        InvalidInput: another number of axes, an infinite score, or a score outside the bounds.
    """
    import numpy as np

    matrix = np.asarray(scores, dtype=np.float64)
    matrix = matrix.reshape(-1, 1) if matrix.ndim == 1 else matrix
    if matrix.ndim != 2:
        raise InvalidInput("Scores need the shape (inputs, samples).")
    if np.isinf(matrix).any():
        raise InvalidInput("A score is infinite; scores must be finite numbers, or NaN where an answer is missing.")
    if bounds is not None:
        low, high = bounds
        if not low < high:
            raise InvalidInput(f"The bounds {low:g} and {high:g} leave no room for a score.")
        outside = matrix[(matrix < low) | (matrix > high)]
        if outside.size:
            raise InvalidInput(f"The score {outside[0]:g} lies outside {low:g} to {high:g}.")
    return matrix


def mean_by_unit(matrix: Floats, groups: Sequence[Hashable] | None) -> Floats:
    """The mean of each unit's scores, units in order of appearance; a unit without a score is left out.

    Samples of an input are averaged first, then the inputs of a group, so that each input of a group weighs the same.

    Args:
        matrix: (inputs, samples), NaN where there is no score.
        groups: one label per input; None takes each input as a unit.
    """
    import numpy as np

    counts = (~np.isnan(matrix)).sum(axis=1)  # (inputs,)
    finished = counts > 0
    means: Floats = np.nansum(matrix, axis=1)[finished] / counts[finished]
    if groups is None:
        return means
    if len(groups) != len(matrix):
        raise InvalidInput(f"There are {len(matrix)} inputs but {len(groups)} group labels.")
    numbers: dict[Hashable, int] = {}
    labels = [numbers.setdefault(group, len(numbers)) for group, kept in zip(groups, finished, strict=True) if kept]
    sizes = np.bincount(labels, minlength=len(numbers))
    totals = np.bincount(labels, weights=means, minlength=len(numbers))
    return np.asarray(totals / sizes, dtype=np.float64)


@lru_cache(maxsize=4096)
def wilson(passed: int, total: int, level: float = 0.95) -> Interval:
    """The score interval for a share of independent trials.

    It stays inside 0..1 and is honest for few trials, where the textbook interval collapses (3 of 3 gives 44-100 %).
    Nothing tried gives 0 to 1.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927),
    through scipy.stats.binomtest.

    Raises:
        InvalidInput: not 0 <= passed <= total, or the level is not between 0 and 1.
    """
    if not 0 <= passed <= total:
        raise InvalidInput(f"{passed} of {total} is not a share: passed must lie between 0 and the total.")
    check_level(level)
    if total == 0:
        return Interval(0.0, 1.0, level)
    from scipy.stats import binomtest

    interval = binomtest(passed, total).proportion_ci(confidence_level=level, method="wilson")
    return Interval(float(interval.low), float(interval.high), level)


def clustered_wilson(means: ArrayLike, level: float = 0.95) -> Interval:
    """Wilson's interval for means that need not be 0 or 1, from the spread between units.

    With q the quantile of Student's t at n-1 degrees of freedom and w a variance, it is
    (n p + q²/2 ± q sqrt(n w + q²/4)) / (n + q²): Wilson's interval, with w in the place of p(1-p) and t in the place of
    z. w lies half-way between the variance of the units' means (divisor n) and p(1-p), which is the most that it can
    be. The units' variance alone covered 72 to 90 % where rates are near 0 or 1, as the rare unit that would show the
    spread is mostly not among those seen; half-way covers 94 % and more. It stays inside 0..1 and always has width.

    Source: a clustered proportion's variance between clusters and the t quantile as in E. L. Korn and B. I. Graubard,
    "Confidence intervals for proportions with small expected number of positive counts estimated from survey data",
    Survey Methodology 24 (1998), in Wilson's form as in N. Dean and M. Pagano, "Evaluating confidence interval methods
    for binomial proportions in clustered surveys", J. Survey Statistics and Methodology 3 (2015).

    Args:
        means: one mean score per unit, in 0..1.
    """
    import numpy as np
    from scipy.special import stdtrit

    check_level(level)
    values = np.asarray(means, dtype=np.float64)  # (units,)
    n = len(values)
    if n == 0:
        return Interval(0.0, 1.0, level)
    q = float(-stdtrit(max(n - 1, 1), (1 - level) / 2))
    p = float(values.mean())
    variance = (float(values.var()) + p * (1 - p)) / 2
    centre = (n * p + q * q / 2) / (n + q * q)
    half = q / (n + q * q) * np.sqrt(n * variance + q * q / 4)
    return Interval(max(0.0, float(centre - half)), min(1.0, float(centre + half)), level)


def bonett_price(wins: int, losses: int, units: int, level: float = 0.95) -> Interval:
    """The interval on a difference of paired pass rates as published, with the normal quantile.

    A verdict uses the form in `paired.paired_bounds`.

    Source: D. G. Bonett and R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data", J. Educational and Behavioral Statistics 37 (2012).

    Args:
        wins, losses: units that only the other column passes, and that only the baseline passes.
        units: all units, ties included.
    """
    check_level(level)
    if min(wins, losses) < 0 or wins + losses > units:
        raise InvalidInput(f"{wins} wins and {losses} losses do not fit into {units} units.")
    from scipy.special import ndtri

    up, down = (wins + 1) / (units + 2), (losses + 1) / (units + 2)
    half = float(-ndtri((1 - level) / 2)) * ((up + down - (up - down) ** 2) / (units + 2)) ** 0.5
    return Interval(max(-1.0, up - down - half), min(1.0, up - down + half), level)


def rate(
    scores: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Rate:
    """One column's mean score with its interval: Wilson's where every unit's score is at a bound, else the clustered.

    Args:
        scores: (inputs, samples) or (inputs,), NaN where an answer is missing.
        groups: one label per input where inputs belong together; a group is then one unit.
        bounds: the lowest and the highest possible score.
    """
    low, high = bounds
    means = (mean_by_unit(as_matrix(scores, bounds), groups) - low) / (high - low)  # (units,), 0..1
    units = len(means)
    if units and not set(means.tolist()) <= {0.0, 1.0}:
        inner, method = clustered_wilson(means, level), "clustered Wilson"
    else:
        inner, method = wilson(int(means.sum()), units, level), "Wilson"
    scaled = Interval(low + inner.low * (high - low), low + inner.high * (high - low), level)
    mean = low + float(means.mean()) * (high - low) if units else float("nan")
    return Rate(mean, scaled, units, method)
