"""Python that a model continues: several candidates at once, ranked, and none of them ever run."""

import streamlit as st

from core.types import Modality
from core.ui.components import model_controls, run_bar, seeds
from core.ui.pages import code
from core.ui.session import drafts

draft = drafts.current("code")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Code", anchor=False)
    code.example_menu(draft)
left, right = st.columns([3, 2], gap="large")
with right:
    model_controls.model(draft, Modality.CODE)
    model_controls.presets(draft)
    with st.grid(2, min_column_width=130):
        seeds.samples(draft, "Candidates")
        model_controls.parameters(draft, advanced=False)
        model_controls.parameters(draft, advanced=True)
        seeds.seed(draft)
    seeds.new_seed(draft)
with left:
    code.prompt(draft)
    run_bar.draw(draft, lambda: code.experiment(draft), lambda view: code.draw(draft, view), label="Generate")
drafts.keep(draft)
