"""The rows of the inputs table and what an editor changed of them. Of Streamlit it knows the shape of the edits alone.

An editor tells its changes against the rows that it started from: cells by row and column, rows added at the end, rows
deleted. A row keeps its id, its values for variables that no prompt holds now, and what a check has beside its line.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import InvalidInput
from core.types import Check, Input

CHECKS = "checks:"
"""The checks' column; no variable can have this name."""

_NEXT, _WITHIN = "\N{RETURN SYMBOL}", "\N{SYMBOL FOR NEWLINE}"
"""Marks in a cell of checks: at the end of every line but the last, since an editor copies line ends as blanks; and for
a line end within one check. With _PLAIN after it a mark is that character itself."""

_PLAIN = "\N{VARIATION SELECTOR-15}"
_MARKS = re.compile(rf"[{_NEXT}{_WITHIN}]{_PLAIN}|{_WITHIN}| ?{_NEXT}(?!{_PLAIN})[ \n]?|\r?\n")


def cells(row: Input, names: Sequence[str]) -> dict[str, str]:
    """A row as the editor shows it."""
    return {name: row.values.get(name, "") for name in names} | {CHECKS: checks_text(row.checks)}


def checks_text(checks: Iterable[Check]) -> str:
    """Checks as text, one a line."""
    return f" {_NEXT}\n".join(_marked(check.line) for check in checks)


def plain_text(checks: Iterable[Check]) -> str:
    """Checks as text for a field that keeps line ends, one a line; `checks_from` reads them back."""
    return "\n".join(_marked(check.line) for check in checks)


def checks_from(text: str, before: Iterable[Check] = ()) -> tuple[Check, ...]:
    """Checks as they are written in a cell, one a line, with or without marks; a line that stood there before keeps its
    weight and metric."""
    earlier = {check.line: check for check in before}
    return tuple(earlier.get(line) or Check(line) for line in _unmarked(text) if line.strip())


def _marked(line: str) -> str:
    return re.sub(f"[{_NEXT}{_WITHIN}]", rf"\g<0>{_PLAIN}", line).replace("\n", _WITHIN)


def _unmarked(text: str) -> list[str]:
    lines, begin = [""], 0
    for mark in _MARKS.finditer(text):
        lines[-1] += text[begin : mark.start()]
        begin = mark.end()
        if mark[0] == _WITHIN:
            lines[-1] += "\n"
        elif mark[0].endswith(_PLAIN):
            lines[-1] += mark[0][0]
        else:
            lines.append("")
    lines[-1] += text[begin:]
    return lines


def needs_marks(edits: Mapping[str, Any]) -> bool:
    """Whether a changed cell of checks lacks marks, so that it would be copied otherwise than it is read."""
    rows = [*edits.get("edited_rows", {}).values(), *edits.get("added_rows", ())]
    texts = [_text(row.get(CHECKS)) for row in rows]
    return any("\n" in text and text != checks_text(checks_from(text)) for text in texts)


def edited(
    start: Sequence[Input], names: Sequence[str], edits: Mapping[str, Any], before: Sequence[Input], most: int
) -> tuple[Input, ...]:
    """The rows after all edits. A row without any value and any check is left out.

    Args:
        start: the rows that the editor started from, which its edits refer to.
        before: the rows as they were before the latest edit; added rows keep the ids that they have there.
        most: rows that a table may have.

    Raises:
        InvalidInput: there would be more rows than that; nothing was looked at but their number.
    """
    added, deleted = edits.get("added_rows", ()), set(edits.get("deleted_rows", ()))
    count = len(start) - len(deleted) + len(added)
    if added and count > most:
        raise InvalidInput(
            f"The table would have {count:,} rows; at most {most:,} can be run. "
            "The rows that were added last are not taken. Add fewer of them."
        )
    changes = {int(number): row for number, row in edits.get("edited_rows", {}).items()}
    kept = [_changed(row, names, changes.get(number, {})) for number, row in enumerate(start) if number not in deleted]
    new = [_changed(Input(), names, row) for row in added]
    kept, new = [row for row in kept if _filled(row)], [row for row in new if _filled(row)]
    return with_ids([*kept, *_with_earlier_ids(new, _without(before, kept))])


def with_ids(rows: Iterable[Input]) -> tuple[Input, ...]:
    """The rows, each with an id that no other has. An id is never given twice, not even after its row is deleted."""
    seen: set[str] = {""}
    result = []
    for row in rows:
        if row.id in seen:
            row = replace(row, id=f"row-{secrets.token_hex(4)}")
        seen.add(row.id)
        result.append(row)
    return tuple(result)


def _changed(row: Input, names: Sequence[str], changes: Mapping[str, Any]) -> Input:
    if not changes:
        return row
    values = {name: _text(changes[name]) for name in names if name in changes}
    checks = checks_from(_text(changes[CHECKS]), row.checks) if CHECKS in changes else row.checks
    return replace(row, values={**row.values, **values}, checks=checks)


def _with_earlier_ids(rows: Sequence[Input], before: Sequence[Input]) -> list[Input]:
    """Added rows with the ids that they had: first those that are the same as before, then the rest in their order."""
    unused = list(before)
    ids = [""] * len(rows)
    for number, row in enumerate(rows):
        same = next((one for one in unused if (one.values, one.checks) == (row.values, row.checks)), None)
        if same is not None:
            ids[number] = same.id
            unused.remove(same)
    rest = iter(unused)
    return [replace(row, id=ids[number] or next(rest, row).id) for number, row in enumerate(rows)]


def _without(rows: Sequence[Input], others: Sequence[Input]) -> list[Input]:
    ids = {row.id for row in others}
    return [row for row in rows if row.id not in ids]


def _filled(row: Input) -> bool:
    return any(row.values.values()) or bool(row.checks)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
