"""How an older history's tables become newer ones, a version at a time. Each step runs once, in a transaction."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, and_, func, select, text, update

from core.history.artifacts import PROMPT
from core.history.growth import keep_look
from core.history.schema import ARTIFACTS, CELLS, DRAFTS, METADATA, RUNS, SERVERS, UNGRADED
from core.history.search import folded, folded_answer
from core.history.storage import text_bytes
from core.types import State


def _to_2(connection: Connection) -> None:
    """Version 2 deletes softly, knows batches, keeps artifacts and drafts, and finds the latest runs quickly."""
    connection.execute(text("ALTER TABLE runs ADD COLUMN deleted FLOAT"))
    connection.execute(text("ALTER TABLE cells ADD COLUMN batch_size INTEGER NOT NULL DEFAULT 1"))
    METADATA.create_all(connection, tables=[ARTIFACTS, DRAFTS])
    connection.execute(text("CREATE INDEX runs_by_time ON runs (created)"))


def _to_3(connection: Connection) -> None:
    """Version 3 says provenance where it said recipe, and knows a cell's combination of parameter values."""
    connection.execute(text("ALTER TABLE cells RENAME COLUMN recipe TO provenance"))
    connection.execute(text("ALTER TABLE cells ADD COLUMN setting INTEGER NOT NULL DEFAULT 0"))


def _to_4(connection: Connection) -> None:
    """Version 4 knows which server runs what, which cells are not graded yet, how many bytes an owner has stored, and
    text to search in any case and normalisation."""
    for column in ("server VARCHAR(64)", "bytes BIGINT NOT NULL DEFAULT 0", "folded_title TEXT NOT NULL DEFAULT ''"):
        connection.execute(text(f"ALTER TABLE runs ADD COLUMN {column}"))
    for column in ("ungraded BOOLEAN NOT NULL DEFAULT false", "bytes BIGINT NOT NULL DEFAULT 0", "folded TEXT"):
        connection.execute(text(f"ALTER TABLE cells ADD COLUMN {column}"))
    METADATA.create_all(connection, tables=[SERVERS])
    UNGRADED.create(connection)
    for run_id in connection.scalars(select(RUNS.c.id)).all():
        _measure_and_fold(connection, run_id)


def _measure_and_fold(connection: Connection, run_id: str) -> None:
    length = select(ARTIFACTS.c.cell, ARTIFACTS.c.kind, func.length(ARTIFACTS.c.bytes))
    files = connection.execute(length.where(ARTIFACTS.c.run_id == run_id)).tuples().all()
    cells = select(CELLS.c.index, CELLS.c.text, CELLS.c.provenance, CELLS.c.logprobs).where(CELLS.c.run_id == run_id)
    total = 0
    for index, answer, provenance, logprobs in connection.execute(cells).tuples().all():
        count = text_bytes(answer, provenance, logprobs)
        count += sum(size for cell, kind, size in files if cell == index and kind != PROMPT)
        this = and_(CELLS.c.run_id == run_id, CELLS.c.index == index)
        connection.execute(update(CELLS).where(this).values(bytes=count, folded=folded_answer(answer)))
        total += count
    columns = select(RUNS.c.title, RUNS.c.prompts, RUNS.c.experiment).where(RUNS.c.id == run_id)
    title, prompts, experiment = connection.execute(columns).tuples().one()
    total += text_bytes(prompts, experiment) + sum(size for _, kind, size in files if kind == PROMPT)
    values = {"bytes": total, "prompts": folded(prompts), "folded_title": folded(title)}
    connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(values))


def _to_5(connection: Connection) -> None:
    """Version 5 marks A=A tests, and keeps the looks at a run that grows; one that has ended was looked at once."""
    connection.execute(text("ALTER TABLE runs ADD COLUMN aa_test BOOLEAN NOT NULL DEFAULT false"))
    connection.execute(text("ALTER TABLE runs ADD COLUMN looks TEXT NOT NULL DEFAULT '[]'"))
    ended = [state.value for state in State if state.final]
    for run_id in connection.scalars(select(RUNS.c.id).where(RUNS.c.state.in_(ended))).all():
        keep_look(connection, run_id)


MIGRATIONS: dict[int, Callable[[Connection], None]] = {2: _to_2, 3: _to_3, 4: _to_4, 5: _to_5}
"""How to reach each version from the one before."""
