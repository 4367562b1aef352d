"""Images from words: watched while they are made, kept with their recipe, and found again from a file."""

import streamlit as st

from core.types import Modality
from core.ui import controls, drafts, gallery, image, runs, sampling

draft = drafts.current("image")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Image", anchor=False)
    with st.container(horizontal=True, width="content"):
        image.example_menu(draft)
        image.restorer(draft)
left, right = st.columns([3, 2], gap="large")
with right:
    controls.model(draft, Modality.IMAGE)
    with st.grid(2, min_column_width=130):
        sampling.samples(draft, "Images", image.MOST)
        controls.parameters(draft, advanced=False)
        sampling.seed(draft)
        sampling.seeds(draft)
    with st.container(horizontal=True):
        sampling.new_seed(draft)
        with st.popover("More parameters", icon=":material/tune:"):
            controls.parameters(draft, advanced=True)
with left:
    image.prompt(draft)
runs.bench(draft, lambda: image.experiment(draft), lambda shown: gallery.draw(draft, shown), label="Generate")
drafts.keep(draft)
