"""The files of a run: images that were attached to its prompts, and what its models made besides text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from core import pictures
from core.history.schema import ARTIFACTS
from core.types import Cell, Output

PROMPT, ANSWER, SOUND = "prompt", "answer", "sound"


def keep_prompts(connection: Connection, run_id: str, cells: Sequence[Cell]) -> None:
    """Keep every image that is attached to a prompt of these cells, each once, with the first cell that has it."""
    first: dict[bytes, int] = {}
    for cell in cells:
        for message in cell.request.messages:
            for picture in message.images:
                first.setdefault(picture, cell.index)
    connection.execute(delete(ARTIFACTS).where(ARTIFACTS.c.run_id == run_id, ARTIFACTS.c.kind == PROMPT))
    _insert(connection, run_id, PROMPT, [(cell, picture) for picture, cell in first.items()])


def keep_answer(connection: Connection, run_id: str, cell: int, output: Output | None) -> None:
    """Keep what a cell's model drew and let hear, in place of what was there."""
    mine = (ARTIFACTS.c.run_id == run_id, ARTIFACTS.c.cell == cell, ARTIFACTS.c.kind.in_((ANSWER, SOUND)))
    connection.execute(delete(ARTIFACTS).where(*mine))
    if output is not None:
        _insert(connection, run_id, ANSWER, [(cell, picture) for picture in output.images])
        _insert(connection, run_id, SOUND, [(cell, output.audio)] if output.audio else [])


def attached(connection: Connection, run_id: str) -> dict[str, bytes]:
    """The images of a run's prompts, by reference (core.pictures)."""
    kept = select(ARTIFACTS.c.bytes).where(ARTIFACTS.c.run_id == run_id, ARTIFACTS.c.kind == PROMPT)
    return {pictures.reference(picture): picture for picture in connection.scalars(kept)}


@dataclass(frozen=True, slots=True)
class Files:
    """What the models of a run made besides text, by cell."""

    images: Mapping[int, tuple[bytes, ...]]
    sounds: Mapping[int, bytes]


def of_run(connection: Connection, run_id: str) -> Files:
    """What the models of a run drew and let hear."""
    columns = select(ARTIFACTS.c.cell, ARTIFACTS.c.kind, ARTIFACTS.c.bytes).where(ARTIFACTS.c.run_id == run_id)
    images: dict[int, tuple[bytes, ...]] = {}
    sounds: dict[int, bytes] = {}
    for cell, kind, file in connection.execute(columns.order_by(ARTIFACTS.c.id)).tuples():
        if kind == ANSWER:
            images[cell] = (*images.get(cell, ()), file)
        elif kind == SOUND:
            sounds[cell] = file
    return Files(images, sounds)


def _insert(connection: Connection, run_id: str, kind: str, entries: Sequence[tuple[int, bytes]]) -> None:
    if entries:
        rows = [
            {
                "run_id": run_id,
                "cell": cell,
                "kind": kind,
                "mime": "audio/wav" if kind == SOUND else _mime(picture),
                "bytes": picture,
            }
            for cell, picture in entries
        ]
        connection.execute(insert(ARTIFACTS), rows)


def _mime(picture: bytes) -> str:
    return pictures.mime(picture) or "application/octet-stream"
