"""The Playground page: its examples, and the answers with the verdict above them."""

from __future__ import annotations

import streamlit as st

from core.examples import EXAMPLES
from core.ui.components import answer_grid, exports, run_bar, verdict_view
from core.ui.components.run_bar import RunView
from core.ui.session.state import session

_EXAMPLES = "playground.examples"


def example_menu() -> None:
    """Examples that run at once, by what they show."""
    titles = [example.title for example in EXAMPLES]
    st.menu_button("Load an example", titles, icon=":material/lightbulb:", key=_EXAMPLES, on_click=_load)


def _load() -> None:
    title = session().widget(_EXAMPLES)
    for example in EXAMPLES:
        if example.title == title:
            session().adopt(example)


def draw(view: RunView) -> None:
    """The verdict on top, the grid under it."""
    verdict_view.draw(view.experiment, view.results, f"playground.{view.run_id}", view.looks, watched=True)
    if view.state.final:
        exports.menu([view.run_id], f"playground.{view.run_id}.export")
    answer_grid.draw(
        view.experiment, view.results, f"playground.{view.run_id}", lambda cell: run_bar.retry(view.run_id, cell)
    )
