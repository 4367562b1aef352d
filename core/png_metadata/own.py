"""Diptych's own settings as JSON, in a text that a stranger may have changed: every field is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from core.errors import InvalidInput
from core.png_metadata.settings import MAX_PROMPT, MAX_SEED, NUMBERS, WORDS, ImageSettings
from core.text import clean

FORMAT = "diptych-image"
VERSION = 1


def as_json(settings: ImageSettings) -> str:
    """The settings as JSON, as `read` takes them."""
    table = {
        "format": FORMAT,
        "version": VERSION,
        "prompt": settings.prompt,
        "negative_prompt": settings.negative_prompt,
        "parameters": dict(settings.parameters),
        "seed": settings.seed,
        "model": settings.model,
        "source": settings.source,
        "revision": settings.revision,
        "versions": dict(settings.versions),
    }
    known = {name: value for name, value in table.items() if value is not None}
    return clean(json.dumps(known, ensure_ascii=False, allow_nan=False))


def read(text: str) -> ImageSettings:
    """The settings in a file of Diptych's.

    Raises:
        InvalidInput: no JSON, of a later version, or with a field that is wrong; says which.
    """
    try:
        table = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidInput("The settings in the file are not JSON. Use the file as it was saved.") from None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise InvalidInput("The settings in the file are not those of an image. Use the file as it was saved.")
    version = _whole("version", table.get("version"))
    if version > VERSION:
        raise InvalidInput(f"The file's settings are of format {version}; this Diptych reads up to {VERSION}.")
    return ImageSettings(**{name: read(name, table[name]) for name, read in _FIELDS.items() if name in table})


def _text(most: int) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise _wrong(name, "text")
        if len(value) > most:
            raise _wrong(name, f"at most {most} characters long")
        return clean(value)

    return read


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEED:
        raise _wrong(name, f"a whole number from 0 to {MAX_SEED}")
    return value


def _parameters(name: str, value: object) -> Mapping[str, str | int | float]:
    """Those that an image has; anything else in the table is left where it is."""
    table = _table(name, value)
    numbers = {one: _number(one, table[one]) for one in NUMBERS if one in table}
    return numbers | {one: _text(100)(one, table[one]) for one in WORDS if one in table}


def _number(name: str, value: object) -> int | float:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_SEED
    if whole or (isinstance(value, float) and math.isfinite(value)):
        return value  # type: ignore[return-value]
    raise _wrong(name, "a number")


def _versions(name: str, value: object) -> Mapping[str, str]:
    table = _table(name, value)
    if len(table) > 20:
        raise _wrong(name, "a table of at most 20 names")
    return {_text(40)(name, key): _text(100)(name, entry) for key, entry in table.items()}


def _table(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name, "a table of named fields")
    return value


def _wrong(name: str, wanted: str) -> InvalidInput:
    return InvalidInput(f"In the file's settings '{name}' must be {wanted}.")


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_FIELDS: dict[str, Callable[[str, object], Any]] = {
    "prompt": _text(MAX_PROMPT),
    "negative_prompt": _text(MAX_PROMPT),
    "parameters": _parameters,
    "seed": _whole,
    "model": _text(200),
    "source": _text(200),
    "revision": _text(200),
    "versions": _versions,
}
