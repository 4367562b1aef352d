"""Inputs from a table: CSV, tab- or semicolon-separated text, promptfoo's tests.csv.

A column is a variable, but for promptfoo's special columns, whose names begin with two underscores. Whatever is left
out is named in a note. The text is untrusted: its size is bounded before it is parsed.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from core import prompts
from core.errors import InvalidInput, TemplateError
from core.text import short
from core.types import Check, Input

MAX_BYTES = 5_000_000
MAX_ROWS = 1_000
MAX_COLUMNS = 100
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_LINE_END = re.compile(r"\r\n|\r|\n")
_SEP_LINE = re.compile(r'"?sep=([,;\t|])"?[ ,;]*')
_EXPECTED = "__expected"
_CONFIG = "__config:"
_SPECIAL = (
    *("_expected", "_prefix", "_suffix", "_description", "_providerOutput"),
    *("_metric", "_threshold", "_metadata", "_config"),
)
_NOT_READ = {
    "__prefix": "write it at the beginning of the prompt",
    "__suffix": "write it at the end of the prompt",
    "__description": "a row has no description here",
    "__metadata": "a row has no metadata here",
    "__providerOutput": "answers come from the model here, not from the table",
}


@dataclass(frozen=True, slots=True)
class InputTable:
    """The inputs of a table, and in `notes` a sentence for each assumption and each part left out."""

    inputs: tuple[Input, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """The fields of one line; `number` counts from 1; for quoted line ends it is the last line's."""

    number: int
    fields: list[str]


def inputs_from_csv(text: str, delimiter: str = "") -> InputTable:
    """Read a table whose first line names the columns.

    Columns are variables, but for promptfoo's: names that begin with `__expected` are checks, `__metric` names
    the metric of a row's checks, `__threshold` is a row's and `__config:__expected1:threshold` a check's threshold;
    `__prefix`, `__suffix`, `__description`, `__metadata...` and `__providerOutput` are named in a note. Blank
    lines and trailing columns without a heading are left out, with a note.

    Args:
        delimiter: what separates the fields; '' finds it from the heading, or from a first line such as `sep=;`.

    Raises:
        InvalidInput: the table is too large, its delimiter is ambiguous, a heading is missing or doubled, a line
            has another number of fields than the heading, or a threshold is no number; the message names the line.
    """
    if len(text) > MAX_BYTES:
        raise InvalidInput(f"The table is larger than {MAX_BYTES // 1_000_000} MB; use a part of it.")
    if delimiter and delimiter not in DELIMITERS:
        raise InvalidInput(f"A table is separated by {', '.join(DELIMITERS.values())}; choose one of them.")
    text, declared = _without_sep_line(text.removeprefix("\ufeff"))
    delimiter = delimiter or declared or _find_delimiter(text)
    lines, blank = _lines(text, delimiter, first=2 if declared else 1)
    headings, untitled = _headings(lines)
    for line in lines[1:]:
        _check_length(line, len(headings), untitled, delimiter)
    inputs = tuple(_input(headings, line) for line in lines[1:])
    return InputTable(inputs, tuple(_notes(headings, untitled, delimiter, blank)))


def _without_sep_line(text: str) -> tuple[str, str]:
    """(table, delimiter), the delimiter '' unless the first line declares one as in Excel (`sep=;`)."""
    line, *rest = _LINE_END.split(text, maxsplit=1)
    declared = _SEP_LINE.fullmatch(line)
    return ("".join(rest), declared[1]) if declared else (text, "")


def _find_delimiter(text: str) -> str:
    """The delimiter that splits the heading into several columns; of several, the one that gives every line as many.

    A heading without a delimiter is one column, read with commas.
    """
    heading = _LINE_END.split(text.lstrip("\r\n"), maxsplit=1)[0]
    fitting = [delimiter for delimiter in DELIMITERS if _columns(heading, delimiter) > 1]
    if len(fitting) > 1:
        fitting = [delimiter for delimiter in fitting if _even(text, delimiter)] or fitting
    if len(fitting) > 1:
        names = " or ".join(DELIMITERS[delimiter] for delimiter in fitting)
        raise InvalidInput(f"The table may be separated by {names}. Say which, or put quotes round names with them.")
    return fitting[0] if fitting else ","


def _columns(heading: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([heading], delimiter=delimiter, strict=True), []))
    except csv.Error:
        return heading.count(delimiter) + 1 if heading.count('"') % 2 else 0  # a quoted name continues on the next line


def _even(text: str, delimiter: str) -> bool:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lengths = {len(fields) for fields in islice(reader, MAX_ROWS) if any(fields)}
    except csv.Error:
        return False
    return len(lengths) == 1


