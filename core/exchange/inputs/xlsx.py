"""The first sheet of an Excel workbook (.xlsx) as a table.

The file is untrusted: what it unpacks to is bounded before it is unpacked, and a part that declares entities is
refused. Formulas are not computed; their stored values are read.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from core.errors import InvalidInput
from core.exchange.documents import MAX_ROWS, text_of
from core.exchange.inputs.columns import Row, inputs_from
from core.exchange.inputs.csv_table import headings, shape_notes
from core.exchange.inputs.imported import Imported, LeftOut
from core.text import in_words

MAX_UNPACKED = 20_000_000
MAX_PARTS = 500
MAX_CELLS = 2_000_000
MAX_LINES = 1_048_576
"""Limits: bytes and files in a workbook, cells of a sheet with the empty ones between, lines of a sheet (Excel's)."""

_BROKEN = "The workbook cannot be read. Open it, save it as .xlsx again, or save it as CSV."


def inputs_from_xlsx(data: bytes) -> Imported:
    """The rows of the first sheet, whose first line names the columns.

    Raises:
        InvalidInput: no workbook, too large unpacked, encrypted or broken, or a table that `inputs_from` refuses.
    """
    _check_archive(data)
    try:
        others, lines, uncomputed = _sheet(data)
    except InvalidInput:
        raise
    except Exception:  # a broken file makes openpyxl raise whatever its parts raise
        raise InvalidInput(_BROKEN) from None
    names, untitled = headings(lines[0][1] if lines else [])
    rows = [_row(number, fields, names) for number, fields in lines[1:]]
    imported = inputs_from("Excel workbook", names, rows)
    left_out = [LeftOut(f"Sheet {name}", "Only the first sheet is read.") for name in others]
    left_out += [LeftOut(where, "This formula has no stored value: open and save the file.") for where in uncomputed]
    return replace(
        imported,
        notes=(*shape_notes(untitled, 0), *imported.notes),
        left_out=(*left_out, *imported.left_out),
    )


def _check_archive(data: bytes) -> None:
    """Bound what the archive unpacks to. zipfile reads no more of a part than its directory says."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if len(parts) > MAX_PARTS or size > MAX_UNPACKED:
                raise InvalidInput(
                    f"The workbook unpacks to {in_words(size)} in {len(parts)} files; at most {in_words(MAX_UNPACKED)} "
                    f"in {MAX_PARTS} are read. Copy the table into a new one, or save it as CSV."
                )
            if any(_declares(archive.read(part)) for part in parts if part.filename.endswith((".xml", ".rels"))):
                raise InvalidInput("The workbook declares entities, which no spreadsheet does; it is not read.")
    except InvalidInput:
        raise
    except Exception:  # zipfile raises BadZipFile, zlib.error, RuntimeError (encrypted), NotImplementedError ...
        raise InvalidInput(_BROKEN) from None


def _declares(part: bytes) -> bool:
    return any("<!DOCTYPE".encode(code) in part for code in ("utf-8", "utf-16-le", "utf-16-be"))


def _sheet(data: bytes) -> tuple[list[str], list[tuple[int, list[str]]], list[str]]:
    """(names of the sheets that are not read, numbered lines with text, places of formulas without a value)."""
    import openpyxl

    computed = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    written = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    try:
        names = [sheet.title for sheet in computed.worksheets]
        if not names:
            return [], [], []
        lines, uncomputed = [], []
        for number, (values, formulas) in enumerate(zip(_cells(computed), _cells(written), strict=True), 1):
            fields = [_text(value) for value in values]
            if any(field.strip() for field in fields):
                lines.append((number, fields))
            if len(lines) > MAX_ROWS + 1:
                raise InvalidInput(f"The sheet has more than {MAX_ROWS:,} rows; use a part of it.")
            uncomputed += [
                f"Line {number}"
                for value, formula in zip(values, formulas, strict=False)
                if value is None and formula is not None
            ][:MAX_ROWS]
        return names[1:], lines, uncomputed[:MAX_ROWS]
    finally:
        computed.close()
        written.close()


def _cells(workbook: Any) -> Iterator[Iterable[Any]]:
    """The lines of the first sheet, as long as they are; a line that is not there is empty."""
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()  # what the file says of its size need not be true
    total = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        total += len(values)
        if total > MAX_CELLS or number > MAX_LINES:
            raise InvalidInput(
                f"The sheet has more than {MAX_CELLS:,} cells with the empty ones between. "
                "Copy the table into a new workbook, or save it as CSV."
            )
        yield values


def _text(value: object) -> str:
    """A cell as a person sees it, but for number formats; true and false as Excel writes them."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return text_of(value) if value is None or isinstance(value, str | int | float) else str(value)


def _row(number: int, fields: list[str], names: list[str]) -> Row:
    if any(field.strip() for field in fields[len(names) :]):
        raise InvalidInput(f"Line {number} has text in a column without a heading; give that column a name.")
    return Row(f"Line {number}", dict(zip(names, fields, strict=False)))
