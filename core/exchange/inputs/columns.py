"""Rows of named cells as inputs. A column is a variable, but for promptfoo's special columns, whose names begin with
two underscores. Knows nothing of delimiters or file formats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core import prompts
from core.errors import InvalidInput, TemplateError
from core.exchange.documents import MAX_ROWS
from core.exchange.inputs.check_lines import CheckReader
from core.exchange.inputs.imported import DESCRIPTION, MAX_COLUMNS, MAX_NAME, Imported, LeftOut
from core.text import short
from core.types import Check, Input

_EXPECTED = "__expected"
_CONFIG = "__config:"
_SPECIAL = (
    *("_expected", "_prefix", "_suffix", "_description", "_providerOutput"),
    *("_metric", "_threshold", "_metadata", "_config"),
)
_NOT_READ = {
    "__prefix": "write it at the beginning of the prompt",
    "__suffix": "write it at the end of the prompt",
    "__metadata": "a row has no metadata here",
    "__providerOutput": "answers come from the model here, not from the table",
}


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by their columns; `where` says where it stands in the file, such as "Line 3"."""

    where: str
    cells: Mapping[str, str]


def inputs_from(kind: str, headings: Sequence[str], rows: Sequence[Row]) -> Imported:
    """The rows as inputs: names that begin with `__expected` are checks, `__metric` names the metric of a row's checks,
    `__threshold` is a row's and `__config:__expected1:threshold` a check's threshold, `__description` a row's.

    Columns that mean nothing here, and checks that cannot be read, are listed as left out.

    Args:
        headings: the names of the columns, in order; none is there twice.

    Raises:
        InvalidInput: too many rows or columns, a name is too long, a threshold is no number, or the checks take too
            long to read.
    """
    if len(rows) > MAX_ROWS:
        raise InvalidInput(f"The file has more than {MAX_ROWS:,} rows; use a part of it.")
    if len(headings) > MAX_COLUMNS or any(len(name) > MAX_NAME for name in headings):
        raise InvalidInput(f"The file has more than {MAX_COLUMNS} columns, or a name of over {MAX_NAME} characters.")
    configured = _configured(headings)
    reader = CheckReader()
    inputs = tuple(_input(headings, row, configured, reader) for row in rows)
    columns = tuple((name, _becomes(name)) for name in headings)
    notes = tuple(note for name in headings for note in _notes(name))
    unread = tuple(
        LeftOut(f"Column {short(name)}", f"Not taken over: {reason}.")
        for name in headings
        if (reason := _not_read(name))
    )
    return Imported(kind=kind, inputs=inputs, columns=columns, notes=notes, left_out=(*unread, *reader.left_out))


def _input(headings: Sequence[str], row: Row, configured: Mapping[str, str], reader: CheckReader) -> Input:
    cells = row.cells
    values = {name: cells.get(name, "") for name in headings if not _special(name)}
    description = cells.get(DESCRIPTION, "").strip()
    metric = cells.get("__metric", "").strip()[:MAX_NAME]
    checks = _checks(row, values, reader)
    for name, target in configured.items():
        if cells.get(name, "").strip() and target in checks:
            checks[target] = replace(checks[target], threshold=_number(cells[name], name, row.where, math.inf))
    threshold = cells.get("__threshold", "")
    return Input(
        values=values | ({DESCRIPTION: description} if description else {}),
        checks=tuple(replace(check, metric=metric) for check in checks.values()),
        threshold=_number(threshold, "__threshold", row.where, 1.0) if threshold.strip() else None,
    )


def _checks(row: Row, values: Mapping[str, str], reader: CheckReader) -> dict[str, Check]:
    """The row's checks that can be read, by their columns; the reader lists the others."""
    lines = {name: row.cells[name].strip() for name in row.cells if name.startswith(_EXPECTED)}
    return {
        name: Check(line)
        for name, line in lines.items()
        if line and reader.readable(line, values, f"{row.where}, {short(name)}")
    }


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


def _number(text: str, column: str, where: str, highest: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= highest or math.isinf(number):
        upper = "up" if math.isinf(highest) else f"to {highest:g}"
        raise InvalidInput(f"{where}: {short(column)} must be a number from 0 {upper}.")
    return number


def _special(name: str) -> bool:
    named = ("__metric", "__threshold", DESCRIPTION)
    return name.startswith((_EXPECTED, _CONFIG)) or name in named or _not_read(name) != ""


def _not_read(name: str) -> str:
    """Why a promptfoo column is left out; '' for all others."""
    return _NOT_READ.get("__metadata" if name.startswith("__metadata:") else name, "")


def _becomes(name: str) -> str:
    """What a column becomes, for a person."""
    if _not_read(name):
        return "not taken over"
    if name.startswith(_EXPECTED):
        return "a check of its row"
    if name.startswith(_CONFIG):
        return "the threshold of a check"
    special = {
        "__metric": "the metric of the row's checks",
        "__threshold": "the row's threshold",
        DESCRIPTION: "the row's description",
    }
    return special.get(name, f"variable {{{{{name}}}}}" if usable(name) else "a value that no prompt can name")


def _notes(name: str) -> Iterator[str]:
    if _special(name):
        return
    if name.startswith("__"):
        yield f"The column {short(name)} is read as a variable: no special column of promptfoo's has this name."
    elif name.startswith(_SPECIAL):
        yield f"The column {short(name)} is read as a variable; a special column begins with two underscores."
    if not usable(name):
        better = re.sub(r"\W+", "_", name).strip("_")
        remedy = f"such as {short(better)}" if usable(better) else "of letters, digits and underscores"
        yield f"'{short(name)}' cannot be written as a variable in a prompt; rename the column to one {remedy}."


def usable(name: str) -> bool:
    """Whether a prompt template can name this variable."""
    try:
        return prompts.variables(f"{{{{ {name} }}}}") == (name,)
    except TemplateError:
        return False
