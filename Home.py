"""Diptych's frame: the page's settings, the menu, and the page that was asked for."""

import streamlit as st

from core.ui.components import image_view, live_typing, page_not_found_fix, results
from core.ui.pages import home
from core.ui.session import owner

st.set_page_config(page_title="Diptych", page_icon="static/favicon.png", layout="wide")
st.logo("static/logo.svg", icon_image="static/mark.svg", size="large")

first = page_not_found_fix.misled()
page = st.navigation(
    {
        "": [st.Page(home.page, title="Home", icon=":material/home:", url_path="home", default=True)],
        "Compare": [st.Page("pages/compare/playground.py", title="Playground", icon=":material/compare:")],
        "Create": [
            st.Page("pages/create/text.py", title="Text", icon=":material/notes:"),
            st.Page("pages/create/image.py", title="Image", icon=":material/image:"),
            st.Page("pages/create/audio.py", title="Audio", icon=":material/graphic_eq:"),
            st.Page("pages/create/code.py", title="Code", icon=":material/code:"),
            st.Page("pages/create/chat.py", title="Chat", icon=":material/forum:"),
        ],
        "Records": [st.Page("pages/records/history.py", title="History", icon=":material/history:")],
    }
)
if first and page.url_path:  # the page is there after all
    page_not_found_fix.correct()
owner.remember()
live_typing.commit_while_typing()
image_view.style()
with results.guard():
    page.run()
