"""How a check judges a text: one function per check, which returns a Finding.

Knows nothing of lines, names or negation.
"""

from __future__ import annotations

import re
from decimal import Decimal

import regex as backtracking

from core import code_completion
from core.checks import numbers
from core.checks.finding import Finding, amount, limit, listed
from core.text import short

MAX_SEARCHED = 20_000


# Text.


def equals(wanted: str, answer: str) -> Finding:
    same = answer.strip() == wanted
    return Finding(same, f"the answer is '{short(wanted)}'" if same else f"the answer is not '{short(wanted)}'")


def contains(wanted: str, answer: str) -> Finding:
    there = wanted in answer
    return Finding(there, f"'{short(wanted)}' is in the answer" if there else f"no '{short(wanted)}' in the answer")


def icontains(wanted: str, answer: str) -> Finding:
    return contains(wanted.casefold(), answer.casefold())


def contains_any(wanted: tuple[str, ...], answer: str) -> Finding:
    there = [part for part in wanted if part in answer]
    return Finding(bool(there), f"{listed(there) if there else f'none of {listed(wanted)}'} in the answer")


def contains_all(wanted: tuple[str, ...], answer: str) -> Finding:
    lacking = [part for part in wanted if part not in answer]
    return Finding(not lacking, f"{f'no {listed(lacking)}' if lacking else listed(wanted)} in the answer")


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


def regex(wanted: backtracking.Pattern[str], answer: str) -> Finding:
    """A search that may take for ever: called in the process of core.checks.isolated only."""
    limit(answer, MAX_SEARCHED)
    there = wanted.search(answer) is not None
    return Finding(there, "the pattern is found" if there else "the pattern is not found")


def levenshtein(wanted: str, answer: str, most: Decimal) -> Finding:
    limit(answer, MAX_SEARCHED)
    distance = edit_distance(wanted, answer.strip())
    return Finding(distance <= most, f"{amount(distance, 'edit')} away, at most {most} wanted")


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance in characters, a column of the table at a time as the bits of two integers.

    G. Myers, "A fast bit-vector algorithm for approximate string matching based on dynamic programming" (1999), in the
    form for whole strings of H. Hyyrö, "Explaining and extending the bit-parallel approximate string matching algorithm
    of Myers" (2001).
    """
    if not one or not other:
        return len(one) + len(other)
    positions: dict[str, int] = {}
    for row, letter in enumerate(one):
        positions[letter] = positions.get(letter, 0) | 1 << row
    mask, last = (1 << len(one)) - 1, 1 << len(one) - 1
    rises, falls, distance = mask, 0, len(one)  # bit i: row i + 1 is one more, one less, than row i
    for letter in other:
        same = positions.get(letter, 0)
        vertical = same | falls
        diagonal = (((same & rises) + rises) ^ rises) | same
        rises_across = falls | ~(diagonal | rises) & mask
        falls_across = rises & diagonal
        distance += bool(rises_across & last) - bool(falls_across & last)
        rises_across = rises_across << 1 & mask | 1
        rises = falls_across << 1 & mask | ~(vertical | rises_across) & mask
        falls = rises_across & vertical
    return distance


def last_number(wanted: Decimal, answer: str) -> Finding:
    last = numbers.last_number(answer[-MAX_SEARCHED:])
    if last is None:
        return Finding(False, "no number in the answer")
    return Finding(last[0] == wanted, f"the last number is {short(last[1])}")


# Form.


def word_count(wanted: tuple[int, int], answer: str) -> Finding:
    words, (least, most) = len(answer.split()), wanted
    return Finding(
        least <= words <= most, f"{amount(words, 'word')}, {least if least == most else f'{least} to {most}'} wanted"
    )


def max_words(most: int, answer: str) -> Finding:
    words = len(answer.split())
    return Finding(words <= most, f"{amount(words, 'word')}, at most {most} wanted")


def min_words(least: int, answer: str) -> Finding:
    words = len(answer.split())
    return Finding(words >= least, f"{amount(words, 'word')}, at least {least} wanted")


def max_chars(most: int, answer: str) -> Finding:
    return Finding(len(answer.strip()) <= most, f"{amount(len(answer.strip()), 'character')}, at most {most} wanted")


def min_chars(least: int, answer: str) -> Finding:
    return Finding(len(answer.strip()) >= least, f"{amount(len(answer.strip()), 'character')}, at least {least} wanted")


def one_word(_: None, answer: str) -> Finding:
    words = len(answer.split())
    return Finding(words == 1, amount(words, "word"))


def upper(_: None, answer: str) -> Finding:
    if not any(letter.isalpha() for letter in answer):
        return Finding(False, "no letters in the answer")
    return Finding(
        answer.isupper(), "all letters are capitals" if answer.isupper() else "some letters are not capitals"
    )


def bullets(wanted: int, answer: str) -> Finding:
    items = sum(bool(_BULLET.match(line)) for line in answer.splitlines())
    return Finding(items == wanted, amount(items, "list item"))


def python_parses(_: None, answer: str) -> Finding:
    """Parsed, never run. The first fenced block where the answer has one, else all of it."""
    limit(answer, MAX_SEARCHED)
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


_NUMBER = re.compile(r"(?<![\w.,-])-?\d+(?:,\d{3})*(?:\.\d+)?|\d+(?:,\d{3})*(?:\.\d+)?")
_BULLET = re.compile(r"\s{0,8}(?:[-*+•]|\d{1,3}[.)])\s+\S")
