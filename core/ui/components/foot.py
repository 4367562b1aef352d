"""The line at the foot of every page: which Diptych this is."""

from __future__ import annotations

import streamlit as st

from core import __version__


def draw() -> None:
    st.caption(f":gray[Diptych {__version__}]")
