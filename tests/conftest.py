"""Fixtures shared by all tests: a data folder of its own, no key in the environment, no real network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A test that reaches for a hub by mistake shall fail, not wait.
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test keeps its history in a folder of its own and sees no key of the developer's."""
    monkeypatch.setenv("DIPTYCH_DATA", str(tmp_path / "data"))
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fresh_resources() -> Iterator[None]:
    """The engine, worker and history of the pages are made anew, and closed when the test ends."""
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def visit(fresh_resources: None) -> Callable[[str], object]:
    """Open a page as a person would: through Home.py, then its menu."""
    from streamlit.testing.v1 import AppTest

    def open_page(path: str = "") -> AppTest:
        app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60).run()
        return app.switch_page(path).run() if path else app

    return open_page
