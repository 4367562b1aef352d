"""Prompt variants side by side, over inputs, models and samples."""

import streamlit as st

from core.experiment import summary
from core.types import Modality
from core.ui import controls, drafts, inputs, remote, results, runs, sampling, variants, verdicts

draft = drafts.current("playground")


def answers(shown: runs.Shown) -> None:
    """The verdict on top, the grid under it."""
    verdicts.draw(shown.experiment, summary(shown.experiment, shown.results))
    results.grid(
        shown.experiment, shown.results, f"playground.{shown.run_id}", lambda cell: runs.retry(shown.run_id, cell)
    )


with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Playground", anchor=False)
    drafts.example_menu()
variants.edit(draft)
controls.earlier(draft)
st.subheader("Inputs", anchor=False)
inputs.edit(draft)
st.subheader("Models and sampling", anchor=False)
controls.models(draft, makes=tuple(Modality))
remote.button(draft)
with st.grid(6, min_column_width=150):
    sampling.samples(draft)
    sampling.seed(draft)
    if draft.draws:
        sampling.seeds(draft)
    controls.parameters(draft, advanced=False)
controls.parameters(draft, advanced=False, long=True)
with st.container(horizontal=True, vertical_alignment="bottom"):
    if not draft.draws:
        controls.presets(draft)
        controls.chat(draft)
    with st.popover("More parameters", icon=":material/tune:"):
        controls.parameters(draft, advanced=True)
    sampling.new_seed(draft)
runs.bench(draft, draft.experiment, answers)
drafts.keep(draft)
