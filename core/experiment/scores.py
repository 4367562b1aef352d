"""What a run's results score: one number from 0 to 1 for each cell, and their means for each column and input.

A column is a variant on a model with one combination of parameter values. Says which failures are a column's own, which
rows count, and which are one unit of evidence. What the scores prove is `verdict`'s. Knows no page.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.experiment.grade import checks_of, grade, passes
from core.experiment.grid import GridCell, grid_cells, settings
from core.types import Cell, CellResult, Experiment, Input, State

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.checks.budget import Budget

    Scores = NDArray[np.float64]  # (inputs, samples), 0 or 1, NaN where an answer is missing
    Means = NDArray[np.float64]  # (columns, inputs)

OWN_ERRORS = frozenset({"InvalidInput", "TemplateError", "PromptTooLong", "Blocked"})
"""Kinds of error that the column itself causes: they count as fails. Cells with any other are dropped in pairs."""


@dataclass(frozen=True, slots=True, order=True)
class Column:
    """What is compared: a variant on a model with one combination of parameter values (core.experiment.grid)."""

    model: str
    variant: int
    setting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """The scores of an experiment's columns on the rows that count.

    `rows` are the positions (from 0) of the inputs with a weighted check, `unchecked` those of the others; `doubled`
    are sets of rows with the same content. `scores` has a matrix for each column, (rows, samples); `units` a label for
    each row, the same for rows that are one unit of evidence.
    """

    columns: tuple[Column, ...]
    rows: tuple[int, ...]
    unchecked: tuple[int, ...]
    doubled: tuple[tuple[int, ...], ...]
    scores: tuple[Scores, ...]
    units: tuple[Hashable, ...]

    @property
    def unit_count(self) -> int:
        return len(set(self.units))


def columns_of(experiment: Experiment) -> tuple[Column, ...]:
    """The columns in the order of the models, then of the variants, then of the settings."""
    return tuple(
        Column(model, variant, setting)
        for model in experiment.models
        for variant in range(len(experiment.variants))
        for setting in range(len(settings(experiment)))
    )


def column_of(cell: Cell | GridCell) -> Column:
    """The column that a cell stands in."""
    return Column(cell.model, cell.variant, cell.setting)


def score_table(experiment: Experiment, results: Mapping[int, CellResult]) -> ScoreTable:
    """The scores of all columns; `results` are by cell index, and a missing one has no score."""
    numbers = range(len(experiment.inputs))
    rows = tuple(number for number in numbers if _counts(experiment, experiment.inputs[number]))
    columns = columns_of(experiment)
    doubled = _doubled(experiment, rows)
    return ScoreTable(
        columns=columns,
        rows=rows,
        unchecked=tuple(number for number in numbers if number not in set(rows)),
        doubled=doubled,
        scores=tuple(matrix[list(rows)] for matrix in _scores(experiment, results, columns)),
        units=_units(experiment, rows, doubled),
    )


def cell_score(
    experiment: Experiment, cell: Cell | GridCell, result: CellResult | None, budget: Budget | None = None
) -> float | None:
    """1 where the cell's answer passes, 0 where it fails, None where it does not count.

    Args:
        budget: as for `grade`.
    """
    if result is None or not result.state.final or not _counts(experiment, experiment.inputs[cell.input]):
        return None
    if result.state is State.FAILED:
        return 0.0 if result.error_kind in OWN_ERRORS else None
    if result.state is not State.DONE:
        return None
    passed = passes(experiment, experiment.inputs[cell.input], grade(experiment, cell, result, budget=budget))
    return None if passed is None else float(passed)


def sample_means(scores: Sequence[Scores]) -> Means:
    """Each column's mean over the samples of each row, NaN where a row has no score; (columns, rows)."""
    import numpy as np

    cube = np.stack(scores)  # (columns, rows, samples)
    counts = (~np.isnan(cube)).sum(axis=2)
    return np.where(counts > 0, np.nansum(cube, axis=2) / np.maximum(counts, 1), np.nan)


def differing_rows(table: ScoreTable) -> dict[int, tuple[float, ...]]:
    """Rows that every column has finished and on which they differ, with the columns' means."""
    import numpy as np

    if not table.rows:
        return {}
    means = sample_means(table.scores)
    return {
        row: tuple(float(mean) for mean in means[:, position])
        for position, row in enumerate(table.rows)
        if not np.isnan(means[:, position]).any() and len(set(means[:, position].tolist())) > 1
    }


def _counts(experiment: Experiment, row: Input) -> bool:
    return any(check.weight > 0 for check in checks_of(experiment, row))


def _scores(experiment: Experiment, results: Mapping[int, CellResult], columns: Sequence[Column]) -> list[Scores]:
    """Each column's scores. Where columns have different numbers of samples, each input's mean stands for them."""
    import numpy as np

    position_of = {column: position for position, column in enumerate(columns)}
    shape = (len(columns), len(experiment.inputs), max(experiment.samples, 1))
    cube, planned = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    for cell in grid_cells(experiment):
        entry = position_of[column_of(cell)], cell.input, cell.sample
        planned[entry] = True
        score = cell_score(experiment, cell, results.get(cell.index))
        cube[entry] = np.nan if score is None else score
    samples = planned.any(axis=(0, 1))  # (samples,): at temperature 0 only the first is run
    cube = cube[:, :, samples]
    if bool(planned[:, :, samples].all()):
        return list(cube)
    return list(sample_means(list(cube))[:, :, None])


def _doubled(experiment: Experiment, rows: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Sets of rows with the same values, checks and group: each set counts as one input."""
    by_content: dict[Hashable, list[int]] = {}
    for number in rows:
        row = experiment.inputs[number]
        by_content.setdefault((tuple(sorted(row.values.items())), row.checks, row.group), []).append(number)
    return tuple(tuple(same) for same in by_content.values() if len(same) > 1)


def _units(experiment: Experiment, rows: Sequence[int], doubled: Sequence[Sequence[int]]) -> tuple[Hashable, ...]:
    """A label for each row: its group, else the first row with the same content."""
    first = {number: same[0] for same in doubled for number in same}
    return tuple(experiment.inputs[number].group or first.get(number, number) for number in rows)
