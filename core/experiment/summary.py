"""What the answers of an experiment come to: a pass rate with its interval per variant and model.

Knows neither where answers come from nor how a table is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core import stats
from core.experiment.grade import grade
from core.experiment.grid import GridCell, grid_cells
from core.types import CellResult, Experiment, State


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSummary:
    """One variant on one model.

    `cells` are planned; `done` have answered; `failed` ended in an error or a timeout; `judged` are done and have
    checks; `passed` satisfy all of them. `rate` is passed/judged, None where nothing is judged; `low` and `high` are
    its Wilson 95 % interval, 0..1. The means are over done cells: seconds per answer (a whole batch's time, where it
    was one of several) and generated tokens; None where nothing is done.
    """

    variant: int
    model: str
    cells: int
    done: int
    failed: int
    passed: int
    judged: int
    low: float
    high: float
    rate: float | None
    mean_seconds: float | None
    mean_tokens: float | None


def summary(
    experiment: Experiment, results: Mapping[int, CellResult] | Sequence[CellResult]
) -> tuple[VariantSummary, ...]:
    """One row per variant and model, in the order of the models, then of the variants.

    Args:
        results: what is known of the cells, by cell index or in any order; missing ones count as not done.
    """
    known = results if isinstance(results, Mapping) else {result.index: result for result in results}
    rows: dict[tuple[str, int], list[tuple[GridCell, CellResult | None]]] = {}
    for place in grid_cells(experiment):
        rows.setdefault((place.model, place.variant), []).append((place, known.get(place.index)))
    return tuple(_row(experiment, model, variant, cells) for (model, variant), cells in rows.items())


def _row(
    experiment: Experiment, model: str, variant: int, cells: Sequence[tuple[GridCell, CellResult | None]]
) -> VariantSummary:
    done = [(place, result) for place, result in cells if result is not None and result.state is State.DONE]
    outputs = [result.output for _, result in done if result.output is not None]
    found = [grade(experiment, place, result) for place, result in done]
    judged = [all(verdict.passed for verdict in one) for one in found if one]
    low, high = stats.wilson(sum(judged), len(judged))
    return VariantSummary(
        variant=variant,
        model=model,
        cells=len(cells),
        done=len(done),
        failed=sum(result is not None and result.state in (State.FAILED, State.TIMEOUT) for _, result in cells),
        passed=sum(judged),
        judged=len(judged),
        low=low,
        high=high,
        rate=sum(judged) / len(judged) if judged else None,
        mean_seconds=_mean([output.seconds for output in outputs]),
        mean_tokens=_mean([output.output_tokens for output in outputs]),
    )


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
