"""The cells of runs as files for programs that read tables: CSV, XLSX, JSONL. No text runs as a formula."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence

from core.exchange.report import Report, report
from core.exchange.rows import Field, headings, rows
from core.history.saved import SavedRun
from core.text import clean

MAX_CELL = 32_767
"""Characters of one cell of an XLSX sheet (Excel's specifications and limits)."""


def csv_table(runs: Sequence[SavedRun]) -> str:
    """One line per cell for a spreadsheet. It begins with a byte order mark (so encode it as plain UTF-8); every field
    is quoted, and no text runs as a formula. `passed` is yes, no, or empty."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, quoting=csv.QUOTE_ALL)
    writer.writerow(map(_safe, headings(runs)))
    for row in rows(runs):
        writer.writerow([_safe(_in_words(field)) for field in row])
    return "\ufeff" + sheet.getvalue()


def jsonl_table(runs: Sequence[SavedRun]) -> str:
    """One JSON object per cell and line, by heading. `passed` is true, false or null."""
    names = headings(runs)
    lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, allow_nan=False) for row in rows(runs))
    return "".join(f"{line}\n" for line in lines)


def xlsx_table(runs: Sequence[SavedRun]) -> bytes:
    """A workbook: the cells, then for each run its verdict and its prompts. A text over MAX_CELL characters ends with a
    word that says so; the CSV and the JSONL have it whole."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    _fill(book.create_sheet("Answers"), [headings(runs), *rows(runs)])
    for number, saved in enumerate(runs, start=1):
        ending = f" {number}" if len(runs) > 1 else ""
        _fill(book.create_sheet(f"Verdict{ending}"), _verdict_rows(report(saved)))
        _fill(book.create_sheet(f"Prompts{ending}"), _prompt_rows(saved))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _verdict_rows(run_report: Report) -> list[Sequence[Field]]:
    rows: list[Sequence[Field]] = [
        [run_report.title],
        [run_report.sentence],
        *([note] for note in run_report.notes),
        [],
    ]
    if run_report.table:
        rows += [*run_report.table, []]
    return rows + [[aspect, description] for aspect, description in run_report.method]


def _prompt_rows(saved: SavedRun) -> list[Sequence[Field]]:
    variants = saved.experiment.variants
    return [["name", "system", "prompt"], *([variant.name, variant.system, variant.user] for variant in variants)]


def _fill(sheet: object, rows: Sequence[Sequence[Field]]) -> None:
    """Append rows to a sheet; text stays text, whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell

    for row in rows:
        cells = []
        for field in row:
            value = _in_words(field)
            cell = WriteOnlyCell(sheet, value=_fitting(value) if isinstance(value, str) else value)
            if isinstance(value, str):
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)  # type: ignore[attr-defined]


def _fitting(text: str) -> str:
    """Text that a sheet can hold: without control characters, and not longer than a cell."""
    kept = _CONTROL.sub("", clean(text))
    ending = f" ... (cut here: {len(kept)} characters in all)"
    return kept if len(kept) <= MAX_CELL else kept[: MAX_CELL - len(ending)] + ending


def _in_words(field: Field) -> str | int | float:
    if isinstance(field, bool):
        return "yes" if field else "no"
    return "" if field is None else field


def _safe(value: object) -> object:
    """A field that no spreadsheet runs: an apostrophe precedes text that begins like a formula, unless it is a number.

    Source: OWASP, "CSV injection", with the full-width signs that some spreadsheets read alike.
    """
    if not isinstance(value, str) or _PLAIN_NUMBER.fullmatch(value):
        return value
    begins = value.lstrip(_BLANK)[:1]
    return f"'{value}" if value[:1] in {"\t", "\r", "\n"} or (begins and begins in _FORMULA) else value


_BLANK = " \ufeff\u00a0\u200b\u3000"
_FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