def _lines(text: str, delimiter: str, *, first: int) -> tuple[list[_Line], int]:
    """(the lines with text, the count of blank ones); the first line has the number `first`."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[_Line] = []
    blank = 0
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                lines.append(_Line(reader.line_num + first - 1, fields))
            else:
                blank += len(fields) > 1  # an empty line is no row; one of delimiters alone is
            if len(lines) > MAX_ROWS + 1:
                raise InvalidInput(f"The table has more than {MAX_ROWS} rows; use a part of it.")
    except csv.Error:
        number = reader.line_num + first - 1
        raise InvalidInput(f"Line {number} of the table cannot be read as CSV; look at its quotes.") from None
    return lines, blank


def _headings(lines: Sequence[_Line]) -> tuple[list[str], int]:
    """(names of the columns, count of unnamed columns at the end)."""
    fields = [field.strip() for field in lines[0].fields] if lines else []
    headings = fields[: max((n for n, name in enumerate(fields, 1) if name), default=0)]
    if not headings or "" in headings or len(headings) > MAX_COLUMNS:
        raise InvalidInput(f"The first line must name the columns: 1 to {MAX_COLUMNS} names, none of them empty.")
    doubled = next((name for n, name in enumerate(headings) if name in headings[:n]), None)
    if doubled is not None:
        raise InvalidInput(f"The first line names the column '{short(doubled)}' twice; rename one of them.")
    return headings, len(fields) - len(headings)


def _check_length(line: _Line, columns: int, untitled: int, delimiter: str) -> None:
    count = len(line.fields)
    if any(field.strip() for field in line.fields[columns : columns + untitled]):
        raise InvalidInput(f"Line {line.number} has text in a column without a heading; give that column a name.")
    if not columns <= count <= columns + untitled:
        raise InvalidInput(
            f"Line {line.number} has {count} field{'' if count == 1 else 's'}; the headings are {columns}. "
            f"Put text with {DELIMITERS.get(delimiter, 'the delimiter')} in it in quotes, and leave no field out."
        )


def _input(headings: Sequence[str], line: _Line) -> Input:
    cells = dict(zip(headings, line.fields, strict=False))
    checks = {name: Check(cells[name].strip()) for name in cells if name.startswith(_EXPECTED) and cells[name].strip()}
    for name, target in _configured(headings).items():
        if cells[name].strip() and target in checks:
            checks[target] = replace(checks[target], threshold=_number(cells[name], name, line.number, math.inf))
    metric, threshold = cells.get("__metric", "").strip(), cells.get("__threshold", "")
    return Input(
        values={name: cells[name] for name in headings if not _special(name)},
        checks=tuple(replace(check, metric=metric) for check in checks.values()),
        threshold=_number(threshold, "__threshold", line.number, 1.0) if threshold.strip() else None,
    )


def _configured(headings: Sequence[str]) -> Mapping[str, str]:
    """The check's column that each `__config:` column belongs to.

    Raises:
        InvalidInput: a column configures anything but the threshold of a check of the table.
    """
    targets = {}
    for name in headings:
        if name.startswith(_CONFIG):
            column, _, setting = name.removeprefix(_CONFIG).partition(":")
            same = {"__expected": "__expected1", "__expected1": "__expected"}.get(column, column)
            target = column if column in headings else same
            if setting != "threshold" or not target.startswith(_EXPECTED) or target not in headings:
                raise InvalidInput(
                    f"The column '{short(name)}' configures no check of the table; "
                    "write it as __config:__expected1:threshold, beside __expected1."
                )
            targets[name] = target
    return targets


def _number(text: str, column: str, line: int, highest: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= highest or math.isinf(number):
        upper = "up" if math.isinf(highest) else f"to {highest:g}"
        raise InvalidInput(f"Line {line}: {short(column)} must be a number from 0 {upper}.")
    return number


def _special(name: str) -> bool:
    return name.startswith((_EXPECTED, _CONFIG)) or name in ("__metric", "__threshold") or _not_read(name) != ""


def _not_read(name: str) -> str:
    """Why a promptfoo column is left out; '' for all others."""
    return _NOT_READ.get("__metadata" if name.startswith("__metadata:") else name, "")


def _notes(headings: Sequence[str], untitled: int, delimiter: str, blank: int) -> Iterator[str]:
    if delimiter != "," and len(headings) > 1:
        yield f"The table is read as separated by {DELIMITERS.get(delimiter, delimiter)}."
    if untitled:
        yield f"{untitled} empty column{'s' if untitled > 1 else ''} without a heading left out."
    if blank:
        yield f"{blank} line{'s' if blank > 1 else ''} without any text left out."
    for name in headings:
        if _not_read(name):
            yield f"The column {short(name)} is not taken over: {_not_read(name)}."
        elif not _special(name):
            yield from _variable_notes(name)


def _variable_notes(name: str) -> Iterator[str]:
    if name.startswith("__"):
        yield f"The column {short(name)} is read as a variable: no special column of promptfoo's has this name."
    elif name.startswith(_SPECIAL):
        yield f"The column {short(name)} is read as a variable; a special column begins with two underscores."
    if not _usable(name):
        better = re.sub(r"\W+", "_", name).strip("_")
        remedy = f"such as {short(better)}" if _usable(better) else "of letters, digits and underscores"
        yield f"'{short(name)}' cannot be written as a variable in a prompt; rename the column to one {remedy}."


def _usable(name: str) -> bool:
    """Whether a prompt template can name this variable."""
    try:
        return prompts.variables(f"{{{{ {name} }}}}") == (name,)
    except TemplateError:
        return False
