"""Validation of a value against its parameter, with a precise sentence where it fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from core.errors import InvalidInput
from core.types import Parameter, Value


def checked(row: Parameter, value: Value) -> Value:
    """The value in the parameter's own type: whole numbers as int, one text as a list of one for `lines`.

    Raises:
        InvalidInput: it has the wrong type, is not finite, out of bounds or none of the choices; the message says so.
    """
    return _READERS.get(row.kind, _number)(row, value)


def _number(row: Parameter, value: Value) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{row.label} must be a number{_bounds(row)}, not {type(value).__name__}.")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise InvalidInput(f"{row.label} must be{_bounds(row)}; it is far larger.")
    if not math.isfinite(value):
        raise InvalidInput(f"{row.label} must be a finite number{_bounds(row)}.")
    if row.kind == "int" and value != int(value):
        raise InvalidInput(f"{row.label} must be a whole number{_bounds(row)}.")
    if (row.low is not None and value < row.low) or (row.high is not None and value > row.high):
        raise InvalidInput(f"{row.label} must be{_bounds(row)}; it is {value:g}.")
    return int(value) if row.kind == "int" else float(value)


_LARGEST = 2**63
"""Larger integers fit neither a float nor a database column, so they are refused before they are compared."""


def _lines(row: Parameter, value: Value) -> tuple[str, ...]:
    lines = (value,) if isinstance(value, str) else value
    if not isinstance(lines, tuple | list) or not all(isinstance(line, str) for line in lines):
        raise InvalidInput(f"{row.label} must be a list of texts, one per line.")
    return tuple(line for line in lines if line)


def _text(row: Parameter, value: Value) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{row.label} must be text, not {type(value).__name__}.")
    return value


def _choice(row: Parameter, value: Value) -> str:
    text = _text(row, value)
    if text not in row.choices:
        raise InvalidInput(f"{row.label} must be one of {', '.join(row.choices)}; it is '{text[:40]}'.")
    return text


_READERS: Mapping[str, Callable[[Parameter, Value], Value]] = {"lines": _lines, "text": _text, "choice": _choice}


def _bounds(row: Parameter) -> str:
    if row.low is not None and row.high is not None:
        return f" from {row.low:g} to {row.high:g}"
    return f" of at least {row.low:g}" if row.low is not None else ""


def chosen(kind: Any, parameters: Mapping[str, Value], controls: Sequence[Parameter]) -> dict[str, Value]:
    """A value for each field of the dataclass `kind`, checked against the parameter of its name in `controls` (the last
    of several counts). A missing value or None takes the default. Other names are ignored: a grid may carry another
    model's parameters.

    Raises:
        InvalidInput: a value has the wrong type, is out of bounds or none of the choices; the message says so.
    """
    rows = {row.name: row for row in controls}
    values: dict[str, Value] = {}
    for name in (field.name for field in fields(kind)):
        value = parameters.get(name)
        values[name] = checked(rows[name], rows[name].default if value is None else value)
    return values


def checked_seed(number: object) -> int:
    """The number, if it is a valid seed.

    Raises:
        InvalidInput: it is no whole number from 0 to 2**63 - 1.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**63:
        raise InvalidInput("The seed must be a whole number from 0 to 9223372036854775807.")
    return number
