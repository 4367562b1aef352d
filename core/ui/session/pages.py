"""The table of pages: a page is one row here and one file under pages/."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.pages_manager import PagesManager

from core.examples import AUDIO, CHAT, CODE, EXAMPLES, IMAGE, TEXT
from core.types import Experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the menu.

    `key` is an experiment's `page`; `example` is what a first visit shows, None on a page that runs nothing;
    `invitation` labels the button that leads here from Home, '' for none.
    """

    key: str
    path: str
    title: str
    icon: str
    section: str = ""
    example: Experiment | None = None
    invitation: str = ""


PAGES: tuple[Page, ...] = (
    Page(key="home", path="pages/start/home.py", title="Home", icon="home"),
    Page(
        key="playground",
        path="pages/compare/playground.py",
        title="Playground",
        icon="compare",
        section="Compare",
        example=EXAMPLES[0],
        invitation="Compare three prompts",
    ),
    Page(
        key="text",
        path="pages/create/text.py",
        title="Text",
        icon="notes",
        section="Create",
        example=TEXT,
        invitation="Write a text",
    ),
    Page(
        key="image",
        path="pages/create/image.py",
        title="Image",
        icon="image",
        section="Create",
        example=IMAGE,
        invitation="Make an image",
    ),
    Page(
        key="audio",
        path="pages/create/audio.py",
        title="Audio",
        icon="graphic_eq",
        section="Create",
        example=AUDIO,
        invitation="Make a sound",
    ),
    Page(
        key="code",
        path="pages/create/code.py",
        title="Code",
        icon="code",
        section="Create",
        example=CODE,
        invitation="Complete code",
    ),
    Page(
        key="chat",
        path="pages/create/chat.py",
        title="Chat",
        icon="forum",
        section="Create",
        example=CHAT,
        invitation="Chat",
    ),
    Page(key="history", path="pages/records/history.py", title="History", icon="history", section="Records"),
)
"""In the menu's order. The first is where a visit begins."""

WITH_RUNS = tuple(page.key for page in PAGES if page.example is not None)
"""Keys of the pages that start runs."""


def page(key: str) -> Page:
    """The page of this key; of an unknown one (an experiment from elsewhere), the playground."""
    rows = {row.key: row for row in PAGES}
    return rows.get(key, rows["playground"])


def declare_menu() -> None:
    """Tell Streamlit, before its first session, that st.navigation draws the menu.

    Because of the folder pages/, Streamlit (1.67) else looks for a deep link's page there until st.navigation has run
    once, and shows the first visitors of a new server "Page not found" over the page that they asked for.
    """
    PagesManager.uses_pages_directory = False


def menu() -> dict[str, list[StreamlitPage]]:
    """The rows by section, as st.navigation takes them."""
    sections: dict[str, list[StreamlitPage]] = {}
    for row in PAGES:
        entry = st.Page(
            row.path, title=row.title, icon=f":material/{row.icon}:", url_path=row.key, default=row is PAGES[0]
        )
        sections.setdefault(row.section, []).append(entry)
    return sections
