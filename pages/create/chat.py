"""A conversation with one model, or with two that answer the same messages side by side."""

import streamlit as st

from core.ui.components import conversation, model_controls, remote_models, seeds
from core.ui.pages import chat
from core.ui.session import drafts

draft = drafts.current("chat")

chat.header(draft)
with st.expander("Models and settings", icon=":material/tune:", expanded=not conversation.current().turns):
    chat.controls(draft)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        remote_models.button(draft)
        model_controls.presets(draft)
        with st.popover("Parameters", icon=":material/tune:", key=draft.key("more")):
            model_controls.parameters(draft, advanced=False)
            model_controls.parameters(draft, advanced=True)
            seeds.seed(draft)
        st.toggle(
            "Formatted answers", key="chat.formatted", help="Lists, tables and code drawn; links and images never"
        )
chat.draw(draft)
chat.message_field(draft)
drafts.keep(draft)
