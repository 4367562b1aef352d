"""Prompt variants side by side, over inputs, models and samples."""

import streamlit as st

from core.experiment import summary
from core.types import Modality
from core.ui.components import inputs, model_controls, remote_models, results, run_bar, seeds, variants
from core.ui.pages import playground_summary
from core.ui.session import drafts

draft = drafts.current("playground")


def answers(shown: run_bar.Shown) -> None:
    """The verdict on top, the grid under it."""
    playground_summary.draw(shown.experiment, summary(shown.experiment, shown.results))
    results.grid(
        shown.experiment, shown.results, f"playground.{shown.run_id}", lambda cell: run_bar.retry(shown.run_id, cell)
    )


with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Playground", anchor=False)
    drafts.example_menu()
variants.edit(draft)
model_controls.earlier(draft)
st.subheader("Inputs", anchor=False)
inputs.edit(draft)
st.subheader("Models and sampling", anchor=False)
model_controls.models(draft, makes=tuple(Modality))
remote_models.button(draft)
with st.grid(6, min_column_width=150):
    seeds.samples(draft)
    seeds.seed(draft)
    if draft.draws:
        seeds.seeds(draft)
    model_controls.parameters(draft, advanced=False)
model_controls.parameters(draft, advanced=False, long=True)
with st.container(horizontal=True, vertical_alignment="bottom"):
    if not draft.draws:
        model_controls.presets(draft)
        model_controls.chat(draft)
    with st.popover("More parameters", icon=":material/tune:"):
        model_controls.parameters(draft, advanced=True)
    seeds.new_seed(draft)
run_bar.bench(draft, draft.experiment, answers)
drafts.keep(draft)
