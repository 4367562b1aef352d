"""The home page: what Diptych is, one way in, what can run here now, and what was run last."""

from __future__ import annotations

import streamlit as st

from core.catalog import CATALOG
from core.catalog.servers import SERVERS
from core.examples import STEP_BY_STEP
from core.types import ModelSpec
from core.ui.components import model_controls, remote_models
from core.ui.components.markdown import escape
from core.ui.pages import history as history_page
from core.ui.session import drafts, owner
from core.ui.session.resources import history

LATEST = 5


def page() -> None:
    """Draw the home page."""
    st.title("Which prompt is better?", anchor=False)
    st.markdown(
        "Diptych runs prompt variants side by side, over models, inputs and samples, and says honestly which is better."
    )
    with st.container(horizontal=True):
        if st.button("Compare three prompts", type="primary", icon=":material/compare:", key="home.start"):
            drafts.open_in_page(STEP_BY_STEP)
        if st.button("Write a text", icon=":material/notes:", key="home.text"):
            st.switch_page(drafts.PAGES["text"])
        if st.button("Make an image", icon=":material/image:", key="home.image"):
            st.switch_page(drafts.PAGES["image"])
        if st.button("Make a sound", icon=":material/graphic_eq:", key="home.audio"):
            st.switch_page(drafts.PAGES["audio"])
        if st.button("Complete code", icon=":material/code:", key="home.code"):
            st.switch_page(drafts.PAGES["code"])
        if st.button("Chat", icon=":material/forum:", key="home.chat"):
            st.switch_page(drafts.PAGES["chat"])
    st.caption("The example is filled and runs offline, on a small model that ships with the app. No key, no account.")
    _models()
    _latest()


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
    said = (
        f":green[:material/check_circle: ready: {escape(', '.join(ready))}]"
        if ready
        else ":gray[:material/key: with your key]"
    )
    st.markdown(said)
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
    small = history().thumbnails(owner.current(), [row.id for row in rows])
    if not rows:
        st.caption("None yet. Everything you run is kept in the history, and can be restored from there.")
    for row in rows:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if row.id in small:
                st.image(small[row.id], width=44, output_format="PNG")
            st.markdown(f"**{escape(row.title)}** :gray[{history_page.facts(row)}]", width="stretch")
            if st.button("Restore", key=f"home.restore.{row.id}", icon=":material/restore_page:"):
                drafts.open_in_page(history().open(owner.current(), row.id).experiment, [row.id])
