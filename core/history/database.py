"""The history's database: opened, brought up to date, watched, read and written in transactions.

SQLite in WAL mode (readers never wait for a writer), with a busy timeout and foreign keys; any other database that
SQLAlchemy knows by its URL, with its driver installed. Knows nothing of experiments or owners. All that can go wrong
with a database file is dealt with here, and nowhere else.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from core.errors import HistoryUnavailable
from core.history.migrations import MIGRATIONS
from core.history.schema import CELLS, METADATA, RUNS, SCHEMA, VERSION

WRITE = {"diptych_write": True}
"""Execution options of a connection that will write: SQLite then takes its write lock at once. A transaction that
read first and wants to write later can be refused without waiting."""

REOPEN_SECONDS = 10.0
"""How long a database that is open for reading only waits before it is tried for writing again."""

_ONLY_READ = "Until then it can be read, and nothing new is kept."

_FOREIGN = "The history's database belongs to another program. Set DIPTYCH_DATABASE to a new one."


class Unwritable(HistoryUnavailable):
    """The database cannot be written, though it may be readable: a full disk, a read-only file or folder."""


class Database:
    """A database, open for reading and, where that is possible, for writing. Safe to use from several threads.

    One that cannot be written (a full disk, a read-only file) is opened for reading; `read_only` then says why, writing
    is refused with that sentence, and is tried again every REOPEN_SECONDS. A SQLite file that is moved away, deleted or
    replaced while it is open is neither read nor written any more.

    Raises:
        HistoryUnavailable: it cannot be opened, is damaged, or is a newer Diptych's; also from `read` and `write`.
    """

    def __init__(self, url: str, busy_seconds: float = 5.0) -> None:
        self.url = _parsed(url)
        self.read_only = ""
        self._busy_seconds = busy_seconds
        self._writing = threading.RLock()
        self._tried, self._readable_only = time.monotonic(), False
        try:
            self._engine = _open(self.url, busy_seconds)
        except Unwritable as error:
            self._engine = _open_for_reading(self.url, busy_seconds, error)
            self._readable_only, self.read_only = True, f"{error} {_ONLY_READ}"
        self._identity = self._stat()

    @property
    def file(self) -> Path | None:
        """The SQLite file, None where the database is none."""
        return Path(str(self.url.database)) if _is_file(self.url) else None

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes, one at a time; committed at the end, and rolled back by an exception."""
        with self._writing:
            self._reopen()
            self._check_file()
            try:
                with reported(self.url), self._engine.execution_options(**WRITE).begin() as connection:
                    yield connection
            except Unwritable as error:
                self.read_only = f"{error} {_ONLY_READ}"
                raise
            self._check_file()
            self.read_only = ""

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads."""
        if in_memory(self.url):  # all threads share one connection
            with self.write() as connection:
                yield connection
        else:
            self._check_file()
            with reported(self.url), self._engine.connect() as connection:
                yield connection

    def _reopen(self) -> None:
        """Try a database that could only be read for writing again."""
        if not self._readable_only:
            return
        if time.monotonic() - self._tried >= REOPEN_SECONDS:
            self._tried = time.monotonic()
            with suppress(Unwritable):
                before, self._engine = self._engine, _open(self.url, self._busy_seconds)
                self._readable_only, self._identity = False, self._stat()
                before.dispose()
                return
        raise Unwritable(self.read_only)

    def _stat(self) -> tuple[int, int] | None:
        """Which file this is, however it is named; None where there is none."""
        try:
            status = self.file.stat() if self.file else None
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if status else None

    def _check_file(self) -> None:
        if self._stat() != self._identity:
            raise HistoryUnavailable(
                f"{_named(self.url)} was moved away, deleted or replaced while Diptych was running, so nothing is read "
                "from it or written to it. Put it back, or restart Diptych to go on with what is there now."
            )


@contextmanager
def reported(url: URL) -> Iterator[None]:
    """Database errors as one sentence that says what to do; never the statement, its values or a password."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise HistoryUnavailable(f"The history's database needs the Python package '{error.name}'.") from None
    except DBAPIError as error:
        raise _translated(url, str(error.orig).lower()) from None
    except SQLAlchemyError as error:
        raise HistoryUnavailable(f"{_named(url)} cannot be used ({type(error).__name__}).") from None


