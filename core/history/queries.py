"""What the history says to its tables: which runs an owner sees, what their cells come to, how fast models were, how
a run begins and ends, and what a server that stopped has left behind.

Every condition is bound, never pasted. Knows nothing of transactions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, exists, func, insert, or_, select, update

from core.errors import InvalidInput
from core.experiment.estimate import effort
from core.experiment.grid import GridCell
from core.history import growth, search, storage
from core.history.schema import CELLS, DRAFTS, RUNS
from core.text import clean
from core.types import Cell, State

SPEED_RUNS = 50
PURGE_SECONDS = 24 * 3600.0
OPEN_STATES = [state.value for state in State if not state.final]


def visible(owner: str) -> tuple[ColumnElement[bool], ...]:
    return RUNS.c.owner == clean(owner), RUNS.c.deleted.is_(None)


def chosen(owner: str, text: str, page: str | None, starred: bool) -> list[ColumnElement[bool]]:
    """The condition of a search (see History.search)."""
    conditions = [*visible(owner), *search.matches(text)]
    if page is not None:
        conditions.append(RUNS.c.page == clean(page))
    if starred:
        conditions.append(RUNS.c.starred.is_(True))
    return conditions


def run(connection: Connection, owner: str, run_id: str) -> dict[str, Any]:
    """The columns of a run that the owner sees, none where there is no such run."""
    row = connection.execute(select(RUNS).where(RUNS.c.id == run_id, *visible(owner))).mappings().first()
    return dict(row or {})


def cells(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """The columns of a run's cells, in order."""
    columns = select(CELLS).where(CELLS.c.run_id == run_id).order_by(CELLS.c.index)
    return [dict(row) for row in connection.execute(columns).mappings()]


