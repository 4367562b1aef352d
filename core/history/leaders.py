"""Which column of each run passes most often, from what the history keeps of its cells.

The unit is the input, as in core.experiment.verdict: samples of one input are averaged first. Rows of one group, and
doubled rows, count one by one here. Knows no experiment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from core.history.schema import CELLS

Column = tuple[str, int, int]
"""A model, a variant, a setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """The column with the highest rate, 0 to 1; the first of several. `columns` is how many the run has."""

    model: str
    variant: int
    setting: int
    rate: float
    columns: int


def of_runs(connection: Connection, models: Mapping[str, Sequence[str]]) -> dict[str, Leader]:
    """The leader of each run, by run id; runs without a judged answer are left out.

    Args:
        models: each run's models, in the order of its columns.
    """
    columns = (CELLS.c.run_id, CELLS.c.model, CELLS.c.variant, CELLS.c.setting)
    share = func.avg(case((CELLS.c.passed.is_(True), 1.0), (CELLS.c.passed.is_(False), 0.0)))  # of what was judged
    by_input = select(*columns, share).where(CELLS.c.run_id.in_(list(models))).group_by(*columns, CELLS.c.input)
    runs: dict[str, dict[Column, list[float]]] = {}
    for run_id, model, variant, setting, passed in connection.execute(by_input).tuples():
        shares = runs.setdefault(run_id, {}).setdefault((model, variant, setting), [])
        shares += [] if passed is None else [float(passed)]
    leaders = {run_id: _leader(shares, models[run_id]) for run_id, shares in runs.items()}
    return {run_id: leader for run_id, leader in leaders.items() if leader is not None}


def _leader(columns: Mapping[Column, Sequence[float]], models: Sequence[str]) -> Leader | None:
    """The leader of a run, from its columns' share of passed samples on each input."""
    judged = [column for column, shares in columns.items() if shares]
    if not judged:
        return None
    rates = {column: sum(columns[column]) / len(columns[column]) for column in judged}
    model, variant, setting = min(rates, key=lambda column: (-rates[column], models.index(column[0]), *column[1:]))
    rate = rates[model, variant, setting]
    return Leader(model=model, variant=variant, setting=setting, rate=rate, columns=len(columns))
