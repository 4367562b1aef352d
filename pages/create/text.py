"""One prompt, one model: streamed, stopped, continued, and every version kept."""

import streamlit as st

from core.ui.components import model_controls, remote_models, run_bar, seeds
from core.ui.pages import text
from core.ui.session import drafts

draft = drafts.current("text")

st.title("Text", anchor=False)
left, right = st.columns([3, 2], gap="large")
with left:
    text.prompt(draft)
with right:
    model_controls.model(draft)
    remote_models.button(draft)
    model_controls.chat(draft)
    model_controls.presets(draft)
    with st.grid(2, min_column_width=130):
        model_controls.parameters(draft, advanced=False)
        model_controls.parameters(draft, advanced=True)
        seeds.samples(draft)
        seeds.seed(draft)
    seeds.new_seed(draft)
with left:
    run_bar.draw(draft, draft.experiment, lambda view: text.draw(draft, view), label="Generate")
drafts.keep(draft)
