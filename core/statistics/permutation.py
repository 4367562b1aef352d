"""How often a design would name a winner among columns that are equal: their labels are exchanged, input by input.

Where columns are equal, any answer to an input could as well have come from any of them. So the labels that the
answers happen to have are one draw among all, and the share of draws in which the rule names a winner is its rate of
false ones.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.statistics.decisions import FEWEST_UNITS, MARGIN
from core.statistics.families import Family, pairs_of, sidak
from core.statistics.intervals import as_matrix
from core.statistics.looks import look_alpha
from core.statistics.paired import BOUNDS, pair, paired_bounds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]

DRAWS = 2_000  # ways of labelling up to which all are tried, and that are drawn where there are more


@dataclass(frozen=True)
class FalseWinners:
    """How often exchanged labels name a winner.

    Attributes:
        share: of the labellings tried, those in which at least one comparison has a winner.
        labellings: how many were tried.
        exact: all that differ were tried; else they were drawn.
        units: inputs (or groups) that every column has finished.
    """

    share: float
    labellings: int
    exact: bool
    units: int


def false_winners(
    columns: Sequence[ArrayLike],
    *,
    family: Family = "against the baseline",
    baseline: int = 0,
    groups: Sequence[Hashable] | None = None,
    margin: float = MARGIN,
    alpha: float = 0.05,
    looks: Sequence[float] = (1,),
    seed: int = 0,
) -> FalseWinners:
    """How often the rule of `compare_columns` and `decide` names a winner when labels are exchanged within each unit.

    All samples of a unit go with their label. Units on which the columns do not differ have one labelling. Where all
    labellings are at most 2,000 each is tried, else 2,000 are drawn with a fixed seed, so that equal data give equal
    answers. Cells that one of the columns lacks are left out of all.

    Source: R. A. Fisher, "The design of experiments" (1935), section 21, for two columns; E. J. G. Pitman,
    "Significance tests which may be applied to samples from any populations III: the analysis of variance test",
    Biometrika 29 (1938), for several.

    Args:
        columns: scores from 0 to 1, each (inputs, samples) or (inputs,), NaN where an answer is missing.
        margin: the margin of equivalence, in which there is no winner; 0: none.
        looks: answers per column at each finished look so far, the present one last.

    Raises:
        InvalidInput: fewer than two columns, or scores that `pair` refuses.
    """
    import numpy as np

    if len(columns) < 2:
        raise InvalidInput("Labels can be exchanged between two columns or more.")
    pairs = pairs_of(len(columns), family, baseline)
    differences, discordances = _between(columns, groups)
    units = differences.shape[2]
    labels, exact = _labellings(differences, discordances, np.random.default_rng(seed))
    if units < FEWEST_UNITS:
        return FalseWinners(0.0, len(labels), exact, units)
    each = look_alpha(sidak(alpha, len(pairs)), looks)
    won = np.zeros(len(labels), dtype=bool)
    every = np.arange(units)
    for one, two in pairs:
        first, second = labels[:, :, one], labels[:, :, two]  # (labellings, units): the column whose scores each has
        moved, apart = differences[first, second, every], discordances[first, second, every]
        low, high = paired_bounds(moved.sum(axis=1), (moved**2).sum(axis=1), apart.sum(axis=1), units, each)
        won |= ((low > 0) | (high < 0)) & ~((low >= -margin) & (high <= margin))
    return FalseWinners(float(won.mean()), len(labels), exact, units)


def _between(columns: Sequence[ArrayLike], groups: Sequence[Hashable] | None) -> tuple[Floats, Floats]:
    """Mean differences and mean absolute differences of each two columns on each unit; (columns, columns, units)."""
    import numpy as np

    cube = np.stack([as_matrix(column, BOUNDS) for column in columns])  # (columns, inputs, samples)
    cube = np.where(np.isnan(cube).any(axis=0), np.nan, cube)
    samples = [[pair(one, two, groups=groups) for two in cube] for one in cube]
    return (
        np.array([[sample.differences for sample in row] for row in samples]),
        np.array([[sample.discordances for sample in row] for row in samples]),
    )


def _labellings(differences: Floats, discordances: Floats, rng: np.random.Generator) -> tuple[Labels, bool]:
    """Which column each label stands for on each unit, (labellings, units, columns), and whether these are all."""
    import numpy as np

    count, units = differences.shape[0], differences.shape[2]
    told_apart = differences.any(axis=(0, 1)) | ((count > 2) & discordances.any(axis=(0, 1)))
    changing = np.flatnonzero(told_apart)
    if factorial(count) ** len(changing) > DRAWS:
        return rng.permuted(np.tile(np.arange(count, dtype=np.int8), (DRAWS, units, 1)), axis=2), False
    ways = np.array(list(product(permutations(range(count)), repeat=len(changing))), dtype=np.int8)
    labels = np.tile(np.arange(count, dtype=np.int8), (len(ways), units, 1))
    labels[:, changing] = ways.reshape(len(ways), len(changing), count)
    return labels, True
