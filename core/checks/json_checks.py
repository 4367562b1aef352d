"""How a check judges an answer as JSON: one function per check, as core.checks.text has them for text.

JSON is JSON here: nothing is repaired. What follows `is-json:` is a list of keys or a JSON Schema. Knows nothing of
lines, names or negation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from core.checks import arguments, schema
from core.checks.finding import Finding, Unjudged, limit, listed

MAX_JSON = 100_000
MAX_WORK = 1_000_000
"""Characters of an answer; those that are read, with what each attempt costs."""

_BLANKS = " \t\n\r"


def keys_or_schema(argument: str) -> Any:
    """A tuple of keys, or a validator.

    Raises:
        ValueError: as its readers.
    """
    return schema.read(argument) if schema.is_schema(argument) else arguments.names(argument)


def is_json(wanted: Any, answer: str) -> Finding:
    limit(answer, MAX_JSON)
    try:
        value = _DECODER.decode(answer.strip(_BLANKS))
    except RecursionError:
        raise Unjudged("the answer is nested too deeply to be read as JSON") from None
    except ValueError:
        return Finding(False, "the answer is not JSON")
    return _conforms(wanted, value, "the answer is JSON")


def contains_json(wanted: Any, answer: str) -> Finding:
    """Objects count, and lists where a schema asks for one: `[1]` and `[ ]` are footnotes and boxes to tick."""
    limit(answer, MAX_JSON)
    lists = not isinstance(wanted, tuple) and "array" in _types(wanted.schema)
    nearest = Finding(False, f"no JSON {'list' if lists else 'object'} in the answer")
    for value in _values(answer, _OBJECT_OR_LIST if lists else _OBJECT):
        nearest = _conforms(wanted, value, "JSON in the answer")
        if nearest.holds:
            break
    return nearest


def _values(answer: str, begins: re.Pattern[str]) -> Iterator[object]:
    """The JSON values in a text that begin so, none inside another.

    Raises:
        Unjudged: too much work: many places where JSON could begin, or deep ones.
    """
    match, work = begins.search(answer), 0
    while match is not None:
        begin, end = match.span()
        try:
            value, end = _DECODER.raw_decode(answer, begin)
            yield value
        except json.JSONDecodeError as error:
            work += MAX_WORK // 1_000 + error.pos - begin
        except (ValueError, RecursionError):
            work += MAX_WORK // 20
        if work > MAX_WORK:
            raise Unjudged("the answer has too many braces to look for JSON behind each")
        match = begins.search(answer, end)


def _conforms(wanted: Any, value: object, good: str) -> Finding:
    """`wanted`: keys, or a validator."""
    if not isinstance(wanted, tuple):
        problem = schema.problem(wanted, value)
        return Finding(not problem, f"{good}, {f'but {problem}' if problem else 'as the schema says'}")
    lacking = [key for key in wanted if not isinstance(value, dict) or key not in value]
    return Finding(not lacking, f"no key {listed(lacking)} in the JSON" if lacking else good)


def _types(wanted: dict[str, Any]) -> list[str]:
    kinds = wanted.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 300 else float(digits)


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_not_a_number, parse_int=_whole)
_OBJECT, _OBJECT_OR_LIST = re.compile(r"\{(?=[ \t\n\r]*[\"}])"), re.compile(r"[{[]")
