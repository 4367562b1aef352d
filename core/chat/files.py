"""A conversation as plain JSON, as a file to keep and as a file to read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.chat import Conversation, ModelReply, Turn, Version
from core.chat.experiments import ChatSettings
from core.errors import InvalidInput

_FIRST_NAMES = {"turns": "exchanges", "replies": "sides"}
"""Fields under the names of the files' first version, which histories still hold."""


def to_dict(conversation: Conversation) -> dict[str, Any]:
    """The conversation as plain JSON values."""
    return asdict(conversation)


def from_dict(data: Mapping[str, Any]) -> Conversation:
    """Read what `to_dict` wrote, now or in the first version.

    Raises:
        InvalidInput: it is of another shape.
    """
    try:
        return Conversation(turns=tuple(_turn(entry) for entry in _field(data, "turns")))
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise InvalidInput("This chat was kept by another Diptych and cannot be read.") from error


def as_json(conversation: Conversation, settings: ChatSettings) -> str:
    """The whole conversation as a file: every version of every reply, the system part and the parameters."""
    data = {"format": "diptych-chat", "version": 2, **to_dict(conversation)}
    data |= {"system": settings.system, "parameters": dict(settings.parameters)}
    return json.dumps(data, indent=1, default=list)


def as_markdown(conversation: Conversation, settings: ChatSettings) -> str:
    """The conversation to read: every message and the chosen replies, as quotations, so that nothing in them takes
    effect."""
    parts = ["# Chat"]
    if settings.system.strip():
        parts.append(f"**System**\n\n{_fenced(settings.system)}")
    for turn in conversation.turns:
        parts.append(f"**You**\n\n{_fenced(turn.message)}")
        for reply in turn.replies:
            parts.append(f"**{reply.model}**\n\n{_fenced(reply.version.text)}")
    return "\n\n".join(parts) + "\n"


def _field(data: Mapping[str, Any], name: str) -> Any:
    return data[name] if name in data else data[_FIRST_NAMES[name]]


def _turn(entry: Mapping[str, Any]) -> Turn:
    replies = tuple(
        ModelReply(model=str(r["model"]), versions=tuple(Version(**v) for v in r["versions"]), chosen=int(r["chosen"]))
        for r in _field(entry, "replies")
    )
    return Turn(message=str(entry["message"]), images=tuple(map(str, entry["images"])), replies=replies)


def _fenced(text: str) -> str:
    """A block that no text can close: its fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
