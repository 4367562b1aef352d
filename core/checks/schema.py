"""JSON Schema as the value of `is-json` and `contains-json`: read from JSON or YAML, and applied to a value.

Draft 2020-12, or the draft that `$schema` names. References stay inside the schema, nothing is fetched; `format` is
checked for the formats in FORMATS and refused for others. What would silently mean nothing is refused: a keyword that
is not known, and one of an older draft. Called in the process of core.checks.isolated only: a schema can be made
to take for ever, and its patterns are Python's `re`.
"""

from __future__ import annotations

import ipaddress
import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from core.text import short

_KEYWORDS = """
    $ref $dynamicRef allOf anyOf oneOf not if then else dependentSchemas prefixItems items contains properties
    patternProperties additionalProperties propertyNames unevaluatedItems unevaluatedProperties type enum const
    multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems
    uniqueItems maxContains minContains maxProperties minProperties required dependentRequired format
    $schema $id $anchor $dynamicAnchor $defs $comment definitions title description default examples deprecated
    readOnly writeOnly contentEncoding contentMediaType contentSchema
"""
KEYWORDS = frozenset(_KEYWORDS.split())
OLDER = {
    "dependencies": "dependentRequired or dependentSchemas",
    "additionalItems": "prefixItems with items",
    "$recursiveRef": "$dynamicRef",
    "divisibleBy": "multipleOf",
    "disallow": "not",
    "extends": "allOf",
}


def is_schema(argument: str) -> bool:
    """Whether the value of a check is meant as a schema, and not as a list of keys."""
    bare = argument.strip()
    return bare.startswith(("{", "[")) or bare in _CONSTANTS or _MAPPING.search(bare) is not None


@lru_cache(maxsize=64)
def read(argument: str) -> Any:
    """A validator, made from the schema that stands after the colon.

    Raises:
        ValueError: with the middle of a sentence: it is no schema, or one that cannot be honoured.
    """
    import jsonschema
    from referencing import Registry

    schema = _parsed(argument)
    draft = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    _supported(schema, draft is jsonschema.Draft202012Validator)
    try:
        draft.check_schema(schema)
    except (jsonschema.SchemaError, RecursionError) as error:
        reason = f": {short(error.message, 120)}" if isinstance(error, jsonschema.SchemaError) else ""
        raise ValueError(f"has a schema that is not valid{reason}") from None
    _resolved(schema)
    checker = jsonschema.FormatChecker(())
    for name, check in FORMATS.items():
        checker.checks(name, raises=ValueError)(check)
    return draft(schema, registry=Registry(), format_checker=checker)  # an empty registry fetches nothing


def problem(validator: Any, value: object) -> str:
    """Why a value does not conform, in the words of the first error; "" where it does."""
    error = next(validator.iter_errors(value), None)
    if error is None:
        return ""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{f'at {short(place)}: ' if place else ''}{short(error.message, 120)}"


def _parsed(argument: str) -> Any:
    """Raises ValueError: neither JSON nor YAML, or no mapping."""
    import textwrap

    import yaml

    text = textwrap.dedent(argument).strip()
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        try:
            schema = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise ValueError("has a schema that is neither JSON nor YAML") from None
    if not isinstance(schema, dict):
        raise ValueError('needs a schema such as {"type": "object"}, or keys with commas between them')
    return schema


def _supported(schema: dict[str, Any], newest: bool) -> None:
    """Raises ValueError where a part of the schema would silently mean nothing, or reach outside."""
    for part in _parts(schema, 0):
        for name, value in part.items():
            if name in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str) and value[:1] != "#":
                raise ValueError(f"has a schema with a {name} to another document; only those to '#...' are read")
            if name == "format" and isinstance(value, str) and value not in FORMATS:
                raise ValueError(f"has a schema with the format '{short(value)}'; known are {', '.join(FORMATS)}")
            if newest and name in OLDER:
                raise ValueError(f"has a schema with '{name}': name the older draft by $schema, or use {OLDER[name]}")
            if name not in KEYWORDS and name not in OLDER:
                raise ValueError(f"has a schema with '{short(str(name))}', which is no keyword of JSON Schema")


def _resolved(schema: dict[str, Any]) -> None:
    """Raises ValueError where the schema refers to a part that it does not have. A schema whose parts have an $id of
    their own, to which references are relative, is not looked into."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    parts = list(_parts(schema, 0))
    if any("$id" in part for part in parts if part is not schema):
        return
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    references = [part.get(name) for part in parts for name in ("$ref", "$dynamicRef")]
    for reference in [one for one in references if isinstance(one, str)]:
        try:
            resolver.lookup(reference)
        except (Unresolvable, ValueError):  # a name where a list has numbers is the second
            raise ValueError(f"has a schema that refers to '{short(reference)}', which is not in it") from None


def _parts(schema: object, depth: int) -> Iterator[dict[str, Any]]:
    """Every schema in a schema: not its constants, nor the names of its properties."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"has a schema nested over {_MAX_DEPTH} levels")
    if isinstance(schema, list):
        for entry in schema:
            yield from _parts(entry, depth + 1)
    elif isinstance(schema, dict):
        yield schema
        for name, value in schema.items():
            if name in _MAPS and isinstance(value, dict):
                for entry in value.values():
                    yield from _parts(entry, depth + 1)
            elif name not in ("const", "enum", "default", "examples"):
                yield from _parts(value, depth + 1)


def _format(function: Callable[[str], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        """Formats say something of texts only."""
        return not isinstance(value, str) or bool(function(value))

    return check


def _date(value: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and date.fromisoformat(value))


def _time(value: str) -> bool:
    """RFC 3339's full-time: with a zone."""
    return _date_time(f"2000-01-01T{value}")


def _date_time(value: str) -> bool:
    """RFC 3339's date-time: with a zone, and T, t or a blank between date and time."""
    match = re.fullmatch(
        r"([0-9-]{10})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", value
    )
    zone = match[3].upper().replace("Z", "+00:00") if match else ""
    return match is not None and bool(datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}"))


def _uri(value: str) -> bool:
    parts = urlsplit(value)
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value) and (parts.netloc or parts.path)) and not re.search(
        r"[\s<>\"{}|\\^`]", value
    )


FORMATS = {
    "date": _format(_date),
    "time": _format(_time),
    "date-time": _format(_date_time),
    "email": _format(lambda value: re.fullmatch(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*", value)),
    "ipv4": _format(ipaddress.IPv4Address),
    "ipv6": _format(ipaddress.IPv6Address),
    "uri": _format(_uri),
    "uuid": _format(lambda value: len(value) == 36 and uuid.UUID(value)),
}
_MAPS = (
    "properties",
    "patternProperties",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "$defs",
    "definitions",
)
_CONSTANTS = ("true", "false", "null")
_MAPPING = re.compile(r"^\s*[\"']?[\w$-]+[\"']?\s*:(\s|$)", re.MULTILINE)
_MAX_DEPTH = 60
