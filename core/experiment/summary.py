"""Counts, times and tokens of an experiment's answers, per column. What they prove is `verdict`'s.

Knows neither the source of the answers nor the layout of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.experiment.grade import grade, passes
from core.experiment.grid import GridCell, grid_cells
from core.types import CellResult, Experiment, State


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSummary:
    """One column: a variant on one model with one combination of parameter values.

    `cells` are planned; `done` have answered; `failed` ended in an error or a timeout; `judged` are done and have
    checks with a weight; `passed` satisfy them. The means are over done cells: seconds per answer (a whole batch's
    time, where it was one of several) and generated tokens; None without any.
    """

    variant: int
    model: str
    setting: int
    cells: int
    done: int
    failed: int
    passed: int
    judged: int
    mean_seconds: float | None
    mean_tokens: float | None


def summary(
    experiment: Experiment, results: Mapping[int, CellResult] | Sequence[CellResult]
) -> tuple[VariantSummary, ...]:
    """One row per column, in the order of the models, then of the variants, then of the settings.

    Args:
        results: the cells' results so far, by cell index or in any order; missing ones count as not done.
    """
    by_index = results if isinstance(results, Mapping) else {result.index: result for result in results}
    columns: dict[tuple[str, int, int], list[tuple[GridCell, CellResult | None]]] = {}
    for cell in grid_cells(experiment):
        columns.setdefault((cell.model, cell.variant, cell.setting), []).append((cell, by_index.get(cell.index)))
    return tuple(_row(experiment, *column, cells) for column, cells in columns.items())


def _row(
    experiment: Experiment,
    model: str,
    variant: int,
    setting: int,
    cells: Sequence[tuple[GridCell, CellResult | None]],
) -> VariantSummary:
    done = [(cell, result) for cell, result in cells if result is not None and result.state is State.DONE]
    outputs = [result.output for _, result in done if result.output is not None]
    outcomes = [
        passes(experiment, experiment.inputs[cell.input], grade(experiment, cell, result)) for cell, result in done
    ]
    judged = [passed for passed in outcomes if passed is not None]
    return VariantSummary(
        variant=variant,
        model=model,
        setting=setting,
        cells=len(cells),
        done=len(done),
        failed=sum(result is not None and result.state in (State.FAILED, State.TIMEOUT) for _, result in cells),
        passed=sum(judged),
        judged=len(judged),
        mean_seconds=_mean([output.seconds for output in outputs]),
        mean_tokens=_mean([output.output_tokens for output in outputs]),
    )


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
