"""How the value of a check is read: what stands after the colon of `contains:Paris`.

Each reader raises ValueError with the middle of a sentence ("needs a value"), which core.checks completes. Knows
nothing of answers.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import regex as timed_regex

MAX_PATTERN = 300
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "grey", "black")


def text(argument: str) -> str:
    if not argument:
        raise ValueError("needs a value")
    return argument


def items(argument: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in argument.split(",") if part.strip())
    if not found:
        raise ValueError("needs values with commas between them")
    return found


def names(argument: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in argument.split(",") if part.strip())


def nothing(argument: str) -> None:
    if argument:
        raise ValueError("takes no value")


def count(argument: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", argument):
        raise ValueError("needs a whole number")
    return int(argument)


def size(argument: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,5})\s*[x×]\s*([0-9]{1,5})", argument)
    if found is None:
        raise ValueError("needs a width and a height")
    return int(found[1]), int(found[2])


def colour(argument: str) -> str:
    name = {"gray": "grey", "violet": "purple"}.get(argument.lower(), argument.lower())
    if name not in COLOURS:
        raise ValueError(f"knows the colours {', '.join(COLOURS)}")
    return name


def number(argument: str) -> Decimal:
    try:
        found = Decimal(argument.replace(",", "").replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation:
        raise ValueError("needs a number") from None
    if not found.is_finite() or len(argument) > 50:
        raise ValueError("needs a number")
    return found


def pattern(argument: str) -> timed_regex.Pattern[str]:
    if not argument or len(argument) > MAX_PATTERN:
        raise ValueError(f"needs a pattern of 1 to {MAX_PATTERN} characters")
    try:
        return timed_regex.compile(argument)
    except (timed_regex.error, ValueError, OverflowError, RecursionError, MemoryError):
        raise ValueError("has a pattern that cannot be read") from None
