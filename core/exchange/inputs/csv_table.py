"""A table as text: separated by commas, tabs, semicolons or bars, such as promptfoo's tests.csv.

The text is untrusted: its size is bounded before it is parsed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from core.errors import InvalidInput
from core.exchange.documents import MAX_BYTES, MAX_ROWS
from core.exchange.inputs.columns import Row, inputs_from
from core.exchange.inputs.imported import MAX_COLUMNS, AmbiguousDelimiter, Imported
from core.text import short

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_LINE_END = re.compile(r"\r\n|\r|\n")
_SEP_LINE = re.compile(r'"?sep=([,;\t|])"?[ ,;]*')


@dataclass(frozen=True, slots=True)
class _Line:
    """The fields of one line; `number` counts from 1; for quoted line ends it is the last line's."""

    number: int
    fields: list[str]


def inputs_from_csv(text: str, delimiter: str = "") -> Imported:
    """Read a table whose first line names the columns, as `columns.inputs_from` means them.

    Blank lines and trailing columns without a heading are left out, with a note.

    Args:
        delimiter: what separates the fields; '' finds it from the heading, or from a first line such as `sep=;`.

    Raises:
        AmbiguousDelimiter: several delimiters fit.
        InvalidInput: the table is too large, a heading is missing or doubled, a line has another number of fields than
            the heading, or a threshold is no number; the message names the line.
    """
    if len(text) > MAX_BYTES:
        raise InvalidInput(f"The table is larger than {MAX_BYTES // 1_000_000} MB; use a part of it.")
    if delimiter and delimiter not in DELIMITERS:
        raise InvalidInput(f"A table is separated by {', '.join(DELIMITERS.values())}; choose one of them.")
    text, declared = _without_sep_line(text.removeprefix("\ufeff"))
    delimiter = delimiter or declared or _find_delimiter(text)
    lines, blank = _lines(text, delimiter, first=2 if declared else 1)
    names, untitled = headings(lines[0].fields if lines else [])
    for line in lines[1:]:
        _check_length(line, len(names), untitled, delimiter)
    rows = [Row(f"Line {line.number}", dict(zip(names, line.fields, strict=False))) for line in lines[1:]]
    separated = [f"The table is read as separated by {DELIMITERS[delimiter]}."] if len(names) > 1 else []
    notes = (separated if delimiter != "," else []) + shape_notes(untitled, blank)
    imported = inputs_from("CSV table", names, rows)
    return replace(imported, notes=(*notes, *imported.notes))


def shape_notes(untitled: int, blank: int) -> list[str]:
    """Sentences on empty columns and lines of a table that are left out."""
    notes = [f"{untitled} empty column{'s' if untitled > 1 else ''} without a heading left out."] if untitled else []
    return notes + ([f"{blank} line{'s' if blank > 1 else ''} without any text left out."] if blank else [])


def headings(fields: Sequence[str]) -> tuple[list[str], int]:
    """(names of the columns, count of unnamed columns at the end) from the first line of a table.

    Raises:
        InvalidInput: a name is missing before others, or there twice; there are none, or too many.
    """
    bare = [field.strip() for field in fields]
    names = bare[: max((n for n, name in enumerate(bare, 1) if name), default=0)]
    if not names or "" in names or len(names) > MAX_COLUMNS:
        raise InvalidInput(f"The first line must name the columns: 1 to {MAX_COLUMNS} names, none of them empty.")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput(f"The first line names the column '{short(name)}' twice; rename one of them.")
        seen.add(name)
    return names, len(bare) - len(names)


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
        sentence = f"The table may be separated by {names}. Say which, or put quotes round names with them."
        raise AmbiguousDelimiter(sentence, fitting)
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
                raise InvalidInput(f"The table has more than {MAX_ROWS:,} rows; use a part of it.")
    except csv.Error:
        number = reader.line_num + first - 1
        raise InvalidInput(f"Line {number} of the table cannot be read as CSV; look at its quotes.") from None
    return lines, blank


def _check_length(line: _Line, columns: int, untitled: int, delimiter: str) -> None:
    count = len(line.fields)
    if any(field.strip() for field in line.fields[columns : columns + untitled]):
        raise InvalidInput(f"Line {line.number} has text in a column without a heading; give that column a name.")
    if not columns <= count <= columns + untitled:
        raise InvalidInput(
            f"Line {line.number} has {count} field{'' if count == 1 else 's'}; the headings are {columns}. "
            f"Put text with {DELIMITERS.get(delimiter, 'the delimiter')} in it in quotes, and leave no field out."
        )
