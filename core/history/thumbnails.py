"""Small pictures of runs, made once and kept in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from core import pictures
from core.history import queries
from core.history.artifacts import ANSWER
from core.history.schema import ARTIFACTS, RUNS

MAX_KEPT = 1_000
SIDE = 64
"""Pixels of the longer side."""


class Thumbnails:
    """What the first image of each run looks like. An image is known again by its id and its size."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], bytes] = {}

    def of(self, connection: Connection, owner: str, run_ids: Sequence[str]) -> dict[str, bytes]:
        """A PNG file by run, of the owner's runs that drew something; only what is new is read whole."""
        first = _first(connection, owner, run_ids)
        new = [key for key in first.values() if key not in self._kept]
        for (number, size), picture in _read(connection, new).items():
            self._kept[number, size] = pictures.thumbnail(picture, SIDE)
        small = {run_id: self._kept.get(key, b"") for run_id, key in first.items()}
        for key in list(self._kept)[:-MAX_KEPT]:
            self._kept.pop(key, None)
        return {run_id: picture for run_id, picture in small.items() if picture}


def _first(connection: Connection, owner: str, run_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """(id, bytes) of the first image that each run drew."""
    mine = select(RUNS.c.id).where(RUNS.c.id.in_(run_ids), *queries.visible(owner))
    first = select(func.min(ARTIFACTS.c.id)).where(ARTIFACTS.c.run_id.in_(mine), ARTIFACTS.c.kind == ANSWER)
    columns = select(ARTIFACTS.c.run_id, ARTIFACTS.c.id, func.length(ARTIFACTS.c.bytes))
    rows = connection.execute(columns.where(ARTIFACTS.c.id.in_(first.group_by(ARTIFACTS.c.run_id))))
    return {run_id: (number, size) for run_id, number, size in rows}


def _read(connection: Connection, keys: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
    if not keys:
        return {}
    columns = select(ARTIFACTS.c.id, ARTIFACTS.c.bytes).where(ARTIFACTS.c.id.in_([number for number, _ in keys]))
    return {(number, len(picture)): picture for number, picture in connection.execute(columns)}
