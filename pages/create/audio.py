"""Sound from words: music from a description, speech from a text."""

import streamlit as st

from core.types import Modality
from core.ui.components import model_controls, run_bar, seeds
from core.ui.pages import audio
from core.ui.session import drafts

draft = drafts.current("audio")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Audio", anchor=False)
    audio.example_menu(draft)
left, right = st.columns([3, 2], gap="large")
with right:
    model_controls.model(draft, Modality.AUDIO)
    with st.grid(2, min_column_width=130):
        seeds.samples(draft, "Sounds", audio.MOST)
        model_controls.parameters(draft, advanced=False)
        seeds.seed(draft)
        seeds.seeds(draft)
    with st.container(horizontal=True):
        seeds.new_seed(draft)
        with st.popover("More parameters", icon=":material/tune:", key=draft.key("more")):
            model_controls.parameters(draft, advanced=True)
with left:
    audio.prompt(draft)
    run_bar.draw(draft, lambda: audio.experiment(draft), lambda view: audio.draw(draft, view), label="Generate")
drafts.keep(draft)
