"""Where the doubt comes from: units that differ from each other, or samples of one input that do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.statistics.paired import PairedSample, paired_bounds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_TIMES = 100  # the present size, when looking for what would halve the doubt


@dataclass(frozen=True)
class VarianceComponents:
    """The variance of a unit's paired difference, taken apart, and what more data would do to the interval.

    Attributes:
        between: the variance between units that is left when sampling noise is taken out; more samples leave it as it
            is. None where no input has two samples, as the parts cannot be told apart then.
        sampling: the variance of a unit's mean that comes from its samples; None as above.
        width: the present interval's width.
        width_double_units: the width expected with twice the units.
        width_double_samples: the width expected with twice the samples per input; None where `sampling` is.
        units_to_halve: further units that would halve the width; None where none would.
        samples_to_halve: further samples per input that would halve the width; None where none would, or unknown.
    """

    between: float | None
    sampling: float | None
    width: float
    width_double_units: float
    width_double_samples: float | None
    units_to_halve: int | None
    samples_to_halve: int | None


def sampling_variance(sample: PairedSample) -> float | None:
    """The mean over units of the variance of a unit's mean difference that repeats explain; None without repeats.

    The variance between samples of one input is pooled over the inputs (the mean square within), and divided by the
    number of cells that the unit's mean is made of. At most the variance between the units' means, of which it is part.
    """
    import numpy as np

    counts = (~np.isnan(sample.cells)).sum(axis=1)  # (inputs,)
    kept = sample.cells[counts > 0]
    counts = counts[counts > 0]
    freedom = int((counts - 1).sum())
    if freedom == 0 or sample.units < 2:
        return None
    means = np.nansum(kept, axis=1, keepdims=True) / counts[:, None]
    within = float(np.nansum((kept - means) ** 2) / freedom)
    return min(within * float(np.mean(_shares(sample, counts))), float(sample.differences.var(ddof=1)))


def _shares(sample: PairedSample, counts: NDArray[np.int64]) -> Floats:
    """By how much one cell's variance enters each unit's mean; (units,)."""
    import numpy as np

    if sample.groups is None:
        return 1 / counts
    finished = np.flatnonzero((~np.isnan(sample.cells)).any(axis=1))
    labels = [sample.groups[index] for index in finished]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(labels))}
    units = np.array([numbers[group] for group in labels])
    return np.bincount(units, weights=1 / counts) / np.bincount(units) ** 2


def variance_components(sample: PairedSample, *, alpha: float = 0.05) -> VarianceComponents:
    """The variance between units against that between samples, and what twice of either would do.

    Source: the one-way random effects model by the method of moments, as in S. R. Searle, G. Casella and
    C. E. McCulloch, "Variance components" (1992), chapter 3; a negative estimate is set to 0.

    Raises:
        InvalidInput: fewer than two units, or scores without bounds.
    """
    if sample.units < 2 or sample.span is None:
        raise InvalidInput("Variance can be taken apart for at least two inputs with bounded scores.")
    sampling = sampling_variance(sample)
    total = float(sample.differences.var(ddof=1))
    width = predicted_width(sample, alpha=alpha)
    return VarianceComponents(
        between=None if sampling is None else total - sampling,
        sampling=sampling,
        width=width,
        width_double_units=predicted_width(sample, units=2 * sample.units, alpha=alpha),
        width_double_samples=None if sampling is None else predicted_width(sample, samples=2, alpha=alpha),
        units_to_halve=_units_to_halve(sample, width, alpha),
        samples_to_halve=None if sampling is None else _samples_to_halve(sample, width, alpha),
    )


def predicted_width(
    sample: PairedSample, *, units: int | None = None, samples: float = 1.0, alpha: float = 0.05
) -> float:
    """The width that the interval would have with so many units, and so many times the samples per input.

    Raises:
        InvalidInput: scores without bounds, or more samples where no input has two, so that their noise is unknown.
    """
    if sample.span is None or sample.units == 0:
        raise InvalidInput("A width can be predicted for bounded scores of at least one input.")
    count = sample.units if units is None else units
    scaled, spread = sample.differences / sample.span, sample.discordances / sample.span
    square = float((scaled**2).mean())
    if samples != 1:
        noise = sampling_variance(sample)
        if noise is None:
            raise InvalidInput("What more samples would do is unknown while each input has only one.")
        noise /= sample.span**2
        square = max(square - noise * (1 - 1 / samples), float(scaled.mean()) ** 2)
    low, high = paired_bounds(count * scaled.mean(), count * square, count * spread.mean(), count, alpha)
    return float(high - low) * sample.span


def _units_to_halve(sample: PairedSample, width: float, alpha: float) -> int | None:
    low, high = sample.units, 2 * sample.units
    while predicted_width(sample, units=high, alpha=alpha) > width / 2:
        low, high = high, 2 * high
        if high > MOST_TIMES * sample.units:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        halves = predicted_width(sample, units=middle, alpha=alpha) <= width / 2
        low, high = (low, middle) if halves else (middle, high)
    return high - sample.units


def _samples_to_halve(sample: PairedSample, width: float, alpha: float) -> int | None:
    import numpy as np

    counts = (~np.isnan(sample.cells)).sum(axis=1)
    present = max(1, round(float(counts[counts > 0].mean())))
    for more in range(1, MOST_TIMES * present):
        if predicted_width(sample, samples=(present + more) / present, alpha=alpha) <= width / 2:
            return more
        if more == 1 and predicted_width(sample, samples=MOST_TIMES, alpha=alpha) > width / 2:
            return None
    return None
