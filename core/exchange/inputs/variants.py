"""A prompt of promptfoo's as a variant: a text, a labelled text, or a chat of a system and a user part."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from core import prompts
from core.errors import InvalidInput
from core.exchange.documents import text_of
from core.experiment.serialize import MAX_TEXT
from core.text import short
from core.types import Variant

_LETTER = re.compile(r"[A-Z] \u00b7 (?=.)")
"""What Diptych's export puts before a name."""

_FILE = re.compile(
    r"\s*(?:file|package|exec|https?)://.*|\s*[^\s{}]+\.(?:txt|md|json|jsonl|ya?ml|j2|csv|[cm]?js|ts|py|sh)(?::\S+)?\s*",
    re.DOTALL,
)


def variant_from(prompt: object) -> tuple[Variant, tuple[str, ...]]:
    """(the variant, its name "" where it has none; sentences on what is assumed).

    Raises:
        InvalidInput: says why the prompt is not taken over.
    """
    label, content = "", prompt
    if isinstance(prompt, Mapping):
        label = _LETTER.sub("", text_of(prompt.get("label") or prompt.get("display")))
        content = prompt.get("raw", prompt.get("id"))
        others = sorted(str(name) for name in set(prompt) - {"raw", "id", "label", "display"})
        notes = [f"Of this prompt these fields are not taken over: {short(', '.join(others), 200)}."] if others else []
    else:
        notes = []
    if not isinstance(content, str) or not content.strip():
        raise InvalidInput("This prompt has no text that can be taken over; put its text there.")
    if _FILE.fullmatch(content):
        raise InvalidInput(f"'{short(content.strip(), 80)}' names a file, which is not read; put its text there.")
    if len(content) > MAX_TEXT:
        raise InvalidInput(f"This prompt has more than {MAX_TEXT:,} characters.")
    system, user = _parts(content)
    problems = [prompts.read(part).problem for part in (system, user)]
    notes += [problem for problem in problems if problem]
    return Variant(name=label, user=user, system=system), tuple(notes)


def _parts(content: str) -> tuple[str, str]:
    """(system, user) of a chat written as JSON; of any other text ("", the text).

    Raises:
        InvalidInput: the chat has other parts than these.
    """
    messages = _chat(content)
    if messages is None:
        return "", content
    parts = [(message.get("role"), message.get("content")) for message in messages]
    texts = {role: text for role, text in parts if isinstance(text, str)}
    if [role for role, _ in parts] in (["user"], ["system", "user"]) and len(texts) == len(parts):
        return texts.get("system", ""), texts["user"]
    raise InvalidInput("This chat has other messages than a system and a user text; write it as one prompt.")


def _chat(content: str) -> list[Mapping[str, Any]] | None:
    """The messages of a chat; None where the text is none."""
    if not content.lstrip().startswith("["):
        return None
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    chat = isinstance(data, list) and data and all(isinstance(item, Mapping) and "role" in item for item in data)
    return data if chat else None
