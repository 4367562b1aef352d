"""A talk with one model, or with two that answer the same messages side by side."""

import streamlit as st

from core.ui import chat, controls, drafts, remote, sampling, talks

draft = drafts.current("chat")

chat.header(draft)
with st.expander("Models and manner", icon=":material/tune:", expanded=not talks.current().exchanges):
    chat.controls_of(draft)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        remote.button(draft)
        controls.presets(draft)
        with st.popover("Parameters", icon=":material/tune:"):
            controls.parameters(draft, advanced=False)
            controls.parameters(draft, advanced=True)
            sampling.seed(draft)
        st.toggle(
            "Formatted answers", key="chat.formatted", help="Lists, tables and code drawn; links and images never"
        )
chat.draw(draft)
chat.ask(draft)
drafts.keep(draft)
