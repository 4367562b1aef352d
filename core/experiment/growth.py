"""A run that grows: whether one experiment only adds inputs or samples to another, and which cells are then missing.

A grown run keeps its finished cells. Their places in the grid stay, their indices move, because the grid is numbered
anew. Knows nothing of where results are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.experiment.grid import GridCell, effective_samples, grid_cells, seed_of
from core.types import Cell, CellResult, Experiment, Input, State

Coordinates = tuple[str, int, int, int, int]
"""A cell's model, variant, setting, input and sample: what stays the same of it when its run grows."""


def coordinates(cell: Cell | GridCell) -> Coordinates:
    """Where a cell stands, whatever its index."""
    return cell.model, cell.variant, cell.setting, cell.input, cell.sample


def extends(before: Experiment, after: Experiment) -> bool:
    """Whether `after` asks all that `before` asks, with the same seeds, and more inputs or samples besides.

    New inputs stand behind the others. Ids of inputs and the title do not count.
    """
    common = replace(
        after, inputs=before.inputs, samples=before.samples, seeds=before.seeds, seed=before.seed, title=before.title
    )
    kept = after.inputs[: len(before.inputs)]
    if common != before or [_content(row) for row in kept] != [_content(row) for row in before.inputs]:
        return False
    samples = range(effective_samples(before))
    if effective_samples(after) < len(samples) or any(seed_of(before, k) != seed_of(after, k) for k in samples):
        return False
    return len(after.inputs) > len(before.inputs) or effective_samples(after) > len(samples)


def carried(before: Experiment, after: Experiment, results: Mapping[int, CellResult]) -> dict[int, CellResult]:
    """The results of a run by the indices that their cells have in the grown experiment."""
    index_of = {coordinates(cell): cell.index for cell in grid_cells(after)}
    moved = {cell.index: index_of[coordinates(cell)] for cell in grid_cells(before)}
    return {moved[index]: replace(result, index=moved[index]) for index, result in results.items()}


def missing(before: Experiment, after: Experiment, results: Mapping[int, CellResult]) -> int:
    """How many cells of the grown experiment have no answer yet."""
    answered = sum(result.state is State.DONE for result in results.values())
    return sum(1 for _ in grid_cells(after)) - answered


def _content(row: Input) -> Input:
    return replace(row, id="", values=dict(row.values))
