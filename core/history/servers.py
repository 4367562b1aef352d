"""Which servers are alive that share a history, so that only the runs of dead ones are marked as interrupted.

Each server has an id, and a row in the database that says when it was last seen; its runs carry its id. Beside a SQLite
file it also holds a lock on a file of its own, which the system lets go when the process dies, however it dies: so a
restarted server knows at once that the one before is dead. Where there is no such file (another database, a system
without flock) a server counts as dead when it was not seen for STALE_SECONDS.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, delete, insert, select, update

from core.history.schema import SERVERS

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

BEAT_SECONDS = 10.0
"""How often a server says that it is alive, while it has runs under way."""

STALE_SECONDS = 60.0


class Server:
    """This process's place among the servers of a history.

    Args:
        database: the SQLite file, None where the history is in another database.
    """

    def __init__(self, database: Path | None) -> None:
        self.id = secrets.token_hex(8)
        self._database = database if fcntl is not None else None
        self._lock: IO[bytes] | None = None

    def announce(self, connection: Connection, now: float) -> None:
        """Say in the database that this server is alive, and hold its lock."""
        self._hold()
        seen = update(SERVERS).where(SERVERS.c.id == self.id).values(seen=now)
        if not connection.execute(seen).rowcount:
            connection.execute(insert(SERVERS).values(id=self.id, seen=now))

    def alive(self, connection: Connection, now: float) -> list[str]:
        """The ids of the servers that are alive, this one among them."""
        rows = connection.execute(select(SERVERS.c.id, SERVERS.c.seen)).tuples().all()
        return [self.id, *(name for name, seen in rows if name != self.id and self._is_alive(name, seen, now))]

    def bury(self, connection: Connection, alive: Sequence[str]) -> None:
        """Forget the servers that are dead."""
        dead = connection.scalars(select(SERVERS.c.id).where(SERVERS.c.id.not_in(alive))).all()
        connection.execute(delete(SERVERS).where(SERVERS.c.id.in_(dead)))
        for name in dead:
            self._remove_lock_file(name)

    def leave(self, connection: Connection) -> None:
        """Say in the database that this server is gone."""
        connection.execute(delete(SERVERS).where(SERVERS.c.id == self.id))

    def release(self, left: bool) -> None:
        """Let go of the lock. Its file stays where `leave` could not be written: unlocked, it says the same."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if left:
            self._remove_lock_file(self.id)

    def _hold(self) -> None:
        if self._database is None or self._lock is not None:
            return
        with suppress(OSError):  # without a lock the time it was seen counts
            file = self._lock_file(self.id).open("wb")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._lock = file

    def _is_alive(self, name: str, seen: float, now: float) -> bool:
        if self._database is not None and self._lock_file(name).exists():
            return self._is_locked(name)
        return now - seen < STALE_SECONDS

    def _is_locked(self, name: str) -> bool:
        try:
            with self._lock_file(name).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _remove_lock_file(self, name: str) -> None:
        if self._database is not None:
            with suppress(OSError):
                self._lock_file(name).unlink(missing_ok=True)

    def _lock_file(self, name: str) -> Path:
        assert self._database is not None
        return Path(f"{self._database}-{Path(name).name}.lock")
