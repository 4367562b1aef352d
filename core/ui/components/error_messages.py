"""Errors as sentences on the page, from wherever they are raised: the script, a fragment or a callback."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import streamlit as st

from core.errors import DiptychError
from core.ui.components.markdown import escape
from core.ui.session import drafts
from core.ui.session.state import session

log = logging.getLogger(__name__)


@contextmanager
def guard() -> Iterator[None]:
    """Turn an error into a sentence on the page; an unforeseen one is logged under a number that the page shows."""
    try:
        yield
    except DiptychError as error:
        st.error(escape(str(error), 600), icon=":material/error:")
    except Exception:
        number = secrets.token_hex(4)
        log.exception("unforeseen error %s", number)
        st.error(f"Something went wrong here (error {number}). Nothing that was finished is lost; reload the page.")


def outside_the_page(error: Exception) -> bool:
    """Show an error that struck where `guard` does not reach: before the page, in a callback or in a fragment.

    Returns True: Streamlit need not show the error itself."""
    number = secrets.token_hex(4)
    log.error("error %s outside the page: %s", number, type(error).__name__)
    if any(frame.name == "deserialize" for frame in traceback.extract_tb(error.__traceback__)):
        cause = "A control was sent a value that it cannot hold"  # only a program sends one, such as NaN
    else:
        cause = "Something went wrong here"
    st.error(f"{cause} (error {number}). Nothing that was finished is lost; reload the page.")
    return True


def errors_as_messages(callback: Callable[..., None]) -> Callable[..., None]:
    """A callback whose errors `refusal` shows: callbacks run before the page does, where `guard` does not reach."""

    @wraps(callback)
    def guarded(*args: object) -> None:
        session().refusal = ""
        try:
            callback(*args)
        except DiptychError as error:
            session().refusal = str(error)

    return guarded


def refusal() -> None:
    """Show why the last callback was refused, if it was."""
    if session().refusal:
        st.error(escape(session().refusal, 600), icon=":material/error:")


def unkept() -> None:
    """Say what on a page would be lost by a reload, while it is still on the screen."""
    for sentence in drafts.unkept():
        st.warning(escape(sentence, 600), icon=":material/save:")
