"""The Playground page: its examples, and the answers with the verdict above them."""

from __future__ import annotations

import streamlit as st

from core.examples import EXAMPLES
from core.ui.components import results, run_bar, verdict_view
from core.ui.components.run_bar import RunView
from core.ui.session.state import session


def example_menu() -> None:
    """Examples that run at once, by what they show."""
    titles = [example.title for example in EXAMPLES]
    title = st.menu_button("Load an example", titles, icon=":material/lightbulb:", key="playground.examples")
    if title is not None:
        session().adopt(EXAMPLES[titles.index(title)])
        st.rerun()


def draw(view: RunView) -> None:
    """The verdict on top, the grid under it."""
    verdict_view.draw(view.experiment, view.results, f"playground.{view.run_id}")
    results.grid(
        view.experiment, view.results, f"playground.{view.run_id}", lambda cell: run_bar.retry(view.run_id, cell)
    )
