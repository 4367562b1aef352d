"""Which inputs of a run are worth a look: with failures, errors, disagreement between columns, or between samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from core.experiment.grade import answer, images_of
from core.experiment.grid import GridCell, grid_cells
from core.experiment.scores import Column, cell_score, column_of
from core.types import CellResult, Experiment, State

RowFilter = Literal["all", "failures", "errors", "disagree", "unstable"]

LABELS: Mapping[RowFilter, str] = {
    "all": "All inputs",
    "failures": "With a failed check",
    "errors": "With an error",
    "disagree": "Columns disagree",
    "unstable": "Samples disagree",
}

Cells = Mapping[Column, Sequence[tuple[GridCell, CellResult]]]
"""One row's finished cells by column."""


def matching(experiment: Experiment, results: Mapping[int, CellResult], which: RowFilter) -> tuple[int, ...]:
    """The rows (from 0) that a filter leaves, in their order. Cells that are under way count as nothing yet."""
    by_row = _by_row(experiment, results)
    holds = _HOLDS[which]
    return tuple(row for row in range(len(experiment.inputs)) if holds(experiment, by_row[row]))


def by_disagreement(experiment: Experiment, results: Mapping[int, CellResult], rows: Sequence[int]) -> tuple[int, ...]:
    """The rows with the largest difference between two columns' mean scores first; equals stay in their order."""
    by_row = _by_row(experiment, results)
    return tuple(sorted(rows, key=lambda row: -_spread(experiment, by_row[row])))


def _by_row(experiment: Experiment, results: Mapping[int, CellResult]) -> dict[int, Cells]:
    by_row: dict[int, dict[Column, list[tuple[GridCell, CellResult]]]] = defaultdict(lambda: defaultdict(list))
    for cell in grid_cells(experiment):
        result = results.get(cell.index)
        if result is not None and result.state.final:
            by_row[cell.input][column_of(cell)].append((cell, result))
    return by_row  # type: ignore[return-value]


def _scores(experiment: Experiment, cells: Sequence[tuple[GridCell, CellResult]]) -> list[float]:
    scores = (cell_score(experiment, cell, result) for cell, result in cells)
    return [score for score in scores if score is not None]


def _means(experiment: Experiment, by_column: Cells) -> list[float]:
    columns = (_scores(experiment, cells) for cells in by_column.values())
    return [sum(scores) / len(scores) for scores in columns if scores]


def _spread(experiment: Experiment, by_column: Cells) -> float:
    means = _means(experiment, by_column)
    return max(means) - min(means) if means else 0.0


def _contents(cells: Sequence[tuple[GridCell, CellResult]]) -> list[object]:
    return [(answer(result).strip(), images_of(result)) for _, result in cells if result.state is State.DONE]


def _fails(experiment: Experiment, by_column: Cells) -> bool:
    return any(score < 1 for cells in by_column.values() for score in _scores(experiment, cells))


def _has_error(experiment: Experiment, by_column: Cells) -> bool:
    return any(result.state is not State.DONE for cells in by_column.values() for _, result in cells)


def _columns_disagree(experiment: Experiment, by_column: Cells) -> bool:
    """Their mean scores differ; where nothing is judged, their answers do."""
    means = _means(experiment, by_column)
    if means:
        return len(set(means)) > 1
    return len({tuple(_contents(cells)) for cells in by_column.values()}) > 1


def _samples_disagree(experiment: Experiment, by_column: Cells) -> bool:
    """The scores of one column's samples differ; where nothing is judged, its answers do."""
    for cells in by_column.values():
        scores = _scores(experiment, cells)
        if len(set(scores)) > 1 or (not scores and len(set(_contents(cells))) > 1):
            return True
    return False


_HOLDS: Mapping[RowFilter, Callable[[Experiment, Cells], bool]] = {
    "all": lambda experiment, by_column: True,
    "failures": _fails,
    "errors": _has_error,
    "disagree": _columns_disagree,
    "unstable": _samples_disagree,
}
