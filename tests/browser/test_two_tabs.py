"""One browser is one owner, whichever of its tabs was first."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import settled
from tests.support.serving import eventually, served


def owners(data: Path) -> list[str]:
    """Of every run."""
    with closing(sqlite3.connect(data / "history.db")) as database:
        return [owner for (owner,) in database.execute("select owner from runs")]


def generate(page: Page) -> None:
    """Start a run; that it was taken is enough."""
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(
        page.get_by_role("button", name=re.compile("^Stop")).or_(page.get_by_test_id("stCode")).first
    ).to_be_visible()


def test_two_tabs_of_a_first_visit_keep_their_runs_together(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as server, browser.new_context(base_url=server.url) as context:
        context.set_default_timeout(120_000)
        tabs = [context.new_page(), context.new_page()]
        for tab in tabs:  # neither waits for the other
            tab.goto("/text", wait_until="commit")
        for tab in tabs:
            settled(tab)
            generate(tab)
        for tab in tabs:
            tab.goto("/history")
            settled(tab)
            expect(tab.get_by_text("2 runs", exact=True)).to_be_visible()
        first, second = owners(tmp_path)
        assert first == second


def test_a_tab_that_lost_its_owner_to_another_takes_its_runs_along(browser: Browser, tmp_path: Path) -> None:
    """The cookie turns out to be another tab's, as it does where two set it at once."""
    with served(tmp_path) as server, browser.new_context(base_url=server.url) as context:
        context.set_default_timeout(120_000)
        tab = context.new_page()
        tab.goto("/text")
        settled(tab)
        generate(tab)
        winner = "w" * 43
        context.add_cookies([{"name": "diptych_owner", "value": winner, "url": server.url}])
        tab.evaluate("window.dispatchEvent(new Event('focus'))")
        kept = hashlib.sha256(f"cookie:{winner}".encode()).hexdigest()
        eventually(lambda: owners(tmp_path) == [kept])
        tab.get_by_role("link", name="Code").click()  # the same tab goes on, as the same owner
        expect(tab.get_by_role("heading", level=1)).to_have_text("Code")
        settled(tab)  # until then the button may be the one of the page before
        generate(tab)
        eventually(lambda: owners(tmp_path) == [kept, kept])