def in_memory(url: URL) -> bool:
    """Whether this is a SQLite database without a file, which all threads must share one connection to."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _open(url: URL, busy_seconds: float) -> Engine:
    """An engine for reading and writing; tables are made or migrated in one transaction, where there is need."""
    _make_folder(url)
    with reported(url):
        engine = _engine(url, busy_seconds)
    try:
        with reported(url):
            with engine.connect() as connection:
                current = _version(connection) == VERSION
            if not current:
                with engine.execution_options(**WRITE).begin() as connection:
                    _bring_up(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _open_for_reading(url: URL, busy_seconds: float, error: Unwritable) -> Engine:
    """An engine that only reads a SQLite file; raises the error where even that is impossible."""
    for options in _reading_options(url):
        engine = _engine(make_url(f"sqlite:///file:{quote(str(url.database))}?{options}&uri=true"), busy_seconds, False)
        with suppress(HistoryUnavailable), reported(url), engine.connect() as connection:
            if _version(connection) == VERSION:
                return engine
        engine.dispose()
    raise error


def _reading_options(url: URL) -> list[str]:
    """How SQLite may open the file: as usual, and without its log where that holds nothing. A log's index cannot be
    made where nothing can be written."""
    if not _is_file(url) or not Path(str(url.database)).is_file():
        return []
    log = Path(f"{url.database}-wal")
    return ["mode=ro"] if log.exists() and log.stat().st_size else ["mode=ro", "mode=ro&immutable=1"]


def _version(connection: Connection) -> int | None:
    """The version of the tables, None where there are none.

    Raises:
        HistoryUnavailable: they are another program's, or a newer Diptych's.
    """
    tables = set(inspect(connection).get_table_names())
    if SCHEMA.name not in tables:
        if tables & {RUNS.name, CELLS.name}:
            raise HistoryUnavailable(_FOREIGN)
        return None
    version = connection.scalar(select(SCHEMA.c.version))
    if version is not None and (not isinstance(version, int) or version < 1):
        raise HistoryUnavailable(_FOREIGN)
    if version is not None and version > VERSION:
        raise HistoryUnavailable(
            f"The history was written by a newer Diptych (format {version}; this one knows {VERSION}). "
            "Update Diptych, or set DIPTYCH_DATABASE to another file."
        )
    return version


def _bring_up(connection: Connection) -> None:
    version = _version(connection)  # once more: another process may have been quicker
    if version is None:
        METADATA.create_all(connection)
        connection.execute(insert(SCHEMA).values(version=VERSION))
        return
    for step in range(version + 1, VERSION + 1):
        MIGRATIONS[step](connection)
    connection.execute(update(SCHEMA).values(version=VERSION))


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise HistoryUnavailable(
            "DIPTYCH_DATABASE is not a database URL, such as sqlite:////srv/diptych/history.db."
        ) from None


def _make_folder(url: URL) -> None:
    if not _is_file(url):
        return
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise HistoryUnavailable(f"{_named(url)} cannot be opened: its folder cannot be made.") from None


def _engine(url: URL, busy_seconds: float, writes: bool = True) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    arguments: dict[str, Any] = {"connect_args": {"timeout": busy_seconds, "check_same_thread": False}}
    if in_memory(url):
        arguments["poolclass"] = StaticPool
    engine = create_engine(url, **arguments)
    event.listen(engine, "connect", partial(_prepare, busy_seconds, writes))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(busy_seconds: float, writes: bool, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 then leaves BEGIN to us
    cursor = connection.cursor()
    if writes:
        _use_write_ahead_log(cursor, busy_seconds)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_write_ahead_log(cursor: sqlite3.Cursor, busy_seconds: float) -> None:
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


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and not in_memory(url) and not str(url.database).startswith("file:")


def _named(url: URL) -> str:
    return f"The history at {url.database}" if _is_file(url) else "The history's database"


_ADVICE = {
    "not a database": "is damaged or not a SQLite file. Move it away to start a new history.",
    "malformed": "is damaged. Move it away to start a new history, or restore a copy.",
    "locked": "is in use by another program. Close that, then try again.",
}

_UNWRITABLE = {
    "readonly": "cannot be written. Allow writing to the file and its folder.",
    "unable to open": "cannot be opened for writing. Check that its folder exists and can be written.",
    "full": "cannot be written: the disk is full. Make room.",
    "i/o error": "cannot be read or written. Check the disk, and that it is not full.",
}


def _translated(url: URL, error: str) -> HistoryUnavailable:
    for words, advice in _UNWRITABLE.items():
        if words in error:
            return Unwritable(f"{_named(url)} {advice}")
    advice = next((advice for words, advice in _ADVICE.items() if words in error), "does not answer. Try again later.")
    return HistoryUnavailable(f"{_named(url)} {advice}")
