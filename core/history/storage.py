"""How much an owner's history holds, and what happens when that is all that a deployment keeps for one visitor."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, select

from core.errors import HistoryFull
from core.history.schema import ARTIFACTS, CELLS, RUNS
from core.text import in_words
from core.types import Cell, Output


def text_bytes(*texts: str | None) -> int:
    """How many bytes texts take in UTF-8; None takes none."""
    return sum(len(text) if text.isascii() else len(text.encode("utf-8", "replace")) for text in texts if text)


def file_bytes(output: Output | None) -> int:
    """How many bytes the images and the sound of an answer take."""
    return 0 if output is None else sum(map(len, output.images)) + len(output.audio)


def attached_bytes(cells: Sequence[Cell]) -> int:
    """How many bytes the images take that are attached to the prompts of these cells, each counted once."""
    images = {image for cell in cells for message in cell.request.messages for image in message.images}
    return sum(map(len, images))


def stored(connection: Connection, owner: str) -> int:
    """How many bytes the owner's runs hold, deleted ones too as long as they can be brought back."""
    return int(connection.scalar(select(func.sum(RUNS.c.bytes)).where(RUNS.c.owner == owner)) or 0)


def make_room(connection: Connection, owner: str, limit: int) -> None:
    """See that the owner holds less than `limit` bytes (0: no limit), if need be by removing deleted runs for good.

    Raises:
        HistoryFull: what is not deleted is too much by itself.
    """
    if not limit or stored(connection, owner) < limit:
        return
    remove(connection, RUNS.c.owner == owner, RUNS.c.deleted.is_not(None))
    if (held := stored(connection, owner)) >= limit:
        raise HistoryFull(
            f"Your history holds {in_words(held)}, and {in_words(limit)} are kept for one visitor here. Delete runs "
            "on the History page (what you want to keep can be exported there first), then try again."
        )


def remove(connection: Connection, *conditions: ColumnElement[bool]) -> None:
    """Remove runs for good, with their cells and artifacts."""
    gone = select(RUNS.c.id).where(*conditions)
    for table in (ARTIFACTS, CELLS):
        connection.execute(delete(table).where(table.c.run_id.in_(gone)))
    connection.execute(delete(RUNS).where(*conditions))
