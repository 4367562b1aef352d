"""promptfoo's assertions, as its YAML and JSON have them, as check lines.

Source: promptfoo 0.121, src/assertions and site/docs/configuration/expected-outputs. Those that ask a model, execute
something or read a file are refused with a sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.checks import CHECKS
from core.checks.promptfoo import INSTEAD
from core.errors import InvalidInput
from core.exchange.documents import Path, text_of
from core.exchange.inputs.imported import MAX_NAME
from core.exchange.promptfoo_config import EXPRESSIONS
from core.experiment.serialize import MAX_WEIGHT
from core.text import short
from core.types import Check

_FIELDS = {"type", "value", "threshold", "weight", "metric"}
_LISTS = {"contains-any", "contains-all", "icontains-any", "icontains-all"}
_BARE = {"is-json", "contains-json"}
_LEVENSHTEIN = 5
"""The edits that promptfoo allows in a configuration where no threshold is written."""


def flattened(assertions: object, path: Path) -> Iterator[tuple[Path, Any]]:
    """(path, assertion) for each of a list, and of its sets that have no threshold, weight or metric of their own."""
    if assertions is None:
        return
    for number, entry in enumerate(assertions if isinstance(assertions, list) else [assertions]):
        place = (*path, number) if isinstance(assertions, list) else path
        nested = entry.get("assert") if isinstance(entry, Mapping) and entry.get("type") == "assert-set" else None
        if nested is not None and not set(entry) - {"type", "assert"} and len(place) < 20:
            yield from flattened(nested, (*place, "assert"))
        else:
            yield place, entry


def check_from(assertion: object) -> tuple[Check, tuple[str, ...]]:
    """(the check, sentences on fields that are not taken over).

    Raises:
        InvalidInput: says why the assertion is no check here.
    """
    if isinstance(assertion, str):
        return Check(assertion.strip()), ()
    if not isinstance(assertion, Mapping) or not isinstance(assertion.get("type"), str):
        raise InvalidInput("An assertion is a text, or a mapping with a type.")
    written, value = assertion["type"].strip(), assertion.get("value")
    if written == "javascript" and isinstance(value, str) and (own := _own_check(value)):
        return _weighed(own, "", assertion), ()
    name = written.removeprefix("not-")
    if name == "assert-set":
        raise InvalidInput("A set of assertions with a threshold, weight or metric of its own is not read.")
    if name not in CHECKS or name in INSTEAD:
        reason = INSTEAD.get(name, "it is none of promptfoo's that are built here; see How to write checks")
        raise InvalidInput(f"There is no check '{short(name)}' here: {reason}.")
    if isinstance(value, str) and re.match(r"\s*(file|package)://", value):
        raise InvalidInput(f"'{short(value)}' would be read from a file; put the value itself there.")
    if "transform" in assertion:
        raise InvalidInput(f"'{short(written)}' transforms the answer by code first, which is not executed here.")
    line = _line(written, name, value, assertion.get("threshold"))
    others = sorted(str(field) for field in set(assertion) - _FIELDS)
    notes = (f"Of '{short(written)}' these fields are not taken over: {short(', '.join(others), 200)}.",)
    return _weighed(line, name, assertion), notes if others else ()


def _own_check(expression: str) -> str:
    """The check of Diptych's own that its export wrote as this expression; "" of any other."""
    negated = expression.startswith("!(") and expression.endswith(")")
    bare = expression[2:-1] if negated else expression
    for name, pattern in EXPRESSIONS.items():
        before, parameter, after = pattern.partition("%s")
        if bare == pattern and not parameter:
            return f"{'not-' if negated else ''}{name}"
        if parameter and bare.startswith(before) and bare.endswith(after):
            try:
                argument = json.loads(bare[len(before) : len(bare) - len(after)])
            except ValueError:
                continue
            if not isinstance(argument, dict | list):
                return f"{'not-' if negated else ''}{name}:{text_of(argument)}"
    return ""


def _line(written: str, name: str, value: object, threshold: object) -> str:
    if name == "levenshtein":
        limit = _LEVENSHTEIN if threshold is None else threshold
        return f"{written}({text_of(limit)}):{text_of(value)}"
    if value is None:
        return written
    if name in _LISTS:
        return f"{written}:{value if isinstance(value, str) else _items(name, value)}"
    if name in _BARE or name == "word-count":
        return f"{written}:{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
    if isinstance(value, Mapping | list):
        raise InvalidInput(f"'{short(name)}' compares with a structure here; a check compares text. Use is-json.")
    return f"{written}:{text_of(value)}"


def _items(name: str, value: object) -> str:
    """A list with every item in quotes, which keeps it whole when its variables are filled in."""
    if not isinstance(value, list) or any(isinstance(item, Mapping | list) for item in value):
        raise InvalidInput(f"The value of '{short(name)}' is a list of texts.")
    texts = [text_of(item) for item in value]
    quoted = [text.replace("\\", "\\\\").replace('"', '""') for text in texts]
    return ",".join(f'"{text}"' for text in quoted)


def _weighed(line: str, name: str, assertion: Mapping[str, Any]) -> Check:
    weight, metric = assertion.get("weight", 1), assertion.get("metric") or ""
    threshold = None if name == "levenshtein" else assertion.get("threshold")
    if not _is_number(weight) or not 0 <= weight <= MAX_WEIGHT:
        raise InvalidInput(f"A weight is a number from 0 to {MAX_WEIGHT:g}.")
    if threshold is not None and (not _is_number(threshold) or abs(threshold) > MAX_WEIGHT):
        raise InvalidInput("A threshold is a number.")
    if not isinstance(metric, str) or len(metric) > MAX_NAME:
        raise InvalidInput(f"A metric is a name of at most {MAX_NAME} characters.")
    return Check(line, float(weight), metric, None if threshold is None else float(threshold))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
