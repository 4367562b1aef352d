"""A talk with one model, or with two that answer the same messages side by side."""

import streamlit as st

from core.ui.components import model_controls, remote_models, seeds
from core.ui.pages import chat, conversations
from core.ui.session import drafts

draft = drafts.current("chat")

chat.header(draft)
with st.expander("Models and manner", icon=":material/tune:", expanded=not conversations.current().exchanges):
    chat.controls_of(draft)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        remote_models.button(draft)
        model_controls.presets(draft)
        with st.popover("Parameters", icon=":material/tune:"):
            model_controls.parameters(draft, advanced=False)
            model_controls.parameters(draft, advanced=True)
            seeds.seed(draft)
        st.toggle(
            "Formatted answers", key="chat.formatted", help="Lists, tables and code drawn; links and images never"
        )
chat.draw(draft)
chat.ask(draft)
drafts.keep(draft)
