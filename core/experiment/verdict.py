"""What the grades of all cells prove: which column is better, and how many more inputs would decide the rest.

A column is a variant on a model with one combination of parameter values. The unit of evidence is the input: samples
of one input are averaged, and columns are compared by the paired difference over the inputs that both have finished.
The numbers come from core.statistics; `verdict_words` puts the verdict into sentences. Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import statistics
from core.experiment.grid import grid_cells, settings
from core.experiment.scores import Column, ScoreTable, differing_rows, sample_means, score_table
from core.statistics import (
    DroppedBounds,
    Family,
    Interaction,
    Outcome,
    PairedComparison,
    PairedSample,
    Rate,
    VarianceComponents,
)
from core.types import CellResult, Experiment

if TYPE_CHECKING:
    from core.experiment.scores import Scores

ALPHA = 0.05
"""The family-wise error rate, over all comparisons and looks of a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRate:
    """One column's own share of passed answers over inputs. `missing` cells were dropped or are unfinished."""

    column: Column
    rate: Rate
    passed: int
    judged: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One column against another.

    `paired` is the difference with its interval; `outcome` what it proves of the other column. `more_inputs` like
    these would probably decide it (None: not needed, or unknown), `detectable` is the smallest difference that this run
    could detect, `doubt` splits the interval's width into its sources. `bounds` are the extremes over all possible
    values of the dropped cells, where more than 5 % were dropped.
    """

    paired: PairedComparison
    outcome: Outcome
    more_inputs: int | None
    detectable: float | None
    doubt: VarianceComponents | None
    bounds: DroppedBounds | None

    @property
    def baseline(self) -> int:
        """The position of the column that is compared against."""
        return self.paired.baseline

    @property
    def other(self) -> int:
        """The position of the column that is compared."""
        return self.paired.other


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an experiment's results prove.

    `complete` is False before the run's end: then nothing is compared and every rate is "so far". `units` counts the
    inputs (or groups of inputs) with a weighted check; `unchecked` are the rows (from 0) without one, `doubled` the
    sets of rows with the same content. `differing` are the rows on which columns differ, with each column's mean score.
    `looks` are the answers per column at each finished look so far, the present one last; alpha is spent over them.
    `baseline` is the position of the column that all others are compared against; None: every pair is compared.
    """

    columns: tuple[ColumnRate, ...]
    comparisons: tuple[Comparison, ...]
    baseline: int | None
    correction: str
    alpha: float
    margin: float
    looks: tuple[float, ...]
    complete: bool
    units: int
    grouped: bool
    unchecked: tuple[int, ...]
    doubled: tuple[tuple[int, ...], ...]
    differing: Mapping[int, tuple[float, ...]]
    interaction: Interaction | None

    @property
    def family(self) -> Family:
        """Which pairs of columns are compared."""
        return _family(self.baseline)

    @property
    def best(self) -> int | None:
        """The position of the column with the highest rate, None where nothing was judged."""
        return _best(self.columns, range(len(self.columns)))

    @property
    def best_by_model(self) -> Mapping[str, int]:
        """The position of each model's column with the highest rate; models without a judged answer are left out."""
        positions: dict[str, list[int]] = {}
        for position, row in enumerate(self.columns):
            positions.setdefault(row.column.model, []).append(position)
        best = {model: _best(self.columns, own) for model, own in positions.items()}
        return {model: position for model, position in best.items() if position is not None}


def verdict(
    experiment: Experiment,
    results: Mapping[int, CellResult] | Sequence[CellResult],
    *,
    baseline: int | None = 0,
    looks: Sequence[float] = (1,),
) -> Verdict:
    """What the results prove, with simultaneous intervals over all comparisons and looks.

    Refusals, empty answers and a column's own errors count as fails. Other failures (server, network, crash)
    and unfinished cells are dropped in pairs.

    Args:
        results: the cells' results so far, by cell index or in any order.
        baseline: the position in `columns_of` that every other column is compared against; None compares every pair.
        looks: answers per column at each finished look at this experiment so far, the present one last.
    """
    by_index = results if isinstance(results, Mapping) else {result.index: result for result in results}
    table = score_table(experiment, by_index)
    rates = tuple(_rate(column, matrix, table) for column, matrix in zip(table.columns, table.scores, strict=True))
    complete = all(cell.index in by_index and by_index[cell.index].state.final for cell in grid_cells(experiment))
    comparisons: tuple[Comparison, ...] = ()
    correction = ""
    if complete and len(rates) > 1 and table.rows:
        comparisons, correction = _comparisons(experiment, table, baseline, looks)
    return Verdict(
        columns=rates,
        comparisons=comparisons,
        baseline=baseline,
        correction=correction,
        alpha=ALPHA,
        margin=experiment.margin,
        looks=tuple(looks),
        complete=complete,
        units=table.unit_count,
        grouped=any(experiment.inputs[row].group for row in table.rows),
        unchecked=table.unchecked,
        doubled=table.doubled,
        differing=differing_rows(table),
        interaction=_interaction(experiment, table) if complete else None,
    )


