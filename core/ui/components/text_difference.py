"""Two texts as one, with what was removed and what was added marked."""

from __future__ import annotations

import html

import streamlit as st

from core.text_diff import changes

_STYLE = (
    "<style>.diptych-diff{white-space:pre-wrap;overflow-wrap:anywhere;margin-bottom:12px;"
    "font:13px/1.6 'JetBrains Mono',monospace}"
    ".diptych-diff ins{background:rgba(20,150,90,.22);text-decoration:underline;text-decoration-thickness:1px}"
    ".diptych-diff del{background:rgba(200,40,70,.2)}</style>"
)
_TAGS = {"same": "span", "removed": "del", "added": "ins"}


def draw(old: str, new: str) -> None:
    """The new text with the old one's words struck through where they differ. Both are shown as plain text."""
    if old == new:
        st.caption("The same text.")
        return
    parts = (f"<{_TAGS[one.kind]}>{html.escape(one.text)}</{_TAGS[one.kind]}>" for one in changes(old, new))
    st.html(f'{_STYLE}<div class="diptych-diff">{"".join(parts)}</div>')
