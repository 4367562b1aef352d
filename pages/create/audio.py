"""Sound from words: music from a description, speech from a text."""

import streamlit as st

from core.types import Modality
from core.ui import audio, controls, drafts, runs, sampling, sound

draft = drafts.current("audio")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Audio", anchor=False)
    audio.example_menu(draft)
left, right = st.columns([3, 2], gap="large")
with right:
    controls.model(draft, Modality.AUDIO)
    with st.grid(2, min_column_width=130):
        sampling.samples(draft, "Sounds", audio.MOST)
        controls.parameters(draft, advanced=False)
        sampling.seed(draft)
        sampling.seeds(draft)
    with st.container(horizontal=True):
        sampling.new_seed(draft)
        with st.popover("More parameters", icon=":material/tune:"):
            controls.parameters(draft, advanced=True)
with left:
    audio.prompt(draft)
    runs.bench(draft, lambda: audio.experiment(draft), lambda shown: sound.draw(draft, shown), label="Generate")
drafts.keep(draft)
