"""Closes the false "Page not found" dialog that a new server shows on its first visitor's deep link.

Because of the folder pages/, Streamlit (1.67) takes the app for a legacy one until st.navigation has run once, and
looks for the page there first. The right page is drawn behind the dialog, so the dialog is only closed.
"""

from __future__ import annotations

from streamlit.components import v2
from streamlit.runtime.pages_manager import PagesManager

_CLOSE = """
export default function () {
  const close = () => {
    const dialogs = [...document.querySelectorAll("[role=dialog]")];
    const dialog = dialogs.find((one) => one.textContent.includes("Page not found"));
    dialog?.querySelector("button[aria-label=Close]")?.click();
    return Boolean(dialog);
  };
  if (close()) return;
  const watch = new MutationObserver(() => close() && watch.disconnect());
  watch.observe(document.body, { childList: true, subtree: true });
  const end = setTimeout(() => watch.disconnect(), 5000);
  return () => { clearTimeout(end); watch.disconnect(); };
}
"""


def misled() -> bool:
    """Whether this run began as a legacy app's; to be asked before st.navigation."""
    return bool(PagesManager.uses_pages_directory)


def correct() -> None:
    """Close the dialog."""
    v2.component("diptych_page_not_found", js=_CLOSE)(key="page.not.found", height=0)
