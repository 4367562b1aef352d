"""All visits of a test on the pages come from one browser."""

from __future__ import annotations

import pytest

from tests.support import visits


@pytest.fixture(autouse=True)
def _one_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    visits.use_one_browser(monkeypatch)
