"""A talk as plain JSON, as a file to keep and as a file to read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.chat import Exchange, Side, Talk, Version
from core.chat.experiments import Manner
from core.errors import InvalidInput


def to_dict(talk: Talk) -> dict[str, Any]:
    """The talk as plain JSON values."""
    return asdict(talk)


def from_dict(data: Mapping[str, Any]) -> Talk:
    """Read what `to_dict` wrote.

    Raises:
        InvalidInput: it is of another shape.
    """
    try:
        return Talk(exchanges=tuple(_exchange(entry) for entry in data["exchanges"]))
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise InvalidInput("This chat was kept by another Diptych and cannot be read.") from error


def as_json(talk: Talk, manner: Manner) -> str:
    """The whole talk as a file: every version of every answer, the system part and the parameters."""
    kept = {"format": "diptych-chat", "version": 1, **to_dict(talk)}
    return json.dumps(kept | {"system": manner.system, "parameters": dict(manner.parameters)}, indent=1, default=list)


def as_markdown(talk: Talk, manner: Manner) -> str:
    """The talk to read: every message and the chosen answers, as quotations, so that nothing in them takes effect."""
    parts = ["# Chat"]
    if manner.system.strip():
        parts.append(f"**System**\n\n{_fenced(manner.system)}")
    for exchange in talk.exchanges:
        parts.append(f"**You**\n\n{_fenced(exchange.message)}")
        for side in exchange.sides:
            parts.append(f"**{side.model}**\n\n{_fenced(side.version.text)}")
    return "\n\n".join(parts) + "\n"


def _exchange(entry: Mapping[str, Any]) -> Exchange:
    sides = tuple(
        Side(model=str(s["model"]), versions=tuple(Version(**v) for v in s["versions"]), chosen=int(s["chosen"]))
        for s in entry["sides"]
    )
    return Exchange(message=str(entry["message"]), images=tuple(map(str, entry["images"])), sides=sides)


def _fenced(text: str) -> str:
    """A block that no text can close: its fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
