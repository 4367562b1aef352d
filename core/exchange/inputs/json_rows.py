"""A list of JSON objects as rows: a field is a column; or Diptych's own inputs, each with its values and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import InvalidInput
from core.exchange.documents import MAX_ROWS, Document, Path, text_of
from core.exchange.inputs.check_lines import CheckReader
from core.exchange.inputs.columns import Row, inputs_from
from core.exchange.inputs.imported import MAX_COLUMNS, Imported, LeftOut
from core.experiment.serialize import input_from
from core.text import short
from core.types import Input

_OWN = {"id", "values", "checks", "group", "threshold"}


def is_own(row: object) -> bool:
    """Whether a row is written as Diptych writes an input."""
    return isinstance(row, Mapping) and isinstance(row.get("values"), Mapping) and set(row) <= _OWN


def inputs_from_objects(document: Document, rows: list[Any], path: Path = ()) -> Imported:
    """Raises InvalidInput: a row is no object, or the table is one that `inputs_from` refuses."""
    table = []
    names: dict[str, None] = {}
    structured: dict[str, None] = {}
    for number, row in enumerate(rows[: MAX_ROWS + 1]):
        where = document.where((*path, number))
        if not isinstance(row, Mapping):
            raise InvalidInput(f'{where} is no object with named fields, such as {{"question": "2+2?"}}.')
        names |= dict.fromkeys(row)
        if len(names) > MAX_COLUMNS:
            raise InvalidInput(f"{where}: the rows have more than {MAX_COLUMNS} different fields.")
        structured |= dict.fromkeys(name for name, value in row.items() if isinstance(value, Mapping | list))
        table.append(Row(where, _cells(row)))
    imported = inputs_from("Table", list(names), table)
    notes = [f"'{short(name)}' has structures; they are taken as JSON text." for name in structured]
    return replace(imported, notes=(*notes, *imported.notes))


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    """A row's cells. A list of checks becomes a column of each."""
    cells: dict[str, str] = {}
    for name, value in row.items():
        if name == "__expected" and isinstance(value, list):
            cells |= {f"__expected{number}": text_of(item) for number, item in enumerate(value, start=1)}
        else:
            cells[name] = text_of(value)
    return cells


def own_inputs(document: Document, rows: list[Any], path: Path = ()) -> Imported:
    """Inputs as Diptych writes them. Raises InvalidInput: a field is not what it must be; names it."""
    if len(rows) > MAX_ROWS:
        raise InvalidInput(f"The file has more than {MAX_ROWS:,} rows; use a part of it.")
    inputs = tuple(input_from(row, f"inputs[{number}]") for number, row in enumerate(rows))
    return with_readable_checks(Imported(kind="Diptych inputs", inputs=inputs, columns=value_columns(inputs)), path)


def value_columns(inputs: tuple[Input, ...]) -> tuple[tuple[str, str], ...]:
    """What the values of inputs become, for a person."""
    names = dict.fromkeys(name for row in inputs for name in row.values)
    return tuple((name, f"variable {{{{{name}}}}}") for name in names)


def with_readable_checks(imported: Imported, path: Path = ()) -> Imported:
    """The same without the checks that cannot be read, which are listed."""
    reader = CheckReader()
    inputs = []
    for number, row in enumerate(imported.inputs, start=1):
        kept = [check for check in row.checks if reader.readable(check.line, row.values, f"Row {number}")]
        inputs.append(replace(row, checks=tuple(kept)))
    values = {name: value for row in imported.inputs for name, value in row.values.items()}
    shared = tuple(check for check in imported.checks if reader.readable(check.line, values, "Checks for all rows"))
    left_out: tuple[LeftOut, ...] = (*imported.left_out, *reader.left_out)
    return replace(imported, inputs=tuple(inputs), checks=shared, left_out=left_out)
