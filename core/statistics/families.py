"""Many columns at once: intervals that hold together, p-values corrected for their number, and the looks so far."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from core.errors import InvalidInput
from core.statistics.looks import growing, look_alpha
from core.statistics.paired import BOUNDS, PairedComparison, compare, pair

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Family = Literal["against the baseline", "every pair"]


@dataclass(frozen=True)
class ComparedColumns:
    """Every comparison of a family, made together.

    Attributes:
        comparisons: one per pair of columns.
        family: which pairs were asked for.
        alpha: the error allowed to all comparisons and all looks together.
        comparison_alpha: what one comparison may spend at this look; its interval's level is 1 minus this.
        look: the number of this look, from 1.
        correction: how both were shared out, in the trade's words.
    """

    comparisons: tuple[PairedComparison, ...]
    family: Family
    alpha: float
    comparison_alpha: float
    look: int
    correction: str

    def find(self, baseline: int, other: int) -> PairedComparison:
        """The comparison of these two columns, in this order."""
        for one in self.comparisons:
            if (one.baseline, one.other) == (baseline, other):
                return one
        raise InvalidInput(f"Columns {baseline} and {other} were not compared in this order.")


def sidak(alpha: float, comparisons: int) -> float:
    """The error that each of several comparisons may make so that all together make at most alpha: 1 - (1-alpha)^(1/k).

    Source: Z. Šidák, "Rectangular confidence regions for the means of multivariate normal distributions", JASA 62
    (1967); that several looks of each hold together too is the Gaussian correlation inequality (T. Royen, 2014).
    """
    if comparisons < 1:
        raise InvalidInput("A family needs at least one comparison.")
    return float(1 - (1 - alpha) ** (1 / comparisons))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Step-down corrected p-values, in the order given: at most alpha of them wrong in the whole family.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian J. Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def pairs_of(columns: int, family: Family, baseline: int = 0) -> tuple[tuple[int, int], ...]:
    """The (baseline, other) positions that a family compares."""
    if not 0 <= baseline < columns:
        raise InvalidInput(f"There is no column {baseline} among {columns}.")
    if family == "every pair":
        return tuple(combinations(range(columns), 2))
    return tuple((baseline, other) for other in range(columns) if other != baseline)


def compare_columns(
    columns: Sequence[ArrayLike],
    *,
    family: Family = "against the baseline",
    baseline: int = 0,
    groups: Sequence[Hashable] | None = None,
    bounds: tuple[float, float] | None = BOUNDS,
    alpha: float = 0.05,
    looks: Sequence[float] = (1,),
) -> ComparedColumns:
    """Every comparison of a family, with intervals that hold together over the family and over all looks.

    Alpha is first shared out over the comparisons (Sidak), then each spends its share over looks (`looks.look_alpha`);
    the p-values are Holm's, for this look.

    Args:
        columns: one array of scores each, as for `paired.pair`: (inputs, samples) or (inputs,), NaN where an answer is
            missing.
        family: "against the baseline" or "every pair".
        groups: one label per input where inputs belong together; a group is then one unit.
        bounds: the lowest and the highest possible score; None for scores without bounds.
        alpha: the error allowed to the whole family over all looks.
        looks: answers per column at each finished look so far, oldest first, the present one last.

    Raises:
        InvalidInput: fewer than two columns, or scores that `pair` refuses.
    """
    if len(columns) < 2:
        raise InvalidInput("A comparison needs at least two columns.")
    pairs = pairs_of(len(columns), family, baseline)
    each = look_alpha(sidak(alpha, len(pairs)), looks)
    raw = [
        compare(pair(columns[one], columns[two], groups=groups, bounds=bounds), alpha=each, baseline=one, other=two)
        for one, two in pairs
    ]
    adjusted = holm([one.p_value for one in raw])
    look = len(growing(looks))
    return ComparedColumns(
        tuple(replace(one, adjusted_p=p) for one, p in zip(raw, adjusted, strict=True)),
        family,
        alpha,
        each,
        look,
        f"Sidak over {len(pairs)} comparison{'' if len(pairs) == 1 else 's'}, alpha spending at look {look}",
    )
