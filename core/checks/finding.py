"""What a check finds in an answer, and the few words that all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.text import short


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the thing looked for is there, and what was seen: a reason that serves the check and its negation."""

    holds: bool
    reason: str


class Unjudged(Exception):
    """The answer cannot be judged, so the check fails whichever way it is asked.

    `final`: it never can; else only now, for want of time or of a process.
    """

    def __init__(self, reason: str, *, final: bool = True) -> None:
        super().__init__(reason)
        self.final = final


def limit(answer: str, most: int) -> None:
    """Raises Unjudged: the answer has more characters."""
    if len(answer) > most:
        raise Unjudged(f"the answer has over {most} characters: too long for this check")


def amount(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(parts: Sequence[str]) -> str:
    return ", ".join(f"'{short(part)}'" for part in parts)
