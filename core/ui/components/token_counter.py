"""How many tokens a prompt takes, and how many the model has room for."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import context
from core.catalog import spec
from core.types import Message
from core.ui.components.markdown import escape
from core.ui.session.resources import settings
from core.ui.session.state import Draft


def context_window(draft: Draft, messages: Sequence[Message]) -> None:
    """How much of the model's context these messages and the answer take."""
    model = spec(draft.models[0])
    if not model.local:
        st.caption("The server counts the tokens of the prompt; they are shown with the answer.")
        return
    used = context.count(model, settings(), messages, draft.chat)
    if used is None:
        st.caption(f"Context: {model.context} tokens. The prompt is counted once the model is on this machine.")
        return
    new = draft.parameters.get("max_new_tokens")
    room = model.context - used - (new if isinstance(new, int) else 0)
    fits = f"{room} to spare" if room >= 0 else f":red[{-room} too many: shorten the prompt or lower Max new tokens]"
    st.caption(f"Context: {used} prompt tokens + {new} new of {model.context} · {fits}")


def text_encoder(draft: Draft, text: str, label: str) -> None:
    """How many of the tokens that an image model reads this text takes, and the end of it that is not read.

    Args:
        label: what the text is, such as 'negative prompt'.
    """
    used = context.use(spec(draft.models[0]), settings(), text)
    if used is None:
        st.caption("The prompt is counted once the model is on this machine.")
        return
    count = f"{used.used} of {used.limit} tokens"
    if used.cut:
        count = f":red[{count}: the end of the {label} is not read:] :red-background[{escape(used.cut, 200)}]"
    st.caption(count)
