"""JSON, JSONL and YAML as plain values, each with the line that it stands on where that is known.

The text is untrusted: its size, its depth and what its aliases expand to are bounded. YAML is read by PyYAML's safe
loader with the scalars of YAML 1.2 as JavaScript's reader has them: `yes` and dates are text. Knows nothing of
inputs.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from core.errors import InvalidInput
from core.exchange.yaml_scalars import SCALARS
from core.text import short

MAX_BYTES = 5_000_000
MAX_ROWS = 2_000
MAX_YAML = 1_000_000
MAX_VALUES = 200_000
MAX_DEPTH = 40
"""Limits: bytes of a file; rows; characters of YAML; values of a document, aliases expanded; levels of nesting."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A value of mappings, lists, texts, numbers, true, false and null; `lines` counts from 1, by the path of what
    stands there."""

    value: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def where(self, path: Path) -> str:
        """The place of a part, for a person: its line where it is known, else its path."""
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        words: list[str] = []
        for part in path:
            if isinstance(part, int):
                words[-1:] = [f"{_ONE.get(words[-1], words[-1]) if words else 'row'} {part + 1}"]
            else:
                words.append(short(part))
        return ", ".join([*([f"Line {line}"] if line else []), *words]) or "The file"


_ONE = {"tests": "test", "prompts": "prompt", "scenarios": "scenario", "inputs": "row", "config": "configuration"}


def text_of(value: object) -> str:
    """A value as a template fills it in: numbers as JavaScript writes them, null as nothing, the rest as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)


def json_document(text: str) -> Document:
    """Raises InvalidInput: too large, not JSON, or nested too deeply."""
    _check_size(text, MAX_BYTES, "file")
    try:
        value = json.loads(text.removeprefix("\ufeff"), parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"Line {error.lineno}, character {error.colno} is not JSON: {error.msg}.") from None
    except (ValueError, RecursionError):
        raise InvalidInput("The file is not JSON that can be read: a number or its nesting is too large.") from None
    _check_shape(value)
    return Document(value)


def jsonl_document(text: str) -> Document:
    """A list of one JSON value a line; blank lines do not count.

    Raises:
        InvalidInput: too large, too many lines, or a line is not JSON; names the line.
    """
    _check_size(text, MAX_BYTES, "file")
    numbered = [(n, line) for n, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1) if line.strip()]
    if len(numbered) > MAX_ROWS:
        raise InvalidInput(f"The file has more than {MAX_ROWS:,} rows; use a part of it.")
    values = []
    for number, line in numbered:
        try:
            values.append(json.loads(line, parse_constant=refuse_constant))
        except (ValueError, RecursionError):
            raise InvalidInput(f"Line {number} is not JSON; a JSONL file has one value a line.") from None
    _check_shape(values)
    return Document(values, {(index,): number for index, (number, _) in enumerate(numbered)})


def yaml_document(text: str) -> Document:
    """Raises InvalidInput: too large, not one document of plain YAML, or its aliases expand to too much."""
    _check_size(text, MAX_YAML, "YAML file")
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = f"Line {mark.line + 1}" if mark else "The file"
        problem = short(str(getattr(error, "problem", "") or "it has characters that YAML does not allow"), 120)
        raise InvalidInput(f"{where} cannot be read as YAML: {problem}.") from None
    except (ValueError, RecursionError):
        raise InvalidInput("The file cannot be read as YAML; simplify it.") from None
    lines: dict[Path, int] = {}
    value = None if node is None else _Builder(lines).value(node, ())
    return Document(value, lines)


def _check_size(text: str, most: int, what: str) -> None:
    if len(text) > most:
        raise InvalidInput(f"The {what} is larger than {most // 1_000_000} MB; use a part of it.")


def _check_shape(value: object) -> None:
    """Raises InvalidInput where a value is nested too deeply or has too many parts."""
    level, count = [value], 0
    for _ in range(MAX_DEPTH):
        level = [part for parent in level for part in _parts(parent)]
        count += len(level)
        if count > MAX_VALUES:
            raise InvalidInput(f"The file has more than {MAX_VALUES:,} values; use a part of it.")
        if not level:
            return
    raise InvalidInput(f"The file is nested over {MAX_DEPTH} levels; make it flatter.")


def _parts(value: object) -> Iterator[object]:
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def refuse_constant(constant: str) -> NoReturn:
    """For `parse_constant` of json.loads: NaN and the infinities are Python's."""
    raise ValueError(f"{constant} is not JSON")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's safe loader with YAML 1.2's scalars."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in SCALARS:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)


def _check_events(text: str) -> None:
    """Bound the nesting before a recursive reader goes down it, and the nodes that are written."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InvalidInput(f"Line {event.start_mark.line + 1} is nested over {MAX_DEPTH} levels; make it flatter.")
        if count > 2 * MAX_VALUES:
            raise InvalidInput(f"The file has more than {MAX_VALUES:,} values; use a part of it.")


class _Builder:
    """Plain values from composed nodes, with their lines. Counts what it builds: an alias is built wherever it
    stands."""

    def __init__(self, lines: dict[Path, int]) -> None:
        self._lines = lines
        self._count = 0

    def value(self, node: Any, path: Path) -> Any:
        self._count += 1
        line = node.start_mark.line + 1
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            raise InvalidInput(
                f"Line {line}: with its aliases the file has more than {MAX_VALUES:,} values, or over {MAX_DEPTH} "
                "levels. Write out what is meant, or use a part of it."
            )
        self._lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return _SCALARS[node.tag](node.value)
        raise InvalidInput(f"Line {line} has the tag {short(node.tag)}, which is not read; write plain values.")

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InvalidInput(f"Line {line} has a key that is no plain text.")
            if key.tag == _TAG + "merge":
                value = self.value(item, path)
                for table in value if isinstance(value, list) else [value]:
                    if not isinstance(table, dict):
                        raise InvalidInput(f"Line {line}: << merges mappings only.")
                    merged = {**table, **merged}
                continue
            if key.value in own:
                raise InvalidInput(f"Line {line} has the key '{short(key.value)}' a second time; remove one.")
            own[key.value] = self.value(item, (*path, key.value))
            self._lines[(*path, key.value)] = line
        return {**merged, **own}


def _integer(text: str) -> int:
    bare = text.lstrip("+-")
    number = int(bare, 0) if re.match("0[box]", bare) else int(bare)
    return -number if text.startswith("-") else number


def _float(text: str) -> float | str:
    """A number, or the text itself where it is not finite: no template means infinity."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


_TAG = "tag:yaml.org,2002:"
_SCALARS: dict[str, Callable[[str], Any]] = {
    f"{_TAG}str": str,
    f"{_TAG}null": lambda text: None,
    f"{_TAG}bool": lambda text: text.lower() == "true",
    f"{_TAG}int": _integer,
    f"{_TAG}float": _float,
}
