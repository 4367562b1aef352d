"""Everything that was run: to search, open, restore, name, star, delete and export."""

import streamlit as st

from core.ui import records

st.title("History", anchor=False)
rows = records.find()
chosen = records.table(rows) if rows else []
if not rows:
    st.info("Nothing here yet. Run something on the Playground or the Text page.", icon=":material/history:")
saved = records.opened(chosen)
records.actions(chosen, saved)
if saved:
    records.detail(saved)
