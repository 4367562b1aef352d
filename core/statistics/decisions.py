"""From an interval to one word, and what would change it: more inputs, or a larger difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.errors import InvalidInput
from core.statistics.intervals import Interval
from core.statistics.looks import growing, look_alpha
from core.statistics.paired import PairedComparison, PairedSample, paired_bounds

FEWEST_UNITS = 15  # below which nobody is called better
MARGIN = 0.05  # of equivalence
MOST_MORE, MOST_TIMES = 2000, 10  # beyond which a number of further inputs helps nobody
POWER = 0.8

Outcome = Literal["better", "worse", "equivalent", "undecided", "too few"]


def decide(comparison: PairedComparison, margin: float = MARGIN) -> Outcome:
    """What a comparison proves of its other column against its baseline. The interval alone decides.

    "equivalent" when the whole interval lies within the margin, which must have been set before; also where it leaves
    out 0, for a difference that is proven but smaller than what matters. "better" or "worse" when it leaves out 0
    otherwise, "undecided" when neither. Below 15 units it is "too few", whatever the interval says.

    Source for equivalence: D. J. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach
    for assessing the equivalence of average bioavailability", J. Pharmacokinetics and Biopharmaceutics 15 (1987).

    Raises:
        InvalidInput: the margin is not above 0.
    """
    if not margin > 0:
        raise InvalidInput("The margin of equivalence must be above 0, such as 0.05.")
    return "too few" if comparison.units < FEWEST_UNITS else direction(comparison.interval, margin)


def direction(interval: Interval, margin: float = MARGIN) -> Outcome:
    """What an interval on a difference says, however few units it rests on."""
    if interval.within(margin):
        return "equivalent"
    if interval.low > 0:
        return "better"
    return "worse" if interval.high < 0 else "undecided"


def more_units(
    sample: PairedSample,
    *,
    margin: float = MARGIN,
    alpha: float = 0.05,
    looks: Sequence[float] = (1,),
    power: float = POWER,
) -> int | None:
    """How many more units like these would probably settle it, at the next look; None where nobody can say.

    Takes the observed mean difference and spread as the true ones and finds the smallest number of units at which the
    interval would leave out 0, or lie within the margin, with a chance of `power`. None without any unit, for scores
    without bounds, and for answers that help nobody: more than 2,000 units, or than ten times the present ones. Never
    below what lacks to 15.

    Args:
        alpha: what this comparison may spend over all looks: `families.sidak` of the family's.
        looks: answers per column at each finished look so far, the present one last.
    """
    if sample.units == 0 or sample.span is None:
        return None
    sizes, span = growing(looks), sample.span

    def settled(units: int) -> bool:
        later = sizes[-1] * units / sample.units
        return _settled(sample, units, margin / span, look_alpha(alpha, (*sizes, later)), power)

    most = sample.units + min(MOST_MORE, MOST_TIMES * sample.units)
    low, high = sample.units, max(sample.units + 1, FEWEST_UNITS)
    while not settled(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    low = max(low, FEWEST_UNITS - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high - sample.units


def _settled(sample: PairedSample, units: int, margin: float, alpha: float, power: float) -> bool:
    """Whether so many units like the observed would probably prove a difference, or equivalence."""
    from scipy.special import ndtri

    scaled, spread = sample.differences / sample.scale, sample.discordances / sample.scale
    low, high = paired_bounds(units * scaled.mean(), units * (scaled**2).mean(), units * spread.mean(), units, alpha)
    luck = float(ndtri(power) * scaled.std() * units**0.5 / (units + 2))  # by which the interval may lie elsewhere
    leaves_out_zero = low > luck or high < -luck
    return bool(leaves_out_zero or (-margin <= low - luck and high + luck <= margin))


def smallest_detectable(sample: PairedSample, *, alpha: float = 0.05, power: float = POWER) -> float | None:
    """The smallest true mean difference that a run of this size and spread would have proven with a chance of `power`.

    None where even the largest possible difference would not have been seen so, without any unit, and for scores
    without bounds. The spread is the observed one with the two pseudo-units in, so that it is never 0.

    Source: the power of a paired comparison as in J. Cohen, "Statistical power analysis for the behavioral sciences"
    (1988), for the interval of `paired.paired_bounds`.

    Args:
        alpha: what the comparison may spend at this look: 1 minus its interval's level.
    """
    from scipy.special import ndtri

    if sample.units == 0 or sample.span is None:
        return None
    n = sample.units
    scaled, spread = sample.differences / sample.span, sample.discordances / sample.span
    centred = ((scaled - scaled.mean()) ** 2).sum()
    low, high = paired_bounds(0.0, centred, spread.sum(), n, alpha)
    deviation = ((centred + 2) / (n + 2)) ** 0.5
    reach = float(high - low) / 2 * (n + 2) / n + ndtri(power) * deviation / n**0.5
    return None if reach > 1 else float(reach * sample.span)
