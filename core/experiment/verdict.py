"""What the grades of all cells prove: which column is better, and how many more inputs would decide the rest.

A column is a variant on a model with one combination of parameter values. The unit of evidence is the input: samples
of one input are averaged, and columns are compared by the paired difference over the inputs that both have finished.
The numbers come from core.statistics; `verdict_words` puts the verdict into sentences. Knows no page.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import statistics
from core.experiment.grade import answer, audio_of, checks_of, grade, images_of, passes
from core.experiment.grid import GridCell, grid_cells, settings
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
from core.types import CellResult, Experiment, Input, State

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]  # (inputs, samples), 0 or 1, NaN where an answer is missing

ALPHA = 0.05
"""The family-wise error rate, over all comparisons and looks of a verdict."""

OWN_ERRORS = frozenset({"InvalidInput", "TemplateError", "PromptTooLong", "Blocked"})
"""Kinds of error that the column itself causes: they count as fails. Cells with any other are dropped in pairs."""


@dataclass(frozen=True, slots=True, order=True)
class Column:
    """What is compared: a variant on a model with one combination of parameter values (core.experiment.grid)."""

    model: str
    variant: int
    setting: int


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

    baseline: int
    other: int
    paired: PairedComparison
    outcome: Outcome
    more_inputs: int | None
    detectable: float | None
    doubt: VarianceComponents | None
    bounds: DroppedBounds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an experiment's results prove.

    `complete` is False before the run's end: then nothing is compared and every rate is "so far". `units` counts the
    inputs (or groups of inputs) with a weighted check; `unchecked` are the rows (from 0) without one, `doubled` the
    sets of rows with the same content. `differing` are the rows on which columns differ, with each column's mean score.
    `best` is the position of the column with the highest rate, None where there is none.
    """

    columns: tuple[ColumnRate, ...]
    comparisons: tuple[Comparison, ...]
    baseline: int | None
    family: Family
    correction: str
    alpha: float
    margin: float
    look: int
    complete: bool
    units: int
    grouped: bool
    unchecked: tuple[int, ...]
    doubled: tuple[tuple[int, ...], ...]
    differing: Mapping[int, tuple[float, ...]]
    best: int | None
    best_by_model: Mapping[str, int]
    interaction: Interaction | None


def columns_of(experiment: Experiment) -> tuple[Column, ...]:
    """The columns in the order of the models, then of the variants, then of the settings."""
    return tuple(
        Column(model, variant, setting)
        for model in experiment.models
        for variant in range(len(experiment.variants))
        for setting in range(len(settings(experiment)))
    )


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
    columns = columns_of(experiment)
    rows = [number for number, row in enumerate(experiment.inputs) if _counts(experiment, row)]
    scores = [_restricted(matrix, rows) for matrix in _scores(experiment, by_index, columns)]
    doubled = _doubled(experiment, rows)
    groups = _groups(experiment, rows, doubled)
    rates = tuple(_rate(column, matrix, groups) for column, matrix in zip(columns, scores, strict=True))
    complete = all(cell.index in by_index and by_index[cell.index].state.final for cell in grid_cells(experiment))
    family: Family = "every pair" if baseline is None else "against the baseline"
    comparisons: tuple[Comparison, ...] = ()
    correction = ""
    if complete and len(columns) > 1 and groups:
        comparisons, correction = _comparisons(experiment, scores, groups, baseline, family, looks)
    return Verdict(
        columns=rates,
        comparisons=comparisons,
        baseline=baseline,
        family=family,
        correction=correction,
        alpha=ALPHA,
        margin=experiment.margin,
        look=len(looks),
        complete=complete,
        units=len(set(groups)),
        grouped=any(experiment.inputs[row].group for row in rows),
        unchecked=tuple(number for number in range(len(experiment.inputs)) if number not in set(rows)),
        doubled=doubled,
        differing=_differing(rows, scores),
        best=_best(rates),
        best_by_model=_best_by_model(experiment, rates),
        interaction=_interaction(experiment, scores, groups) if complete else None,
    )


def _counts(experiment: Experiment, row: Input) -> bool:
    return any(check.weight > 0 for check in checks_of(experiment, row))


def _scores(experiment: Experiment, results: Mapping[int, CellResult], columns: Sequence[Column]) -> list[Scores]:
    """Each column's scores. Where columns have different numbers of samples, each input's mean stands for them."""
    import numpy as np

    position_of = {column: position for position, column in enumerate(columns)}
    shape = (len(columns), len(experiment.inputs), max(experiment.samples, 1))
    cube, planned = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    for cell in grid_cells(experiment):
        entry = position_of[Column(cell.model, cell.variant, cell.setting)], cell.input, cell.sample
        planned[entry] = True
        score = cell_score(experiment, cell, results.get(cell.index))
        cube[entry] = np.nan if score is None else score
    samples = planned.any(axis=(0, 1))  # (samples,): at temperature 0 only the first is run
    cube = cube[:, :, samples]
    if bool(planned[:, :, samples].all()):
        return list(cube)
    counts = (~np.isnan(cube)).sum(axis=2)  # (columns, inputs)
    means = np.where(counts > 0, np.nansum(cube, axis=2) / np.maximum(counts, 1), np.nan)
    return list(means[:, :, None])


