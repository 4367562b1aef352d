"""A against itself: whether this design (inputs, checks, samples) names winners where there are none.

The baseline runs against itself with fresh seeds, and the labels of both columns are exchanged input by input. At
temperature 0 a rerun would repeat itself; then the labels of the run's own columns are exchanged. Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core import statistics
from core.experiment.grid import effective_samples, seed_of, settings
from core.experiment.scores import columns_of, score_table
from core.experiment.verdict import ALPHA, Verdict
from core.statistics import FEWEST_UNITS, FalseWinners
from core.text import short
from core.types import MAX_SEED, CellResult, Experiment


def problem(experiment: Experiment, verdict: Verdict) -> str:
    """Why this design cannot be checked, as a sentence; "" where it can."""
    if verdict.units == 0:
        return "Without checks nobody is judged: add some to the inputs, then this design can be checked."
    if not verdict.complete:
        return "The run is not finished: its design can be checked after its end."
    if verdict.units == 1:
        return "One input cannot tell chance from a difference: with more inputs this design can be checked."
    if verdict.units < FEWEST_UNITS:
        return (
            f"With {verdict.units} inputs nobody is crowned, so no winner can be false: from {FEWEST_UNITS} inputs on "
            "this design can be checked."
        )
    if repeats_itself(experiment, verdict.baseline or 0) and len(verdict.columns) < 2:
        return "At temperature 0 the prompt would only repeat itself, and there is no second column to compare it with."
    return ""


def repeats_itself(experiment: Experiment, baseline: int) -> bool:
    """Whether a rerun of this column would give the same answers: it is asked at temperature 0."""
    setting = columns_of(experiment)[baseline].setting
    return settings(experiment)[setting].get("temperature") == 0


def against_itself(experiment: Experiment, baseline: int, seed: int) -> Experiment:
    """The experiment that runs a column against itself on the same inputs.

    Args:
        baseline: the column's position in `columns_of`.
        seed: the first of its seeds, if the run has none of them; else the next block of seeds that it has none of.
    """
    column = columns_of(experiment)[baseline]
    variant = experiment.variants[column.variant]
    again = replace(variant, name=f"{short(variant.name, 180)}, again")
    samples = effective_samples(experiment, column.setting)
    return replace(
        experiment,
        variants=(variant, again),
        models=(column.model,),
        parameters=settings(experiment)[column.setting],
        axes={},
        samples=samples,
        seed=_disjoint(seed, 2 * samples, {seed_of(experiment, k) for k in range(experiment.samples)}),
        seeds=(),
        title=f"A = A: {short(variant.name, 180)}",
        aa_test=True,
    )


def relabelled(
    experiment: Experiment,
    results: Mapping[int, CellResult],
    *,
    baseline: int | None = 0,
    looks: Sequence[float] = (1,),
) -> FalseWinners:
    """How often a run's own answers name a winner when its columns' labels are exchanged within inputs.

    Args:
        results, baseline, looks: as for `verdict`.
    """
    table = score_table(experiment, results)
    return statistics.false_winners(
        table.scores,
        family="every pair" if baseline is None else "against the baseline",
        baseline=baseline or 0,
        groups=table.units,
        margin=experiment.margin,
        alpha=ALPHA,
        looks=looks,
    )


def rerun_sentence(experiment: Experiment, verdict: Verdict) -> str:
    """What came of running a column against itself."""
    if not verdict.comparisons:
        return "The rerun has no answers that could be compared."
    comparison = verdict.comparisons[0]
    name = short(experiment.variants[0].name)
    low, high = (round(100 * end) for end in (comparison.paired.interval.low, comparison.paired.interval.high))
    points = round(100 * comparison.paired.difference)
    difference = f"the difference to itself is {'+' if points > 0 else ''}{points} points ({low} to {high})"
    if comparison.outcome in ("better", "worse"):
        return f"The rerun named a false winner: '{name}' against itself, and {difference.replace('-', _MINUS)}."
    return f"The rerun named no winner: {difference.replace('-', _MINUS)}, from {verdict.units} inputs."


def permutation_sentence(found: FalseWinners) -> str:
    """How often exchanged labels named a winner, against what the design promises."""
    if found.exact and found.labellings == 1:
        return "No input tells the columns apart, so exchanged labels name no winner."
    tried = f"all {found.labellings:,} ways" if found.exact else f"{found.labellings:,} ways drawn at random"
    share = f"{found.share:.1%}" if 0 < found.share < 0.1 else f"{found.share:.0%}"
    return (
        f"With the columns' labels exchanged input by input, {share} of {tried} name a winner, each of them false; the "
        f"design allows {ALPHA:.0%} over all comparisons and looks."
    )


_MINUS = "\u2212"


def _disjoint(seed: int, count: int, taken: set[int]) -> int:
    """The first seed of the next block of `count` that has none of the taken ones."""
    while any((seed + k) % (MAX_SEED + 1) in taken for k in range(count)):
        seed = (seed + count) % (MAX_SEED + 1)
    return seed
