"""How a check looks at an answer: one function per check.

A look returns a Finding, whose reason says what was seen and so serves the check and its negation alike. Knows
nothing of lines, names or negation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

import regex as timed_regex

from core import code_completion
from core.text import short

MAX_SEARCHED = 20_000
MAX_JSON = 100_000
MAX_STARTS = 100
REGEX_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the thing looked for is there, and what was seen."""

    holds: bool
    reason: str


class Unjudged(Exception):
    """The answer cannot be judged, so the check fails whichever way it is asked."""


# Text.


def equals(wanted: str, answer: str) -> Finding:
    same = answer.strip() == wanted
    return Finding(same, f"the answer is '{short(wanted)}'" if same else f"the answer is not '{short(wanted)}'")


def contains(wanted: str, answer: str) -> Finding:
    there = wanted in answer
    return Finding(there, f"'{short(wanted)}' is in the answer" if there else f"no '{short(wanted)}' in the answer")


def icontains(wanted: str, answer: str) -> Finding:
    return Finding(wanted.casefold() in answer.casefold(), contains(wanted.casefold(), answer.casefold()).reason)


def contains_any(wanted: tuple[str, ...], answer: str) -> Finding:
    found = [part for part in wanted if part in answer]
    return Finding(
        bool(found), f"{_listed(found)} in the answer" if found else f"none of {_listed(wanted)} in the answer"
    )


def contains_all(wanted: tuple[str, ...], answer: str) -> Finding:
    lacking = [part for part in wanted if part not in answer]
    return Finding(
        not lacking, f"no {_listed(lacking)} in the answer" if lacking else f"{_listed(wanted)} in the answer"
    )


def icontains_any(wanted: tuple[str, ...], answer: str) -> Finding:
    return contains_any(tuple(part.casefold() for part in wanted), answer.casefold())


def icontains_all(wanted: tuple[str, ...], answer: str) -> Finding:
    return contains_all(tuple(part.casefold() for part in wanted), answer.casefold())


def starts_with(wanted: str, answer: str) -> Finding:
    holds = answer.strip().startswith(wanted)
    return Finding(holds, f"the answer {'begins' if holds else 'does not begin'} with '{short(wanted)}'")


def ends_with(wanted: str, answer: str) -> Finding:
    holds = answer.strip().endswith(wanted)
    return Finding(holds, f"the answer {'ends' if holds else 'does not end'} with '{short(wanted)}'")


def regex(wanted: timed_regex.Pattern[str], answer: str) -> Finding:
    """Through the `regex` module, which can be stopped and lets other threads run meanwhile; `re` can do neither."""
    _limit(answer, MAX_SEARCHED)
    try:
        found = wanted.search(answer, timeout=REGEX_SECONDS, concurrent=True)
    except TimeoutError:
        raise Unjudged(f"the pattern took longer than {REGEX_SECONDS} s: simplify it") from None
    return Finding(found is not None, "the pattern is found" if found else "the pattern is not found")


def levenshtein(wanted: str, answer: str, most: int) -> Finding:
    """Edit distance up to `most`, by rows of the table within that band only (E. Ukkonen, 1985)."""
    _limit(answer, MAX_SEARCHED)
    answer = answer.strip()
    if abs(len(wanted) - len(answer)) > most:
        return Finding(False, f"more than {most} edits away")
    distance = _distance(wanted, answer, most)
    return Finding(distance <= most, f"{distance} edits away" if distance <= most else f"more than {most} edits away")


def last_number(wanted: Decimal, answer: str) -> Finding:
    found = _NUMBER.findall(answer.replace("\N{MINUS SIGN}", "-")[-MAX_SEARCHED:])
    if not found:
        return Finding(False, "no number in the answer")
    return Finding(Decimal(found[-1].replace(",", "")) == wanted, f"the last number is {short(found[-1])}")


# Form.


def max_words(most: int, answer: str) -> Finding:
    words = len(answer.split())
    return Finding(words <= most, f"{_amount(words, 'word')}, at most {most} wanted")


