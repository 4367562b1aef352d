"""Text areas that tell the server what is typed while it is typed, so that variable fields appear at once.

Streamlit's text area reports on blur or Ctrl+Enter only; its text input has `live`, the text area not yet (1.67).
"""

from __future__ import annotations

from streamlit.components import v2

PAUSE = 450
"""Milliseconds without a keystroke after which the text is reported."""

# A synthetic focusout commits the text as leaving the field would; the caret stays where it is.
_COMMIT = """
export default function ({ data }) {
  let timer;
  const commit = (event) => {
    const field = event.target;
    if (!field.closest("[data-testid=stTextArea]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => field.dispatchEvent(new FocusEvent("focusout", { bubbles: true })), data.pause);
  };
  document.addEventListener("input", commit);
  return () => { clearTimeout(timer); document.removeEventListener("input", commit); };
}
"""


def commit_while_typing() -> None:
    """Mount the listener; once on each page."""
    v2.component("diptych_live_typing", js=_COMMIT)(key="live.typing", data={"pause": PAUSE}, height=0)
