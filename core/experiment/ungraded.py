"""A finished cell that waits to be graded, as a value that the engine and the history hand to each other."""

from __future__ import annotations

from dataclasses import dataclass

from core.experiment.grid import GridCell
from core.types import Cell, CellResult, Experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Ungraded:
    """A finished cell whose checks have not been applied yet, with all that `grade` needs."""

    owner: str
    run_id: str
    experiment: Experiment
    cell: Cell | GridCell
    result: CellResult
