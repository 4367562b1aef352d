"""One prompt, one model: streamed, stopped, continued, and every version kept."""

import streamlit as st

from core.ui import controls, drafts, remote, runs, sampling, versions

draft = drafts.current("text")

st.title("Text", anchor=False)
left, right = st.columns([3, 2], gap="large")
with left:
    versions.prompt(draft)
with right:
    controls.model(draft)
    remote.button(draft)
    controls.chat(draft)
    controls.presets(draft)
    with st.grid(2, min_column_width=130):
        controls.parameters(draft, advanced=False)
        controls.parameters(draft, advanced=True)
        sampling.samples(draft)
        sampling.seed(draft)
    sampling.new_seed(draft)
with left:
    runs.bench(draft, draft.experiment, lambda shown: versions.draw(draft, shown), label="Generate")
drafts.keep(draft)