def totals(connection: Connection, run_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What the cells of each run come to; runs without cells are left out."""

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    summed = select(
        CELLS.c.run_id,
        func.count().label("cells"),
        number(CELLS.c.state == State.DONE.value).label("done"),
        number(CELLS.c.passed.is_(True)).label("passed"),
        number(CELLS.c.passed.is_not(None)).label("judged"),
        func.sum(CELLS.c.tokens).label("tokens"),
        func.sum(CELLS.c.seconds / CELLS.c.batch_size).label("seconds"),
    ).where(CELLS.c.run_id.in_(run_ids))
    rows = connection.execute(summed.group_by(CELLS.c.run_id)).mappings()
    return {row["run_id"]: dict(row) for row in rows}


def speeds(connection: Connection) -> dict[str, float]:
    """Plain units per second by model id (see `effort`): the median over the recent runs."""
    recent = select(RUNS.c.id).order_by(RUNS.c.created.desc()).limit(SPEED_RUNS)
    seconds = func.sum(CELLS.c.seconds / CELLS.c.batch_size)
    measured = (
        select(CELLS.c.model, func.sum(CELLS.c.tokens), seconds, func.max(CELLS.c.provenance))
        .where(CELLS.c.run_id.in_(recent), CELLS.c.state == State.DONE.value)
        .where(CELLS.c.seconds > 0, CELLS.c.tokens > 0)
        .group_by(CELLS.c.model, CELLS.c.run_id)
    )
    by_model: dict[str, list[float]] = {}
    for model, tokens, spent, provenance in connection.execute(measured):
        by_model.setdefault(model, []).append(tokens / spent * effort(model, json.loads(provenance)))
    return {model: median(speeds) for model, speeds in by_model.items()}


def left_over(connection: Connection, alive: Sequence[str], now: float) -> bool:
    """Whether `recover` has something to do."""
    return any(connection.scalar(select(exists().where(condition))) for condition in (_orphaned(alive), _gone(now)))


def recover(connection: Connection, alive: Sequence[str], now: float) -> None:
    """Mark what servers that are not alive left unfinished, and remove for good what was deleted over a day before
    `now`."""
    storage.remove(connection, _gone(now))
    orphaned = select(RUNS.c.id).where(_orphaned(alive))
    cells = and_(CELLS.c.run_id.in_(orphaned), CELLS.c.state.in_(OPEN_STATES))
    connection.execute(update(CELLS).where(cells).values(state=State.INTERRUPTED.value))
    connection.execute(update(RUNS).where(_orphaned(alive)).values(state=State.INTERRUPTED.value))


def _orphaned(alive: Sequence[str]) -> ColumnElement[bool]:
    return and_(RUNS.c.state.in_(OPEN_STATES), or_(RUNS.c.server.is_(None), RUNS.c.server.not_in(alive)))


def _gone(now: float) -> ColumnElement[bool]:
    return RUNS.c.deleted < now - PURGE_SECONDS


def begin(
    connection: Connection, run: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], alive: Sequence[str]
) -> bool:
    """Add a run and its cells, or let a known one go on, with what it has more of now; False where the known one is
    another owner's. A known one has been looked at before it goes on.

    Raises:
        InvalidInput: another server that is alive runs it; or it has cells that are not among these.
    """
    columns = select(RUNS.c.owner, RUNS.c.state, RUNS.c.server).where(RUNS.c.id == run["id"])
    before = connection.execute(columns).mappings().first()
    if before is None:
        connection.execute(insert(RUNS).values(dict(run)))
        if cells:
            connection.execute(insert(CELLS), [dict(cell) for cell in cells])
        return True
    if before["owner"] != run["owner"]:
        return False
    if before["state"] in OPEN_STATES and before["server"] != run["server"] and before["server"] in alive:
        raise InvalidInput("This run is under way on another server. Wait for its end, or run the experiment anew.")
    if before["state"] not in OPEN_STATES:
        growth.keep_look(connection, run["id"])
    growth.extend(connection, run, cells)
    again = {name: run[name] for name in ("state", "server")}
    connection.execute(update(RUNS).where(RUNS.c.id == run["id"]).values(again))
    return True


def finish(connection: Connection, cell: Mapping[str, Any]) -> bool:
    """Set what became of a cell, and count its bytes with its run's; False where there is no such cell."""
    this = and_(CELLS.c.run_id == cell["run_id"], CELLS.c.index == cell["index"])
    before = connection.scalar(select(CELLS.c.bytes).where(this))
    if before is None:
        return False
    connection.execute(update(CELLS).where(this).values(dict(cell)))
    grown = update(RUNS).where(RUNS.c.id == cell["run_id"]).values(bytes=RUNS.c.bytes + (cell["bytes"] - before))
    connection.execute(grown)
    return True


def ungraded(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Cells that wait to be graded, with their run's owner and experiment."""
    columns = select(CELLS, RUNS.c.owner, RUNS.c.experiment).join(RUNS, RUNS.c.id == CELLS.c.run_id)
    waiting = columns.where(CELLS.c.ungraded.is_(True)).order_by(RUNS.c.created, CELLS.c.index).limit(limit)
    return [dict(row) for row in connection.execute(waiting).mappings()]


def graded(connection: Connection, run_id: str, cell: Cell | GridCell, passed: bool | None) -> None:
    """Set whether a cell passes its checks. It is found by its coordinates: its index changes when the run grows."""
    own = ((CELLS.c[name], getattr(cell, name)) for name in ("model", "variant", "setting", "input", "sample"))
    this = and_(CELLS.c.run_id == run_id, *(column == value for column, value in own))
    connection.execute(update(CELLS).where(this).values(passed=passed, ungraded=False))


def end(connection: Connection, run_id: str, state: State, left: State) -> bool:
    """Set how a run ended, and `left` for its cells that are not final; False where there is no such run."""
    unfinished = and_(CELLS.c.run_id == run_id, CELLS.c.state.in_(OPEN_STATES))
    connection.execute(update(CELLS).where(unfinished).values(state=left.value))
    known = connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(state=state.value)).rowcount
    growth.keep_look(connection, run_id)
    return bool(known)


def draft(connection: Connection, owner: str, page: str) -> str | None:
    """What the owner last kept of a page, as JSON."""
    mine = and_(DRAFTS.c.owner == clean(owner), DRAFTS.c.page == clean(page))
    return connection.scalar(select(DRAFTS.c.experiment).where(mine))


def keep_draft(connection: Connection, owner: str, page: str, experiment: str, now: float) -> None:
    """Put a draft in the place of the one before."""
    key = {"owner": clean(owner), "page": clean(page)}
    mine = and_(DRAFTS.c.owner == key["owner"], DRAFTS.c.page == key["page"])
    values = {"experiment": experiment, "changed": now}
    if not connection.execute(update(DRAFTS).where(mine).values(values)).rowcount:
        connection.execute(insert(DRAFTS).values(key | values))


def change_owner(connection: Connection, owner: str, to: str) -> None:
    """Let one owner's runs and drafts be another's."""
    old, new = clean(owner), clean(to)
    connection.execute(update(RUNS).where(RUNS.c.owner == old).values(owner=new))
    for page, changed in connection.execute(select(DRAFTS.c.page, DRAFTS.c.changed).where(DRAFTS.c.owner == old)).all():
        theirs = and_(DRAFTS.c.owner == new, DRAFTS.c.page == page)
        newer = (connection.scalar(select(DRAFTS.c.changed).where(theirs)) or 0.0) > changed
        mine = and_(DRAFTS.c.owner == old, DRAFTS.c.page == page)
        connection.execute(delete(DRAFTS).where(mine if newer else theirs))
        connection.execute(update(DRAFTS).where(mine).values(owner=new))