def cell_score(experiment: Experiment, cell: GridCell, result: CellResult | None) -> float | None:
    """1 where the cell's answer passes, 0 where it fails, None where it does not count."""
    if result is None or not result.state.final:
        return None
    if result.state is State.FAILED:
        return 0.0 if result.error_kind in OWN_ERRORS else None
    if result.state is not State.DONE:
        return None
    if not (answer(result).strip() or images_of(result) or audio_of(result)):
        return 0.0
    passed = passes(experiment, experiment.inputs[cell.input], grade(experiment, cell, result))
    return None if passed is None else float(passed)


def _restricted(matrix: Scores, rows: Sequence[int]) -> Scores:
    return matrix[list(rows)]


def _doubled(experiment: Experiment, rows: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Sets of rows with the same values, checks and group: each set counts as one input."""
    by_content: dict[Hashable, list[int]] = {}
    for number in rows:
        row = experiment.inputs[number]
        by_content.setdefault((tuple(sorted(row.values.items())), row.checks, row.group), []).append(number)
    return tuple(tuple(same) for same in by_content.values() if len(same) > 1)


def _groups(experiment: Experiment, rows: Sequence[int], doubled: Sequence[Sequence[int]]) -> tuple[Hashable, ...]:
    """A label for each row: its group, else the first row with the same content."""
    first = {number: same[0] for same in doubled for number in same}
    return tuple(experiment.inputs[number].group or first.get(number, number) for number in rows)


def _rate(column: Column, matrix: Scores, groups: Sequence[Hashable]) -> ColumnRate:
    import numpy as np

    judged = ~np.isnan(matrix)
    return ColumnRate(
        column=column,
        rate=statistics.rate(matrix, groups=groups),
        passed=round(float(np.nansum(matrix))),
        judged=int(judged.sum()),
        missing=int((~judged).sum()),
    )


def _comparisons(
    experiment: Experiment,
    scores: Sequence[Scores],
    groups: Sequence[Hashable],
    baseline: int | None,
    family: Family,
    looks: Sequence[float],
) -> tuple[tuple[Comparison, ...], str]:
    position = 0 if baseline is None else baseline
    compared = statistics.compare_columns(
        scores, family=family, baseline=position, groups=groups, alpha=ALPHA, looks=looks
    )
    spendable = statistics.sidak(ALPHA, len(compared.comparisons))
    comparisons = tuple(
        _comparison(experiment, paired, scores, groups, compared.comparison_alpha, spendable, looks)
        for paired in compared.comparisons
    )
    return comparisons, compared.correction


def _comparison(
    experiment: Experiment,
    paired: PairedComparison,
    scores: Sequence[Scores],
    groups: Sequence[Hashable],
    alpha: float,
    spendable: float,
    looks: Sequence[float],
) -> Comparison:
    """One comparison; `alpha` is the error it spends at this look, `spendable` over all looks."""
    baseline_scores, other_scores = scores[paired.baseline], scores[paired.other]
    sample: PairedSample = statistics.pair(baseline_scores, other_scores, groups=groups)
    outcome = statistics.decide(paired, experiment.margin) if experiment.margin > 0 else _without_margin(paired)
    is_open = outcome in ("undecided", "too few") and experiment.margin > 0
    due = paired.planned > 0 and paired.dropped / paired.planned > statistics.DROPPED_SHARE
    return Comparison(
        baseline=paired.baseline,
        other=paired.other,
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


def _differing(rows: Sequence[int], scores: Sequence[Scores]) -> dict[int, tuple[float, ...]]:
    """Rows that every column has finished and on which they differ, with the columns' means."""
    import numpy as np

    if not rows:
        return {}
    cube = np.stack(scores)  # (columns, inputs, samples)
    counts = (~np.isnan(cube)).sum(axis=2)
    means = np.nansum(cube, axis=2) / np.maximum(counts, 1)  # (columns, inputs)
    finished = (counts > 0).all(axis=0)
    return {
        row: tuple(float(mean) for mean in means[:, position])
        for position, row in enumerate(rows)
        if finished[position] and len(set(means[:, position].tolist())) > 1
    }


def _best(rates: Sequence[ColumnRate]) -> int | None:
    judged = [position for position, row in enumerate(rates) if row.judged]
    return max(judged, key=lambda position: rates[position].rate.mean, default=None)


def _best_by_model(experiment: Experiment, rates: Sequence[ColumnRate]) -> dict[str, int]:
    best: dict[str, int] = {}
    for model in experiment.models:
        own = [position for position, row in enumerate(rates) if row.column.model == model and row.judged]
        if own:
            best[model] = max(own, key=lambda position: rates[position].rate.mean)
    return best


def _interaction(experiment: Experiment, scores: Sequence[Scores], groups: Sequence[Hashable]) -> Interaction | None:
    """Whether the better prompt depends on the model, where there are several of both and no other axis."""
    import numpy as np

    prompts, models = len(experiment.variants), len(experiment.models)
    if min(prompts, models) < 2 or len(settings(experiment)) > 1 or not groups:
        return None
    cube = np.stack(scores).reshape(models, prompts, len(groups), -1)  # (models, prompts, inputs, samples)
    counts = (~np.isnan(cube)).sum(axis=3)
    means = np.where(counts > 0, np.nansum(cube, axis=3) / np.maximum(counts, 1), np.nan)
    labels = list(dict.fromkeys(groups))
    members = [[position for position, group in enumerate(groups) if group == label] for label in labels]
    by_unit = np.stack([means[:, :, rows].mean(axis=2) for rows in members])  # (units, models, prompts)
    complete = ~np.isnan(by_unit).any(axis=(1, 2))
    if int(complete.sum()) < 3:
        return None
    return statistics.interaction(by_unit.transpose(0, 2, 1))
