"""The Home page: what Diptych is, the ways in, what can run here now, and what was run last."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.catalog import CATALOG
from core.catalog.servers import SERVERS
from core.types import ModelSpec
from core.ui.components import model_controls, remote_models, run_facts
from core.ui.components.markdown import escape
from core.ui.session import drafts, owner
from core.ui.session.pages import PAGES, Page
from core.ui.session.resources import history

LATEST = 5


def draw() -> None:
    """Draw the home page."""
    st.title("Which prompt is better?", anchor=False)
    st.markdown(
        "Diptych runs prompt variants side by side, over models, inputs and samples, and says honestly which is better."
    )
    with st.container(horizontal=True):
        for row in PAGES:
            if row.invitation:
                _invitation(row, first=row.key == "playground")
    st.caption("The example is filled and runs offline, on a small model that ships with the app. No key, no account.")
    _models()
    _latest()


def _invitation(row: Page, *, first: bool) -> None:
    """The button to a page; the first one fills the page with its example."""
    kind: Literal["primary", "secondary"] = "primary" if first else "secondary"
    if st.button(row.invitation, type=kind, icon=f":material/{row.icon}:", key=f"home.{row.key}"):
        if first and row.example is not None:
            drafts.open_in_page(row.example)
        st.switch_page(row.path)


def _models() -> None:
    st.subheader("What can run here now", anchor=False)
    board = st.grid(4, min_column_width=230)
    for row in CATALOG:
        with board.container(border=True, height="stretch"):
            _model(row)
    with board.container(border=True, height="stretch"):
        _remote()


def _remote() -> None:
    names = [server.name for server in SERVERS if not server.local]
    ready = [server.name for server in SERVERS if not server.local and remote_models.ready(server)]
    st.markdown("**Remote models** :gray[text]")
    status = (
        f":green[:material/check_circle: ready: {escape(', '.join(ready))}]"
        if ready
        else ":gray[:material/key: with your key]"
    )
    st.markdown(status)
    st.caption(f"{', '.join(names)}, and servers on your own machine. The button is beside every choice of models.")


def _model(row: ModelSpec) -> None:
    state = model_controls.availability(row)
    colour, icon = ("green", "check_circle") if state.startswith("ready") else ("gray", "download")
    st.markdown(f"**{escape(row.name)}** :gray[{row.modality}]")
    st.markdown(f":{colour}[:material/{icon}: {state}]")
    st.caption(f"{escape(row.summary, 200)} {escape(row.licence)}, {row.memory_bytes / 1e6:.0f} MB of memory.")


def _latest() -> None:
    rows = history().search(owner.current(), limit=LATEST)
    st.subheader("Latest runs", anchor=False)
    thumbnails = history().thumbnails(owner.current(), [row.id for row in rows])
    if not rows:
        st.caption("None yet. Everything you run is kept in the history, and can be restored from there.")
    for row in rows:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if row.id in thumbnails:
                st.image(thumbnails[row.id], width=44, output_format="PNG")
            st.markdown(f"**{escape(row.title)}** :gray[{run_facts.facts(row)}]", width="stretch")
            if st.button("Restore", key=f"home.restore.{row.id}", icon=":material/restore_page:"):
                drafts.open_in_page(history().open(owner.current(), row.id).experiment, [row.id])
