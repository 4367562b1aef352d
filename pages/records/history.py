"""Everything that was run: to search, open, restore, name, star, delete and export."""

import streamlit as st

from core.ui.pages import history as history_page

st.title("History", anchor=False)
rows = history_page.find()
chosen = history_page.table(rows) if rows else []
if not rows:
    st.info("Nothing here yet. Run something on the Playground or the Text page.", icon=":material/history:")
saved = history_page.opened(chosen)
history_page.actions(chosen, saved)
if saved:
    history_page.detail(saved)
history_page.comparison(chosen)
