"""Images from words: watched while they are made, kept with their recipe, and found again from a file."""

import streamlit as st

from core.types import Modality
from core.ui.components import model_controls, run_bar, seeds
from core.ui.pages import image
from core.ui.session import drafts

draft = drafts.current("image")

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Image", anchor=False)
    with st.container(horizontal=True, width="content"):
        image.example_menu(draft)
        image.restorer(draft)
left, right = st.columns([3, 2], gap="large")
with right:
    model_controls.model(draft, Modality.IMAGE)
    with st.grid(2, min_column_width=130):
        seeds.samples(draft, "Images", image.MOST)
        model_controls.parameters(draft, advanced=False)
        seeds.seed(draft)
        seeds.seeds(draft)
    with st.container(horizontal=True):
        seeds.new_seed(draft)
        with st.popover("More parameters", icon=":material/tune:", key=draft.key("more")):
            model_controls.parameters(draft, advanced=True)
with left:
    image.prompt(draft)
run_bar.draw(draft, lambda: image.experiment(draft), lambda view: image.draw(draft, view), label="Generate")
drafts.keep(draft)
