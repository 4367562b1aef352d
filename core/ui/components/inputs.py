"""The table of inputs: a column for each {{variable}}, a row for each case, and the checks that an answer must pass."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.checks import CHECKS
from core.errors import TemplateError
from core.experiment import Input, variable_names
from core.types import Check
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.session.state import Draft, session

CHECKS_COLUMN = "Checks"
_EMPTY = "Add variables to a prompt by writing `{{name}}`: each becomes a column here."


@slotted
def edit(draft: Draft) -> None:
    """Draw the table as it follows from the prompts, and read back what was typed into it."""
    try:
        names = variable_names(draft.experiment())
    except TemplateError as error:
        st.error(escape(str(error), 400), icon=":material/error:")
        return
    edited: pd.DataFrame = st.data_editor(
        _frame(draft, names),
        key=draft.key("inputs", *names),
        num_rows="dynamic" if names else "fixed",
        hide_index=True,
        column_config=_columns(names),
    )
    _read_back(draft, names, edited)
    if not names:
        st.caption(_EMPTY)
    for name, rows in _gaps(draft, names).items():
        where = f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows[:8]))}"
        st.caption(
            f":orange[:material/warning:] **{escape(name)}** is empty in {where}: the prompt is sent with a gap."
        )
    _dialect()


def _gaps(draft: Draft, names: tuple[str, ...]) -> dict[str, list[int]]:
    """Rows, counted from 1, in which a variable has no value."""
    found = {name: [n for n, row in enumerate(draft.inputs, 1) if not row.values.get(name)] for name in names}
    return {name: rows for name, rows in found.items() if rows}


def _frame(draft: Draft, names: tuple[str, ...]) -> pd.DataFrame:
    """The draft's rows as the editor's starting point.

    Kept as it was first drawn for as long as the columns stay: an editor that is given back its own edits would apply
    them twice.
    """
    key = draft.key("inputs", *names)
    if draft.table_key != key or session().widget(key) is None:  # the editor forgets its edits when the page is left
        rows: list[dict[str, object]] = [
            {name: row.values.get(name, "") for name in names} | {CHECKS_COLUMN: [check.line for check in row.checks]}
            for row in draft.inputs
        ]
        draft.table_key, draft.table = key, rows
    return pd.DataFrame(draft.table, columns=[*names, CHECKS_COLUMN])


def _columns(names: tuple[str, ...]) -> dict[str, Any]:
    columns: dict[str, Any] = {name: st.column_config.TextColumn(name, width="medium", default="") for name in names}
    columns[CHECKS_COLUMN] = st.column_config.ListColumn(
        CHECKS_COLUMN, width="large", help="What the answer to this row must show, such as number:88 or is-json"
    )
    return columns


def _read_back(draft: Draft, names: tuple[str, ...], edited: pd.DataFrame) -> None:
    """Take over what was typed. Rows without any value are left out; values of variables not in use now stay."""
    rows = []
    for place, row in enumerate(edited.to_dict("records")):
        kept = dict(draft.inputs[place].values) if place < len(draft.inputs) else {}
        values = {name: _text(row.get(name)) for name in names}
        checks = row.get(CHECKS_COLUMN)
        lines = tuple(_text(line) for line in checks if _text(line)) if isinstance(checks, list) else ()
        if any(values.values()) or not names:
            rows.append(Input(values=kept | values, checks=Check.of(*lines)))
    draft.inputs = rows or [Input()]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dialect() -> None:
    with st.popover("How to write checks", icon=":material/rule:", type="tertiary"):
        st.caption("One check an entry; text alone means *equals*. Put `not-` before any of them to turn it round.")
        st.table(pd.DataFrame({"Check": list(CHECKS), "The answer ...": [check.help for check in CHECKS.values()]}))
