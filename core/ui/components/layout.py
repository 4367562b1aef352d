"""Keeps what a page draws in its place from one run of the script to the next.

The browser knows a container without a key by its position, and so does Streamlit a fragment. An element that comes or
goes above them moves them on: every control in a moved container is built anew and loses what was typed into it but
not yet sent, and a press of a button in a moved fragment is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

P = ParamSpec("P")


def slotted(draw: Callable[P, None]) -> Callable[P, None]:
    """Draw into a container of its own, which takes one position however much, or nothing at all, is drawn."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        with st.container():
            draw(*args, **kwargs)

    return drawn