def _family(baseline: int | None) -> Family:
    return "every pair" if baseline is None else "against the baseline"


def _rate(column: Column, matrix: Scores, table: ScoreTable) -> ColumnRate:
    import numpy as np

    judged = ~np.isnan(matrix)
    return ColumnRate(
        column=column,
        rate=statistics.rate(matrix, groups=table.units),
        passed=round(float(np.nansum(matrix))),
        judged=int(judged.sum()),
        missing=int((~judged).sum()),
    )


def _comparisons(
    experiment: Experiment, table: ScoreTable, baseline: int | None, looks: Sequence[float]
) -> tuple[tuple[Comparison, ...], str]:
    compared = statistics.compare_columns(
        table.scores, family=_family(baseline), baseline=baseline or 0, groups=table.units, alpha=ALPHA, looks=looks
    )
    spendable = statistics.sidak(ALPHA, len(compared.comparisons))
    comparisons = tuple(
        _comparison(experiment, paired, table, compared.comparison_alpha, spendable, looks)
        for paired in compared.comparisons
    )
    return comparisons, compared.correction


def _comparison(
    experiment: Experiment,
    paired: PairedComparison,
    table: ScoreTable,
    alpha: float,
    spendable: float,
    looks: Sequence[float],
) -> Comparison:
    """One comparison; `alpha` is the error it spends at this look, `spendable` over all looks."""
    baseline_scores, other_scores, groups = table.scores[paired.baseline], table.scores[paired.other], table.units
    sample: PairedSample = statistics.pair(baseline_scores, other_scores, groups=groups)
    outcome = statistics.decide(paired, experiment.margin) if experiment.margin > 0 else _without_margin(paired)
    is_open = outcome in ("undecided", "too few") and experiment.margin > 0
    due = paired.planned > 0 and paired.dropped / paired.planned > statistics.DROPPED_SHARE
    return Comparison(
        paired=paired,
        outcome=outcome,
        more_inputs=statistics.more_units(sample, margin=experiment.margin, alpha=spendable, looks=looks)
        if is_open
        else None,
        detectable=statistics.smallest_detectable(sample, alpha=alpha),
        doubt=statistics.variance_components(sample, alpha=alpha) if sample.units >= 2 else None,
        bounds=statistics.dropped_bounds(baseline_scores, other_scores, groups=groups, alpha=alpha) if due else None,
    )


def _without_margin(paired: PairedComparison) -> Outcome:
    """With a margin of 0 nothing is equivalent."""
    if paired.units < statistics.FEWEST_UNITS:
        return "too few"
    return "better" if paired.interval.low > 0 else "worse" if paired.interval.high < 0 else "undecided"


def _best(rates: Sequence[ColumnRate], positions: Sequence[int]) -> int | None:
    judged = [position for position in positions if rates[position].judged]
    return max(judged, key=lambda position: rates[position].rate.mean, default=None)


def _interaction(experiment: Experiment, table: ScoreTable) -> Interaction | None:
    """Whether the better prompt depends on the model, where there are several of both and no other axis."""
    import numpy as np

    prompts, models = len(experiment.variants), len(experiment.models)
    if min(prompts, models) < 2 or len(settings(experiment)) > 1 or not table.rows:
        return None
    means = sample_means(table.scores).reshape(models, prompts, len(table.rows))
    labels = list(dict.fromkeys(table.units))
    members = [[position for position, unit in enumerate(table.units) if unit == label] for label in labels]
    by_unit = np.stack([means[:, :, rows].mean(axis=2) for rows in members])  # (units, models, prompts)
    complete = ~np.isnan(by_unit).any(axis=(1, 2))
    if int(complete.sum()) < 3:
        return None
    return statistics.interaction(by_unit.transpose(0, 2, 1))
