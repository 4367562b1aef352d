"""Two columns of scores compared input by input: the interval on the mean difference first, a p-value second.

Both columns answered the same inputs, so what counts is each input's own difference. Samples of one input are averaged:
they are repeats, not evidence of their own.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import InvalidInput
from core.statistics.intervals import Interval, as_matrix, check_level, mean_by_unit
from core.statistics.significance import mcnemar, sign_flips

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

BOUNDS = (0.0, 1.0)  # of a score, unless said otherwise
SHRINKING = 4  # units by which the pseudo-units' size is drawn towards the whole span
DROPPED_SHARE = 0.05  # above this share of dropped cells, both bounds are due

Method = Literal["Bonett-Price with Student's t", "studentised with pseudo-units"]
Test = Literal["exact McNemar", "sign flips"]


@dataclass(frozen=True)
class PairedSample:
    """What a paired comparison looks at.

    Attributes:
        differences: other minus baseline, one mean per unit; (units,).
        discordances: mean over a unit's cells of |other - baseline|; (units,). Equal to |differences| where a unit has
            one cell; above it where its samples disagree with each other.
        cells: other minus baseline for each cell, NaN where one of both is missing; (inputs, samples).
        groups: one label per input of `cells`, or None where each input is a unit.
        planned: cells that each column should have.
        span: the highest possible difference: the highest score minus the lowest. None where scores are not bounded.
    """

    differences: Floats
    discordances: Floats
    cells: Floats
    groups: tuple[Hashable, ...] | None
    planned: int
    span: float | None

    @property
    def units(self) -> int:
        return len(self.differences)

    @property
    def dropped(self) -> int:
        """Planned cells that count for nothing, because one of both columns has no score there."""
        import numpy as np

        return self.planned - int((~np.isnan(self.cells)).sum())

    @property
    def scale(self) -> float:
        """What a difference is divided by before the interval is made: the span, else the largest difference seen."""
        if self.span is not None:
            return self.span
        return float(abs(self.differences).max(initial=0.0))


@dataclass(frozen=True)
class PairedComparison:
    """One column against another, over the units that both have finished.

    Attributes:
        difference: the mean difference, other minus baseline; NaN where no unit is left.
        interval: where the true mean difference plausibly lies. It alone decides.
        p_value: of `test`, for this comparison alone.
        adjusted_p: corrected for the family of comparisons; the p-value where there is only one.
        method: how the interval was made.
        test: where the p-value comes from.
        units: inputs (or groups) that the comparison rests on.
        wins, ties, losses: units on which the other column scores higher, the same, lower.
        planned, dropped: cells per column, and how many of them were dropped in pairs.
        baseline, other: the columns' positions, where several were compared.
    """

    difference: float
    interval: Interval
    p_value: float
    adjusted_p: float
    method: Method
    test: Test
    units: int
    wins: int
    ties: int
    losses: int
    planned: int
    dropped: int
    baseline: int = 0
    other: int = 1

    @property
    def dropped_share(self) -> float:
        return self.dropped / self.planned if self.planned else 0.0


@dataclass(frozen=True)
class DroppedBounds:
    """The same comparison with every dropped cell filled in.

    Attributes:
        all_failed: every dropped cell of both columns gets the lowest score.
        all_passed: every dropped cell of both columns gets the highest score.
        lowest: the other column's get the lowest and the baseline's the highest: nothing can be worse for the other.
        highest: the other way round.
    """

    all_failed: PairedComparison
    all_passed: PairedComparison
    lowest: PairedComparison
    highest: PairedComparison


def pair(
    baseline: ArrayLike,
    other: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    bounds: tuple[float, float] | None = BOUNDS,
) -> PairedSample:
    """The paired sample of two columns. A cell that one of both lacks is dropped from both; so is an input without any.

    Args:
        baseline, other: scores of shape (inputs, samples) or (inputs,), row by row the same inputs and column by
            column the same seeds; NaN where a planned answer is missing.
        groups: one label per input where inputs belong together; a group is then one unit.
        bounds: the lowest and the highest possible score; None for scores without bounds, such as log-probabilities.

    Raises:
        InvalidInput: the shapes differ, a score is infinite or outside the bounds, or labels are missing.
    """
    import numpy as np

    first, second = as_matrix(baseline, bounds), as_matrix(other, bounds)
    if first.shape != second.shape:
        raise InvalidInput(f"Columns of {first.shape} and {second.shape} cells cannot be paired input by input.")
    cells = second - first
    return PairedSample(
        differences=mean_by_unit(cells, groups),
        discordances=mean_by_unit(np.abs(cells), groups),
        cells=cells,
        groups=None if groups is None else tuple(groups),
        planned=cells.size,
        span=None if bounds is None else bounds[1] - bounds[0],
    )


def paired_bounds(
    total: ArrayLike, squares: ArrayLike, discordance: ArrayLike, units: ArrayLike, alpha: float
) -> tuple[Floats, Floats]:
    """The interval on a mean paired difference, from sums; arrays of any one shape give as many intervals.

    Two pseudo-units, one with a difference of +m and one of -m, join the n observed ones. Mean and variance (divisor
    n+2) of all n+2 then give mean ± q sqrt(variance / (n+2)), cut to -1..1, with q from Student's t at n-1 degrees of
    freedom. So the interval has width even where all differences are equal, and it allows for rare large differences
    that were not seen.

    * Where each input has one answer that passes or fails, m is 1, and this is the interval of D. G. Bonett and
      R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data",
      J. Educational and Behavioral Statistics 37 (2012), but for q: with their normal quantile a family of 15
      comparisons of equal columns on 15 inputs named a false winner in 5.9 % of runs instead of 5 %.
    * Averages of several samples are smaller than 1, so m² is (sum of d² + 4) / (sum of u + 4), u being a unit's mean
      absolute difference over its samples: the mean square of a difference per discordant unit, shrunk towards 1 by
      four such units. Samples that disagree with each other say that large mean differences are rare; samples that all
      agree do not, and leave m at 1. The idea is that of `bonett_price_paired_ci_multirun_shrunk` in the package
      evalstats (0.3.3), which shrinks by two units; with two, coverage fell below 93 % where one input in ten differs.

    Args:
        total: the sum of the units' differences, each in -1..1.
        squares: the sum of their squares.
        discordance: the sum of the units' mean absolute differences.
        units: their number n.
        alpha: 1 - level.
    """
    import numpy as np

    centre, half = _centre_and_half(total, squares, discordance, units, alpha)
    return np.maximum(centre - half, -1.0), np.minimum(centre + half, 1.0)


def _centre_and_half(
    total: ArrayLike, squares: ArrayLike, discordance: ArrayLike, units: ArrayLike, alpha: float
) -> tuple[Floats, Floats]:
    """The interval of `paired_bounds` before it is cut: its centre and half its width."""
    import numpy as np
    from scipy.special import stdtrit

    total, squares, discordance = np.asarray(total, float), np.asarray(squares, float), np.asarray(discordance, float)
    count = np.asarray(units, float) + 2
    magnitude = (squares + SHRINKING) / (discordance + SHRINKING)  # m²
    centre = total / count
    variance = (squares + 2 * magnitude) / count - centre**2
    return centre, -stdtrit(np.maximum(count - 3, 1), alpha / 2) * np.sqrt(variance / count)


def mean_difference_interval(sample: PairedSample, alpha: float = 0.05) -> Interval:
    """The interval on the mean difference, in the scores' own measure. Without any unit it is all that is possible.

    Scores without bounds are scaled by the largest difference seen, and the interval is not cut; where that difference
    is 0, or comes from one unit only, the interval is without ends.
    """
    check_level(1 - alpha)
    scale = sample.scale
    if scale == 0 or (sample.span is None and sample.units < 2):
        return Interval(float("-inf"), float("inf"), 1 - alpha)
    if sample.units == 0:
        return Interval(-scale, scale, 1 - alpha)
    scaled, spread = sample.differences / scale, sample.discordances / scale
    if sample.span is None:
        sums = scaled.sum(), (scaled**2).sum(), spread.clip(max=1.0).sum()
        centre, half = _centre_and_half(*sums, sample.units, alpha)
        return Interval(scale * float(centre - half), scale * float(centre + half), 1 - alpha)
    low, high = paired_bounds(scaled.sum(), (scaled**2).sum(), spread.sum(), sample.units, alpha)
    return Interval(scale * float(low), scale * float(high), 1 - alpha)


def is_pass_fail(sample: PairedSample) -> bool:
    """Whether each unit's difference is one whole answer: passed by one column only, or by both or neither."""
    import numpy as np

    scaled = sample.differences / (sample.span or 1.0)
    whole = np.isin(scaled, (-1.0, 0.0, 1.0)).all()
    return sample.span is not None and bool(whole and np.allclose(abs(sample.differences), sample.discordances))


