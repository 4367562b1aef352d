"""The History page: search, select, and what can be done with the selected runs."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.experiment import unit
from core.history import RunRow, SavedRun
from core.ui.components import answer_grid, exports, image_view, run_comparison, run_facts, verdict_view
from core.ui.components.error_messages import errors_as_messages, refusal
from core.ui.components.markdown import escape
from core.ui.session import drafts, owner, pages
from core.ui.session.resources import history
from core.ui.session.state import session

PAGE_ROWS = 50
_IMAGE_ROW = 52
"""Pixels of a table's row that has an image."""

_COLUMNS = {
    "★": st.column_config.TextColumn(width=30),
    "Image": st.column_config.ImageColumn("", width=56),
    "When": st.column_config.DatetimeColumn(format="distance", width="small"),
    "Title": st.column_config.TextColumn(width="medium"),
    "Pass rate": st.column_config.TextColumn(
        width="small", help="Of the variant that passes most often, with its letter. Open the run for its verdict."
    ),
    "Time": st.column_config.NumberColumn(format="%.1f s"),
}


def find() -> tuple[RunRow, ...]:
    """The search fields, and the page of runs that fit."""
    if history().read_only:
        st.warning(escape(history().read_only, 600), icon=":material/lock:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            placeholder="A word of a title, a prompt or an answer",
            icon=":material/search:",
            key="history.text",
            live=True,
        )
        kind = st.selectbox("Page", ["All", *pages.WITH_RUNS], key="history.kind", width=160)
        starred = st.toggle("Starred only", key="history.starred")
    page = None if kind == "All" else kind
    total = history().count(owner.current(), text, page, starred)
    last = max(1, -(-total // PAGE_ROWS))
    number = st.pagination(last, key="history.page") if last > 1 else 1
    st.caption(f"{total} run{'s' if total != 1 else ''}")
    return history().search(owner.current(), text, page, starred, (min(number, last) - 1) * PAGE_ROWS, PAGE_ROWS)


def table(rows: Sequence[RunRow]) -> list[RunRow]:
    """The runs as a table; returns the selected ones."""
    thumbnails = history().thumbnails(owner.current(), [row.id for row in rows])
    frame = pd.DataFrame(
        {
            "★": "★" if row.starred else "",
            **({"Image": _data_url(thumbnails.get(row.id, b""))} if thumbnails else {}),
            "When": row.created,
            "Title": row.title,
            "Page": row.page,
            "State": str(row.state),
            "Models": ", ".join(row.models),
            "Answers": f"{row.done} of {row.cells}",
            "Pass rate": run_facts.leader(row),
            "Made": _made(row),
            "Time": row.seconds,
        }
        for row in rows
    )
    # The key follows the rows, so that a selection never slides to another run when the table changes.
    key = f"history.table.{hash(tuple(row.id for row in rows))}"
    event = st.dataframe(
        frame,
        hide_index=True,
        column_config=_COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
        row_height=_IMAGE_ROW if thumbnails else None,
    )
    return [rows[number] for number in event.selection.rows if number < len(rows)]


def _data_url(picture: bytes) -> str | None:
    """A small image as a URL that holds it."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}" if picture else None


def _made(row: RunRow) -> str:
    """How much the models made, in the unit that they count."""
    units = {unit(model) for model in row.models}
    return f"{row.tokens:,} {units.pop()}" if len(units) == 1 else f"{row.tokens:,}"


def opened(chosen: Sequence[RunRow]) -> SavedRun | None:
    """The one selected run with all its answers; None where none or several are selected."""
    return history().open(owner.current(), chosen[0].id) if len(chosen) == 1 else None


def actions(chosen: Sequence[RunRow], saved: SavedRun | None) -> None:
    """Buttons for the selected runs; most need exactly one, which comes `saved`."""
    one = saved.row if saved else None
    with st.container(horizontal=True):
        restored = st.button(
            "Restore",
            type="primary",
            icon=":material/restore_page:",
            disabled=one is None,
            key="history.restore",
            help="Refill the page that this run came from, with its answers",
        )
        starred = all(row.starred for row in chosen)
        st.button(
            "Unstar" if chosen and starred else "Star",
            icon=":material/star:",
            disabled=not chosen,
            key="history.star",
            on_click=_star,
            args=(chosen, not starred),
        )
        with st.popover("Rename", icon=":material/edit:", disabled=one is None):
            if one:
                _rename(one)
        st.button(
            "Delete",
            icon=":material/delete:",
            disabled=not chosen,
            key="history.delete",
            on_click=_delete,
            args=(chosen,),
        )
        exports.menu([row.id for row in chosen], "history.export", created=one.created if one else None)
        if saved:
            image_view.download_all(
                saved.experiment,
                saved.by_index,
                exports.file_stem(saved.row.created),
                "history.images",
            )
    refusal()
    _undo()
    if restored and saved:
        drafts.open_in_page(saved.experiment, [saved.row.id])


def comparison(chosen: Sequence[RunRow]) -> None:
    """Two selected runs against each other."""
    if len(chosen) == 2:
        first, second = (history().open(owner.current(), row.id) for row in chosen)
        run_comparison.draw(first, second, f"history.compare.{first.row.id}.{second.row.id}")


def detail(saved: SavedRun) -> None:
    """A run, opened below the table: its verdict and all its answers."""
    row = saved.row
    by_cell = saved.by_index
    st.subheader(escape(row.title), anchor=False)
    st.caption(run_facts.facts(row))
    verdict_view.draw(saved.experiment, by_cell, f"history.{row.id}", row.looks)
    answer_grid.draw(saved.experiment, by_cell, f"history.{row.id}")


def _rename(row: RunRow) -> None:
    title = st.text_input("New title", row.title, max_chars=200, key=f"history.title.{row.id}")
    if st.button("Save", key="history.rename") and title.strip():
        history().rename(owner.current(), row.id, title.strip())
        st.rerun()


@errors_as_messages
def _star(chosen: Sequence[RunRow], on: bool) -> None:
    for row in chosen:
        history().star(owner.current(), row.id, on)


@errors_as_messages
def _delete(chosen: Sequence[RunRow]) -> None:
    ids = tuple(row.id for row in chosen)
    history().delete(owner.current(), ids)
    session().deleted = ids


def _undo() -> None:
    deleted = session().deleted
    if deleted:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":material/delete: {len(deleted)} run{'s' if len(deleted) > 1 else ''} deleted.", width="content"
            )
            st.button("Undo", icon=":material/undo:", key="history.undo", on_click=_undelete)


@errors_as_messages
def _undelete() -> None:
    history().undelete(owner.current(), session().deleted)
    session().deleted = ()