def min_words(least: int, answer: str) -> Finding:
    words = len(answer.split())
    return Finding(words >= least, f"{_amount(words, 'word')}, at least {least} wanted")


def max_chars(most: int, answer: str) -> Finding:
    return Finding(len(answer.strip()) <= most, f"{_amount(len(answer.strip()), 'character')}, at most {most} wanted")


def min_chars(least: int, answer: str) -> Finding:
    return Finding(
        len(answer.strip()) >= least, f"{_amount(len(answer.strip()), 'character')}, at least {least} wanted"
    )


def one_word(_: None, answer: str) -> Finding:
    words = len(answer.split())
    return Finding(words == 1, _amount(words, "word"))


def upper(_: None, answer: str) -> Finding:
    if not any(letter.isalpha() for letter in answer):
        return Finding(False, "no letters in the answer")
    return Finding(
        answer.isupper(), "all letters are capitals" if answer.isupper() else "some letters are not capitals"
    )


def bullets(wanted: int, answer: str) -> Finding:
    found = sum(bool(_BULLET.match(line)) for line in answer.splitlines())
    return Finding(found == wanted, _amount(found, "list item"))


def is_json(keys: tuple[str, ...], answer: str) -> Finding:
    _limit(answer, MAX_JSON)
    try:
        value = _DECODER.decode(answer.strip())
    except (ValueError, RecursionError):
        return Finding(False, "the answer is not JSON")
    return _has_keys(keys, value, "the answer is JSON")


def contains_json(keys: tuple[str, ...], answer: str) -> Finding:
    _limit(answer, MAX_JSON)
    nearest = Finding(False, "no JSON object or list in the answer")
    for start in [match.start() for match in re.finditer(r"[{[]", answer)][:MAX_STARTS]:
        try:
            value, _ = _DECODER.raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        nearest = _has_keys(keys, value, "JSON in the answer")
        if nearest.holds:
            break
    return nearest


def python_parses(_: None, answer: str) -> Finding:
    """Parsed, never run. The first fenced block where the answer has one, else all of it."""
    _limit(answer, MAX_SEARCHED)
    fenced = re.search(r"```[^\n`]*\n(.*?)(?:```|\Z)", answer, re.DOTALL)
    source = fenced[1] if fenced else answer.strip()
    if not source.strip():
        return Finding(False, "no code in the answer")
    try:
        code_completion.parse(source)
    except SyntaxError as error:
        return Finding(False, f"line {error.lineno or 1} is not Python")
    except (ValueError, RecursionError, MemoryError):
        return Finding(False, "the code cannot be parsed")
    return Finding(True, "the code parses")


def _has_keys(keys: tuple[str, ...], value: object, good: str) -> Finding:
    lacking = [key for key in keys if not isinstance(value, dict) or key not in value]
    return Finding(not lacking, f"no key {_listed(lacking)} in the JSON" if lacking else good)


def _distance(one: str, other: str, most: int) -> int:
    before = {column: column for column in range(min(len(other), most) + 1)}
    for row, letter in enumerate(one, start=1):
        now: dict[int, int] = {}
        for column in range(max(0, row - most), min(len(other), row + most) + 1):
            costs = [before.get(column, most) + 1, now.get(column - 1, most) + 1]
            if column:
                costs.append(before[column - 1] + (letter != other[column - 1]))
            now[column] = min(costs)
        before = now
    return before.get(len(other), most + 1)


def _limit(answer: str, most: int) -> None:
    if len(answer) > most:
        raise Unjudged(f"the answer has over {most} characters: too long for this check")


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _amount(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(parts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"'{short(part)}'" for part in parts)


_DECODER = json.JSONDecoder(parse_constant=_not_a_number)
_NUMBER = re.compile(r"(?<![\w.,-])-?\d+(?:,\d{3})*(?:\.\d+)?|\d+(?:,\d{3})*(?:\.\d+)?")
_BULLET = re.compile(r"\s{0,8}(?:[-*+•]|\d{1,3}[.)])\s+\S")
