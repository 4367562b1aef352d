"""How the history's database is opened, brought up to date, and spoken of when it fails.

SQLite in WAL mode (readers never wait for a writer), with a busy timeout and foreign keys; any other database that
SQLAlchemy knows by its URL, with its driver installed. Knows nothing of experiments or owners.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from core.errors import HistoryUnavailable
from core.history.schema import CELLS, METADATA, MIGRATIONS, RUNS, SCHEMA, VERSION

WRITE = {"diptych_write": True}
"""Execution options of a connection that will write: SQLite then takes its write lock at once. A transaction that
read first and wants to write later can be refused without waiting."""

_FOREIGN = "The history's database belongs to another program. Set DIPTYCH_DATABASE to a new one."


def connect(url: str, busy_seconds: float = 5.0) -> Engine:
    """Open the database, make or migrate its tables in one transaction, and return its engine.

    Raises:
        HistoryUnavailable: it cannot be opened or written, is damaged, or was made by a newer Diptych.
    """
    place = _parsed(url)
    _make_folder(place)
    with reported(place):
        engine = _engine(place, busy_seconds)
    try:
        with reported(place), engine.execution_options(**WRITE).begin() as connection:
            _bring_up(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def reported(place: URL) -> Iterator[None]:
    """Database errors as one sentence that says what to do; never the statement, its values or a password."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise HistoryUnavailable(f"The history's database needs the Python package '{error.name}'.") from None
    except DBAPIError as error:
        raise HistoryUnavailable(f"{_named(place)} {_advice(str(error.orig).lower())}") from None
    except SQLAlchemyError as error:
        raise HistoryUnavailable(f"{_named(place)} cannot be used ({type(error).__name__}).") from None


def _bring_up(connection: Connection) -> None:
    tables = set(inspect(connection).get_table_names())
    if SCHEMA.name not in tables and tables & {RUNS.name, CELLS.name}:
        raise HistoryUnavailable(_FOREIGN)
    METADATA.create_all(connection, tables=[SCHEMA])
    found = connection.scalar(select(SCHEMA.c.version))
    if found is None:
        METADATA.create_all(connection)
        connection.execute(insert(SCHEMA).values(version=VERSION))
        return
    if not isinstance(found, int) or found < 1:
        raise HistoryUnavailable(_FOREIGN)
    if found > VERSION:
        raise HistoryUnavailable(
            f"The history was written by a newer Diptych (format {found}; this one knows {VERSION}). "
            "Update Diptych, or set DIPTYCH_DATABASE to another file."
        )
    for version in range(found + 1, VERSION + 1):
        MIGRATIONS[version](connection)
    connection.execute(update(SCHEMA).values(version=VERSION))


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise HistoryUnavailable(
            "DIPTYCH_DATABASE is not a database URL, such as sqlite:////srv/diptych/history.db."
        ) from None


def _make_folder(place: URL) -> None:
    if not _is_file(place):
        return
    try:
        Path(str(place.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise HistoryUnavailable(f"{_named(place)} cannot be opened: its folder cannot be made.") from None


def _engine(place: URL, busy_seconds: float) -> Engine:
    if place.get_backend_name() != "sqlite":
        return create_engine(place, pool_pre_ping=True)
    arguments: dict[str, Any] = {"connect_args": {"timeout": busy_seconds, "check_same_thread": False}}
    if in_memory(place):
        arguments["poolclass"] = StaticPool
    engine = create_engine(place, **arguments)
    event.listen(engine, "connect", partial(_prepare, busy_seconds))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(busy_seconds: float, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 then leaves BEGIN to us
    cursor = connection.cursor()
    _keep_a_log(cursor, busy_seconds)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _keep_a_log(cursor: sqlite3.Cursor, busy_seconds: float) -> None:
    """WAL mode. SQLite waits for a lock everywhere but here: two that open a new file at once would fail at once."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("diptych_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def in_memory(place: URL) -> bool:
    """Whether this is a SQLite database without a file, which all threads must share one connection to."""
    return place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:")


def _is_file(place: URL) -> bool:
    return place.get_backend_name() == "sqlite" and not in_memory(place) and not str(place.database).startswith("file:")


def _named(place: URL) -> str:
    return f"The history at {place.database}" if _is_file(place) else "The history's database"


def _advice(error: str) -> str:
    known = {
        "not a database": "is damaged or not a SQLite file. Move it away to start a new history.",
        "malformed": "is damaged. Move it away to start a new history, or restore a copy.",
        "readonly": "cannot be written. Allow writing to the file and its folder.",
        "locked": "is in use by another program. Close that, then try again.",
        "unable to open": "cannot be opened. Check that its folder exists and can be written.",
        "full": "cannot be written: the disk is full.",
    }
    return next((advice for words, advice in known.items() if words in error), "does not answer. Try again later.")