def compare(sample: PairedSample, *, alpha: float = 0.05, baseline: int = 0, other: int = 1) -> PairedComparison:
    """One paired comparison at a level of 1 - alpha, without any correction for others or for looks.

    Args:
        baseline, other: the columns' positions, only carried into the result.
    """
    differences = sample.differences
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    pass_fail = is_pass_fail(sample)
    p_value = mcnemar(wins, losses) if pass_fail else sign_flips(differences)
    return PairedComparison(
        difference=float(differences.mean()) if sample.units else float("nan"),
        interval=mean_difference_interval(sample, alpha),
        p_value=p_value,
        adjusted_p=p_value,
        method="Bonett-Price with Student's t" if pass_fail else "studentised with pseudo-units",
        test="exact McNemar" if pass_fail else "sign flips",
        units=sample.units,
        wins=wins,
        ties=sample.units - wins - losses,
        losses=losses,
        planned=sample.planned,
        dropped=sample.dropped,
        baseline=baseline,
        other=other,
    )


def dropped_bounds(
    baseline: ArrayLike,
    other: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    bounds: tuple[float, float] = BOUNDS,
    alpha: float = 0.05,
) -> DroppedBounds:
    """The comparison under the extremes of what the dropped cells might have been; due above 5 % dropped.

    Source: C. F. Manski, "Nonparametric bounds on treatment effects", American Economic Review 80 (1990).

    Args:
        baseline, other: as for `pair`; every NaN is filled.
    """
    import numpy as np

    low, high = bounds
    first, second = as_matrix(baseline, bounds), as_matrix(other, bounds)

    def filled(one: float, two: float) -> PairedComparison:
        columns = np.where(np.isnan(first), one, first), np.where(np.isnan(second), two, second)
        return compare(pair(*columns, groups=groups, bounds=bounds), alpha=alpha)

    return DroppedBounds(filled(low, low), filled(high, high), filled(high, low), filled(low, high))
