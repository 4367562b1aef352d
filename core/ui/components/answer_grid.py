"""The answers of a run with several inputs: as cards or as a table of marks, filtered, sorted and in pages.

Only the rows of one page are drawn, however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.experiment import columns_of, verdict_words
from core.experiment.grade import answer, images_of
from core.experiment.grid import GridCell, grid_cells
from core.experiment.row_filter import LABELS, by_disagreement, matching
from core.experiment.scores import Column, cell_score, column_of
from core.text import short
from core.types import CellResult, Experiment, State
from core.ui.components import results as cards
from core.ui.components import text_difference
from core.ui.components.markdown import escape

CARD_ROWS, TABLE_ROWS = 20, 100
"""Rows of one page."""

_CARDS, _TABLE = "Cards", "Table"
_GROUNDS = {"✓": "rgba(20,150,90,.18)", "✗": "rgba(200,40,70,.16)", "±": "rgba(210,140,10,.2)"}


def draw(experiment: Experiment, results: Mapping[int, CellResult], key: str, retry: cards.Retry | None = None) -> None:
    """The answers, under controls that choose which; one input alone has none.

    Args:
        key: of this run on this page, for the widgets.
    """
    if len(experiment.inputs) < 2:
        cards.grid(experiment, results, key, retry)
        return
    view, rows = _controls(experiment, results, key)
    if not rows:
        st.caption("No input is like that.")
        return
    size = CARD_ROWS if view == _CARDS else TABLE_ROWS
    pages = -(-len(rows) // size)
    page = st.pagination(pages, key=f"{key}.rows") if pages > 1 else 1
    shown = rows[(min(page, pages) - 1) * size :][:size]
    if view == _CARDS:
        cards.grid(experiment, results, key, retry, shown)
    else:
        _table(experiment, results, shown, key, retry)


def _controls(experiment: Experiment, results: Mapping[int, CellResult], key: str) -> tuple[str, tuple[int, ...]]:
    """The view, and the rows that are chosen, in their order."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.show"):
        view = st.segmented_control(
            "View", [_CARDS, _TABLE], default=_CARDS, key=f"{key}.view", label_visibility="collapsed", required=True
        )
        which = st.selectbox(
            "Show",
            list(LABELS),
            format_func=LABELS.__getitem__,
            key=f"{key}.filter",
            label_visibility="collapsed",
            width=200,
        )
        sort = st.toggle("Largest difference first", key=f"{key}.sort")
        rows = matching(experiment, results, which)
        if len(rows) < len(experiment.inputs):
            st.caption(f"{len(rows)} of {len(experiment.inputs)} inputs", width="content")
    return str(view or _CARDS), by_disagreement(experiment, results, rows) if sort else rows


def _table(
    experiment: Experiment,
    results: Mapping[int, CellResult],
    rows: Sequence[int],
    key: str,
    retry: cards.Retry | None,
) -> None:
    """A mark and the first words of every cell; the cell that is selected stands beside the table, whole."""
    columns = columns_of(experiment)
    names = [verdict_words.column_name(experiment, column) for column in columns]
    by_place = _by_place(experiment, results)
    frame = pd.DataFrame(
        {
            "Input": [_input_name(experiment, row) for row in rows],
            **{
                name: [_words(experiment, by_place.get((row, column), [])) for row in rows]
                for name, column in zip(names, columns, strict=True)
            },
        }
    )
    left, right = st.columns([3, 2])
    with left:
        event = st.dataframe(
            frame.style.map(_ground, subset=pd.Index(names)),
            hide_index=True,
            column_config={
                "Input": st.column_config.TextColumn(pinned=True, width=160),
                **{name: st.column_config.TextColumn(width=150) for name in names},
            },
            on_select="rerun",
            selection_mode="single-cell",
            key=f"{key}.table.{hash(tuple(rows))}",
        )
    with right:
        chosen = [(row, name) for row, name in event.selection.cells if name in names and row < len(rows)]
        if not chosen:
            st.caption("Choose a cell to read its answer, its checks and its prompt.")
            return
        row, column = rows[chosen[0][0]], columns[names.index(chosen[0][1])]
        _detail(experiment, by_place, row, column, f"{key}.cell", retry)


def _detail(
    experiment: Experiment,
    by_place: Mapping[tuple[int, Column], Sequence[tuple[GridCell, CellResult]]],
    row: int,
    column: Column,
    key: str,
    retry: cards.Retry | None,
) -> None:
    """All of one cell: its samples with checks and facts, its prompt as it was sent, what differs from the first
    column's answer."""
    with st.container(border=True):
        st.markdown(f"**{escape(verdict_words.column_name(experiment, column), 80)}**")
        st.caption(escape(_input_name(experiment, row), 300))
        samples = by_place.get((row, column), [])
        for group in cards.distinct(samples):
            cards.sample(experiment, group, f"{key}.{row}.{group.cells[0].index}", retry)
        if not samples:
            return
        prompt = samples[0][1].output.provenance.get("rendered_prompt") if samples[0][1].output else None
        if isinstance(prompt, str) and prompt:
            with st.expander("Prompt as the model got it", icon=":material/notes:"):
                cards.text(prompt)
        first = by_place.get((row, columns_of(experiment)[0]), [])
        if first and first[0][0] != samples[0][0] and answer(first[0][1]) and answer(samples[0][1]):
            with st.expander("Against the first column's answer", icon=":material/difference:"):
                text_difference.draw(answer(first[0][1]), answer(samples[0][1]))


def _by_place(
    experiment: Experiment, results: Mapping[int, CellResult]
) -> dict[tuple[int, Column], list[tuple[GridCell, CellResult]]]:
    """The cells by row and column, in the order of their samples."""
    places: dict[tuple[int, Column], list[tuple[GridCell, CellResult]]] = {}
    for cell in grid_cells(experiment):
        result = results.get(cell.index, CellResult(index=cell.index))
        places.setdefault((cell.input, column_of(cell)), []).append((cell, result))
    return places


def _input_name(experiment: Experiment, row: int) -> str:
    values = " · ".join(value for value in experiment.inputs[row].values.values() if value)
    return f"{row + 1} · {short(values, 120)}" if values else str(row + 1)


def _words(experiment: Experiment, cells: Sequence[tuple[GridCell, CellResult]]) -> str:
    """'✓ 88', '± 2 of 3', '✗ The answer is 101': how the samples of a cell came out."""
    scores = [score for cell, result in cells if (score := cell_score(experiment, cell, result)) is not None]
    passed = sum(score == 1 for score in scores)
    mark = "" if not scores else "✓ " if passed == len(scores) else "✗ " if not passed else "± "
    if len(cells) > 1 and scores:
        return f"{mark}{passed} of {len(scores)}"
    return mark + _first_words(cells[0][1]) if cells else ""


def _first_words(result: CellResult) -> str:
    if result.state not in (State.DONE, State.RUNNING):
        return str(result.state)
    words = " ".join(answer(result).split())
    return short(words, 60) or ("image" if images_of(result) else "(empty)" if result.state.final else "…")


def _ground(words: object) -> str:
    colour = _GROUNDS.get(str(words)[:1])
    return f"background-color: {colour}" if colour else ""
