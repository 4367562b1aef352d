"""How the value of a check is read: what stands after the colon of `contains:Paris`.

Each reader raises ValueError with the middle of a sentence ("needs a value"), which core.checks.dialect completes.
Knows nothing of answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

import regex as backtracking

from core.checks import numbers

MAX_PATTERN = 300
MAX_COUNT = 999_999
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "grey", "black")


def text(argument: str) -> str:
    if not argument.strip():
        raise ValueError("needs a value")
    _no_file(argument)
    return argument.strip()


def items(argument: str) -> tuple[str, ...]:
    """The items of a list with commas between them. Double quotes keep an item whole, commas, blanks and all; inside
    them a quote is written twice or after a backslash. Empty items count only in quotes."""
    parts = names(argument)
    if not parts:
        raise ValueError("needs values with commas between them")
    return parts


def names(argument: str) -> tuple[str, ...]:
    """As `items`, but none is needed."""
    _no_file(argument)
    parts: list[str] = []
    position = 0
    while position < len(argument):
        match = _ITEM.match(argument, position)
        if match is None:
            raise ValueError("has a quote that is not closed, or text after a closing quote")
        if match["quoted"] is not None:
            parts.append(_ESCAPED.sub(lambda escaped: escaped[0][1], match["quoted"]))
        elif match["bare"].strip():
            parts.append(match["bare"].strip())
        position = match.end()
    return tuple(parts)


def as_items(parts: Iterable[str]) -> str:
    """A list that `items` reads as these parts: each in quotes where it would not survive bare."""
    return ",".join(part if _BARE.fullmatch(part) else '"' + re.sub(r'(["\\])', r"\\\1", part) + '"' for part in parts)


def nothing(argument: str) -> None:
    if argument.strip():
        raise ValueError("takes no value")


def count(argument: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", argument.strip()):
        raise ValueError("needs a whole number")
    return int(argument)


def count_range(argument: str) -> tuple[int, int]:
    """(least, most) of `5`, `3-5`, or promptfoo's `{"min": 3, "max": 5}`, of which one may be missing."""
    match = re.fullmatch(r"([0-9]{1,6})(?:\s*-\s*([0-9]{1,6}))?", argument.strip())
    if match is not None:
        low, high = int(match[1]), int(match[2] or match[1])
    else:
        low, high = _limits(argument)
    if low > high:
        raise ValueError("has a least count over its greatest")
    return low, high


def seconds(argument: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", argument.strip()):
        raise ValueError("needs seconds")
    return float(argument)


def size(argument: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})\s*[x×]\s*([0-9]{1,5})", argument.strip())
    if match is None:
        raise ValueError("needs a width and a height")
    return int(match[1]), int(match[2])


def colour(argument: str) -> str:
    name = argument.strip().lower()
    name = {"gray": "grey", "violet": "purple"}.get(name, name)
    if name not in COLOURS:
        raise ValueError(f"knows the colours {', '.join(COLOURS)}")
    return name


def number(argument: str) -> Decimal:
    value = numbers.number(argument) if len(argument) <= 50 else None
    if value is None:
        raise ValueError("needs a number")
    return value


@lru_cache(maxsize=64)
def pattern(argument: str) -> backtracking.Pattern[str]:
    """Compiled by the `regex` module. Called in the process of core.checks.isolated only: compiling may take long."""
    argument = argument.strip()
    if not argument or len(argument) > MAX_PATTERN:
        raise ValueError(f"needs a pattern of 1 to {MAX_PATTERN} characters")
    _no_file(argument)
    try:
        return backtracking.compile(argument)
    except MemoryError:
        raise ValueError("has a pattern that takes too much memory to be read; simplify it") from None
    except (backtracking.error, ValueError, OverflowError, RecursionError):
        raise ValueError("has a pattern that cannot be read") from None


def _limits(argument: str) -> tuple[int, int]:
    try:
        limits = json.loads(argument)
    except (ValueError, RecursionError):
        limits = None
    bounded = isinstance(limits, dict) and limits and limits.keys() <= {"min", "max"}
    if not bounded or not all(type(limit) is int and 0 <= limit <= MAX_COUNT for limit in limits.values()):
        raise ValueError("needs a whole number, or a range such as 3-5")
    return limits.get("min", 0), limits.get("max", MAX_COUNT)


def _no_file(argument: str) -> None:
    """promptfoo would read the file. What is meant as text is found by a pattern."""
    if _FILE.match(argument):
        raise ValueError(r"reads no files; put the value itself after the colon (to find this text, regex:file:\/\/)")


_FILE = re.compile(r"\s*file://", re.IGNORECASE)
_ITEM = re.compile(r'\s*+(?:"(?P<quoted>(?:[^"\\]|""|\\.)*+)"\s*(?:,|\Z)|(?P<bare>(?!")[^,]*)(?:,|\Z))', re.DOTALL)
_ESCAPED = re.compile(r'""|\\["\\]')
_BARE = re.compile(r'(?!\s|"|file://)[^,]+(?<!\s)', re.IGNORECASE)
