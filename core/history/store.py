"""A database that several threads read and write, one writer at a time. Knows no table's meaning."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from core.history import database


class Store:
    """The database behind a URL, open.

    Raises:
        HistoryUnavailable: it cannot be opened, read or written; here and in every method.
    """

    def __init__(self, url: str, busy_seconds: float) -> None:
        self._engine = database.connect(url, busy_seconds)
        self._writing = threading.RLock()
        self._shared = database.in_memory(self._engine.url)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        writer = self._engine.execution_options(**database.WRITE)
        with database.reported(self._engine.url), self._writing, writer.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        if self._shared:
            with self._write() as connection:
                yield connection
        else:
            with database.reported(self._engine.url), self._engine.connect() as connection:
                yield connection
