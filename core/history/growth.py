"""How a kept run grows: its cells are numbered anew, new ones are added, and each look at it is kept.

A look is the end of a run, or of an extension of it, after which a verdict was shown. Knows nothing of statistics.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, literal, select, update

from core.errors import InvalidInput
from core.history.schema import ARTIFACTS, CELLS, RUNS
from core.history.storage import text_bytes
from core.types import State

COORDINATES = ("model", "variant", "setting", "input", "sample", "seed")
GROWN = ("experiment", "prompts", "title", "folded_title", "inputs", "samples")
"""The columns of a run that change with its size."""


def keep_look(connection: Connection, run_id: str) -> None:
    """Keep a look at the run as it is now: its answers per column, where they are more than at the look before."""
    columns = select(CELLS.c.model, CELLS.c.variant, CELLS.c.setting).where(CELLS.c.run_id == run_id).distinct()
    count = connection.scalar(select(func.count()).select_from(columns.subquery())) or 1
    done = and_(CELLS.c.run_id == run_id, CELLS.c.state == State.DONE.value)
    answers = (connection.scalar(select(func.count()).where(done)) or 0) // count
    looks = of_run(connection, run_id)
    if answers > max(looks, default=0):
        kept = json.dumps([*looks, answers])
        connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(looks=kept))


def of_run(connection: Connection, run_id: str) -> tuple[int, ...]:
    """Answers per column at each look at a run, oldest first."""
    return tuple(json.loads(connection.scalar(select(RUNS.c.looks).where(RUNS.c.id == run_id)) or "[]"))


def extend(connection: Connection, run: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> None:
    """Let a kept run have all of these cells: those that it has are kept under their new index, the others are added.

    Raises:
        InvalidInput: the run has a cell that is not among them.
    """
    columns = select(CELLS.c.index, *(CELLS.c[name] for name in COORDINATES)).where(CELLS.c.run_id == run["id"])
    kept = {_coordinates(row): row["index"] for row in connection.execute(columns).mappings()}
    wanted = {_coordinates(cell): cell for cell in cells}
    if not kept.keys() <= wanted.keys():
        raise InvalidInput("This run has changed meanwhile: it has answers that are not asked for here. Open it anew.")
    new = [dict(cell) for place, cell in wanted.items() if place not in kept]
    if not new:
        return
    moves = {index: int(wanted[place]["index"]) for place, index in kept.items()}
    for index, to in sorted(moves.items(), reverse=True):  # indices only grow, so that each finds its new one free
        if index != to:
            _move(connection, run["id"], index, to)
    connection.execute(insert(CELLS), new)
    _grow(connection, run, sum(cell["bytes"] for cell in new))


def _coordinates(row: Mapping[Any, Any]) -> tuple[object, ...]:
    return tuple(row[name] for name in COORDINATES)


def _move(connection: Connection, run_id: str, index: int, to: int) -> None:
    """Give a cell another index, and its artifacts with it."""
    this = and_(CELLS.c.run_id == run_id, CELLS.c.index == index)
    names = [column.name for column in CELLS.columns]
    copy = select(*(literal(to).label(name) if name == "index" else CELLS.c[name] for name in names)).where(this)
    connection.execute(insert(CELLS).from_select(names, copy))
    own = and_(ARTIFACTS.c.run_id == run_id, ARTIFACTS.c.cell == index)
    connection.execute(update(ARTIFACTS).where(own).values(cell=to))
    connection.execute(delete(CELLS).where(this))


def _grow(connection: Connection, run: Mapping[str, Any], added_bytes: int) -> None:
    """Set what changes with the run's size."""
    this = RUNS.c.id == run["id"]
    before = connection.execute(select(RUNS.c.experiment, RUNS.c.prompts).where(this)).one()
    text = text_bytes(run["experiment"], run["prompts"]) - text_bytes(before.experiment, before.prompts)
    values = {name: run[name] for name in GROWN}
    connection.execute(update(RUNS).where(this).values(bytes=RUNS.c.bytes + text + added_bytes, **values))
