"""The dialog that offers a server's models, through Streamlit's own test harness."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.servers import Server
from core.errors import Unreachable
from core.settings import Secrets, Settings
from core.ui.components import remote_models
from tests.ui.test_pages import Visit, by_label


def test_a_silent_server_is_asked_again_only_when_told(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def silent(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
        asked.append(server.id)
        raise Unreachable("Nothing answers there.")

    monkeypatch.setenv("DIPTYCH_LOCAL", "1")
    monkeypatch.setattr(remote_models, "list_models", silent)
    app = visit("pages/create/text.py")
    app.session_state["remote.server"] = "Ollama"
    for _ in range(2):
        press(app, "Remote models")
        assert "Nothing answers there" in app.warning[0].value
        assert asked == ["ollama"]
    press(app, "Ask again")
    press(app, "Remote models")
    assert asked == ["ollama", "ollama"]


def press(app: AppTest, label: str) -> None:
    by_label(app.button, label).click()  # type: ignore[attr-defined]
    app.run()
