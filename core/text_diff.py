"""What changed between two texts, word by word, or line by line where they are long. Uses the standard difflib."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MAX_PIECES = 4_000
"""Pieces of both texts that are compared word by word; longer texts are compared by lines."""


@dataclass(frozen=True, slots=True)
class Change:
    """A part of both texts: the same in both, only in the old, or only in the new."""

    kind: Literal["same", "removed", "added"]
    text: str


def changes(old: str, new: str) -> tuple[Change, ...]:
    """The parts in order: joined without "added" they are the old text, without "removed" the new one."""
    pieces = _WORDS.findall(old), _WORDS.findall(new)
    if sum(map(len, pieces)) > MAX_PIECES:
        pieces = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = SequenceMatcher(None, *pieces, autojunk=sum(map(len, pieces)) > MAX_PIECES)
    parts = []
    for kind, old_begin, old_end, new_begin, new_end in matcher.get_opcodes():
        removed, added = "".join(pieces[0][old_begin:old_end]), "".join(pieces[1][new_begin:new_end])
        if kind == "equal":
            parts.append(Change("same", removed))
            continue
        parts += [Change("removed", removed)] if removed else []
        parts += [Change("added", added)] if added else []
    return tuple(parts)


_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
