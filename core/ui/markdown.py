"""Text from people and models inside labels that Streamlit reads as Markdown: shown as it is, never interpreted."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&^=@/])")


def escape(text: str, limit: int = 120) -> str:
    """One line of at most `limit` characters in which no Markdown, directive, link or formula takes effect."""
    line = " ".join(text.split())
    short = line if len(line) <= limit else line[: limit - 1] + "…"
    return _SPECIAL.sub(r"\\\1", short)
