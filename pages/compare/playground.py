"""Prompt variants side by side, over inputs, models and samples."""

import streamlit as st

from core.types import Modality
from core.ui.components import (
    check_fields,
    import_inputs,
    inputs,
    model_controls,
    remote_models,
    run_bar,
    seeds,
    variants,
)
from core.ui.pages import playground
from core.ui.session import drafts

draft = drafts.current("playground")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Playground", anchor=False)
    playground.example_menu()
variants.edit(draft)
model_controls.earlier(draft)
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.subheader("Inputs", anchor=False)
    import_inputs.buttons(draft)
inputs.edit(draft)
check_fields.draw(draft)
st.subheader("Models and sampling", anchor=False)
model_controls.models(draft, makes=tuple(Modality))
remote_models.button(draft)
with st.grid(6, min_column_width=150):
    seeds.samples(draft)
    seeds.seed(draft)
    if draft.draws:
        seeds.seeds(draft)
    model_controls.parameters(draft, advanced=False)
with st.container():
    model_controls.parameters(draft, advanced=False, long=True)
with st.container(horizontal=True, vertical_alignment="bottom"):
    if not draft.draws:
        model_controls.presets(draft)
        model_controls.chat(draft)
    with st.popover("More parameters", icon=":material/tune:", key=draft.key("more")):
        model_controls.parameters(draft, advanced=True)
    seeds.new_seed(draft)
run_bar.draw(draft, draft.experiment, playground.draw, grows=True)
drafts.keep(draft)
