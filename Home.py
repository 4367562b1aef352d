"""Diptych's frame: the page's settings, the menu, and the page that was asked for."""

import streamlit as st

from core.ui import frames, greeting, live, owner, results, welcome

st.set_page_config(page_title="Diptych", page_icon="static/favicon.png", layout="wide")
st.logo("static/logo.svg", icon_image="static/mark.svg", size="large")

first = greeting.misled()
page = st.navigation(
    {
        "": [st.Page(welcome.page, title="Home", icon=":material/home:", url_path="home", default=True)],
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
    greeting.correct()
owner.remember()
live.commit_while_typing()
frames.style()
with results.guard():
    page.run()
