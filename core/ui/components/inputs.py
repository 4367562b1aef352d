"""The table of inputs: a column for each {{variable}}, a row for each case, and the checks that an answer must pass."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import InvalidInput
from core.exchange.inputs import DESCRIPTION
from core.experiment import Input, readable_names
from core.ui.components import input_edits
from core.ui.components.input_edits import CHECKS
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.session.resources import settings
from core.ui.session.state import Draft, session

_EMPTY = "Add variables to a prompt by writing `{{name}}`: each becomes a column here."
_LITERALLY = "Or switch on *Braces are text* under that prompt, if it has no variables."
_MANY = 40
"""Added rows from which the editor starts anew with them: it adds them one by one in every run of the page."""


@slotted
def edit(draft: Draft) -> None:
    """Draw the table as it follows from the prompts. A prompt that cannot be read is said, with a remedy; the table
    stays."""
    names, errors = readable_names(draft.experiment())
    for error in errors[:3]:
        remedy = _LITERALLY if error.startswith("Variant ") else ""
        st.error(f"{escape(error, 600)} {remedy}", icon=":material/error:")
    if len(errors) > 3:
        st.caption(f":red[And {len(errors) - 3} more that cannot be read.]")
    shown = _with_description(draft, names)
    key = draft.key("inputs", draft.table_restarts, *shown)
    frame = _frame(draft, key, shown)
    st.data_editor(
        frame,
        key=key,
        num_rows="dynamic" if names else "fixed",
        hide_index=True,
        column_config=_columns(shown),
        on_change=_take_edits,
        args=(draft, key, shown, draft.table),
    )
    if draft.table_refusal:
        st.error(escape(draft.table_refusal, 300), icon=":material/error:")
    if not names:
        st.caption(_EMPTY)
    for name, rows in _gaps(draft, names).items():
        where = f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows[:8]))}{', …' if len(rows) > 8 else ''}"
        st.caption(
            f":orange[:material/warning:] **{escape(name)}** is empty in {where}: the prompt is sent with a gap."
        )


def _with_description(draft: Draft, names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns: the rows' descriptions where an import brought some, then the variables."""
    described = any(row.values.get(DESCRIPTION) for row in draft.inputs)
    return (DESCRIPTION, *names) if described and DESCRIPTION not in names else names


def _gaps(draft: Draft, names: tuple[str, ...]) -> dict[str, list[int]]:
    """Rows, counted from 1, in which a variable has no value."""
    gaps = {name: [n for n, row in enumerate(draft.inputs, 1) if not row.values.get(name)] for name in names}
    return {name: rows for name, rows in gaps.items() if rows}


def _frame(draft: Draft, key: str, names: tuple[str, ...]) -> pd.DataFrame:
    """The rows that the editor starts from.

    They stay the same for as long as the columns stay: an editor that is given back its own edits would apply them
    twice.
    """
    if draft.table_key != key or session().widget(key) is None:  # the editor forgets its edits when the page is left
        draft.inputs = list(input_edits.with_ids(draft.inputs))
        draft.table_key, draft.table = key, tuple(draft.inputs)
    return pd.DataFrame([input_edits.cells(row, names) for row in draft.table], columns=[*names, CHECKS])


def _columns(names: tuple[str, ...]) -> dict[str, Any]:
    columns: dict[str, Any] = {name: st.column_config.TextColumn(name, width="medium", default="") for name in names}
    if DESCRIPTION in columns:
        columns[DESCRIPTION] = st.column_config.TextColumn("Description", width="small", default="")
    columns[CHECKS] = st.column_config.TextColumn(
        "Checks",
        width="large",
        default="",
        help="What the answer to this row must show, such as number:88 or is-json. One check a line: Shift+Enter",
    )
    return columns


def _take_edits(draft: Draft, key: str, names: tuple[str, ...], start: tuple[Input, ...]) -> None:
    """Take over what was changed in the table since it started. Too many rows are refused: it is as it was before them.

    A callback, so that a large paste is refused before the editor has begun to add it row by row.
    """
    edits = session().widget(key)
    if not isinstance(edits, dict):
        return
    many = len(edits.get("added_rows", ())) > _MANY
    draft.table_refusal, restart = "", True
    try:
        rows = input_edits.edited(start, names, edits, draft.inputs, settings().max_cells)
        draft.inputs = list(rows) or [Input()]
        restart = many or draft.table_key != key or input_edits.needs_marks(edits)
    except InvalidInput as error:
        draft.table_refusal = str(error)
    draft.table_restarts += restart
