"""Python that a model continues: several candidates at once, ranked, and none of them ever run."""

import streamlit as st

from core.types import Modality
from core.ui import code, controls, drafts, runs, sampling

draft = drafts.current("code")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Code", anchor=False)
    code.example_menu(draft)
left, right = st.columns([3, 2], gap="large")
with right:
    controls.model(draft, Modality.CODE)
    controls.presets(draft)
    with st.grid(2, min_column_width=130):
        sampling.samples(draft, "Candidates")
        controls.parameters(draft, advanced=False)
        controls.parameters(draft, advanced=True)
        sampling.seed(draft)
    sampling.new_seed(draft)
with left:
    code.prompt(draft)
    runs.bench(draft, lambda: code.experiment(draft), lambda shown: code.draw(draft, shown), label="Generate")
drafts.keep(draft)
