"""A real server and a real Chromium. Each test gets a new browser context: a visitor who was never here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from tests.support.serving import serving

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_FLAGS += ["--disable-component-update", "--disable-sync"]

# Streamlit's own, on a deep link: its client first asks below that path whether a server lives there.
_PROBE = re.compile(r"404 .*/_stcore/(health|host-config)")

expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that most tests share; each comes as a visitor of its own."""
    with serving(tmp_path_factory.mktemp("served")) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium where it is installed, else the one that Playwright fetched."""
    debian = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=str(debian) if debian.exists() else None, args=_FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def visiting(browser: Browser, url: str) -> Iterator[Page]:
    """A visitor who was never here. An error on the browser's console fails the test."""
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(60_000)
    view = context.new_page()
    errors: list[str] = []
    view.on("console", lambda message: errors.append(_told(message)) if message.type == "error" else None)
    view.on("pageerror", lambda error: errors.append(str(error)))
    yield view
    context.close()
    assert not [error for error in errors if not _PROBE.search(error)], errors


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    with visiting(browser, server) as view:
        yield view


def _told(message: ConsoleMessage) -> str:
    return f"{message.text} {message.location.get('url', '')}"


def settled(page: Page) -> None:
    """Wait until Streamlit's script has stopped and no placeholder is left."""
    page.wait_for_selector("[data-testid='stApp']")
    page.wait_for_function(
        "() => document.querySelector(\"[data-testid='stApp']\")?.dataset.testScriptState === 'notRunning'"
        " && !document.querySelector(\"[data-testid='stSkeleton']\")"
    )


def open_list(box: Locator) -> None:
    """Open a select box's list. One that scrolls into view as it is clicked closes again at the event of that scroll,
    which comes with the next frame."""
    box.scroll_into_view_if_needed()
    box.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box.click()
