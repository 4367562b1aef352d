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
from core.history.schema import ARTIFACTS, CELLS, DRAFTS, RUNS
from core.text import clean
from core.types import State

MAX_SEARCH = 200
SPEED_RUNS = 50
PURGE_SECONDS = 24 * 3600.0
OPEN_STATES = [state.value for state in State if not state.final]


def visible(owner: str) -> tuple[ColumnElement[bool], ...]:
    return RUNS.c.owner == clean(owner), RUNS.c.deleted.is_(None)


def wanted(owner: str, text: str, page: str | None, starred: bool) -> list[ColumnElement[bool]]:
    conditions = list(visible(owner))
    if page is not None:
        conditions.append(RUNS.c.page == clean(page))
    if starred:
        conditions.append(RUNS.c.starred.is_(True))
    text = clean(text).strip()
    if len(text) > MAX_SEARCH:
        raise InvalidInput(f"Search for at most {MAX_SEARCH} characters.")
    if text:
        answers = exists().where(CELLS.c.run_id == RUNS.c.id, CELLS.c.text.icontains(text, autoescape=True))
        fields = [column.icontains(text, autoescape=True) for column in (RUNS.c.title, RUNS.c.prompts)]
        conditions.append(or_(*fields, answers))
    return conditions


def run(connection: Connection, owner: str, run_id: str) -> dict[str, Any]:
    """The columns of a run that the owner sees, none where there is no such run."""
    found = connection.execute(select(RUNS).where(RUNS.c.id == run_id, *visible(owner))).mappings().first()
    return dict(found or {})


def cells(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """The columns of a run's cells, in order."""
    found = select(CELLS).where(CELLS.c.run_id == run_id).order_by(CELLS.c.index)
    return [dict(row) for row in connection.execute(found).mappings()]


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
    found = connection.execute(summed.group_by(CELLS.c.run_id)).mappings()
    return {row["run_id"]: dict(row) for row in found}


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
    return {model: median(found) for model, found in by_model.items()}


def recover(connection: Connection, now: float) -> None:
    """Mark what a dead server left unfinished, and remove for good what was deleted over a day before `now`."""
    gone = RUNS.c.deleted < now - PURGE_SECONDS
    for table in (ARTIFACTS, CELLS):
        connection.execute(delete(table).where(table.c.run_id.in_(select(RUNS.c.id).where(gone))))
    connection.execute(delete(RUNS).where(gone))
    for table in (RUNS, CELLS):
        unfinished = update(table).where(table.c.state.in_(OPEN_STATES))
        connection.execute(unfinished.values(state=State.INTERRUPTED.value))


def begin(connection: Connection, run: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> bool:
    """Add a run and its cells, or let a known one go on; False where the known one is another owner's."""
    known = connection.scalar(select(RUNS.c.owner).where(RUNS.c.id == run["id"]))
    if known is None:
        connection.execute(insert(RUNS).values(dict(run)))
        if cells:
            connection.execute(insert(CELLS), [dict(cell) for cell in cells])
    elif known == run["owner"]:
        connection.execute(update(RUNS).where(RUNS.c.id == run["id"]).values(state=run["state"]))
    return known in (None, run["owner"])


def end(connection: Connection, run_id: str, state: State, left: State) -> bool:
    """Set how a run ended, and `left` for its cells that are not final; False where there is no such run."""
    unfinished = and_(CELLS.c.run_id == run_id, CELLS.c.state.in_(OPEN_STATES))
    connection.execute(update(CELLS).where(unfinished).values(state=left.value))
    return bool(connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(state=state.value)).rowcount)


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
