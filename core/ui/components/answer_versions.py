"""The versions of a page's answers: every run that was started from it since its controls were filled."""

from __future__ import annotations

import random
from dataclasses import replace

import streamlit as st

from core.ui.components import run_bar
from core.ui.components.run_bar import RunView
from core.ui.session.state import Draft


def chosen(draft: Draft, view: RunView) -> RunView:
    """The version that is looked at; where there are several, the pagination that chooses it is drawn."""
    count = len(draft.runs)
    if count < 2:
        return view
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{count} versions", width="content")
        page = st.pagination(count, default=count, key=draft.key("version", count))
    run_id = draft.runs[page - 1]
    return view if run_id == view.run_id else run_bar.find(run_id) or view


def regenerate(draft: Draft, view: RunView, key: str) -> None:
    """A button that asks the same again with a new seed; greedy decoding would only repeat itself."""
    st.button(
        "Regenerate",
        icon=":material/refresh:",
        key=f"{key}.again",
        disabled=view.experiment.parameters.get("temperature") == 0,
        help="The same prompt with a new seed; this version stays",
        on_click=lambda: run_bar.start(draft, replace(view.experiment, seed=_new_seed(), seeds=())),
    )


def _new_seed() -> int:
    return random.SystemRandom().randrange(2**31)
