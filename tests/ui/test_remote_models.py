"""The dialog that offers a server's models, through Streamlit's own test harness."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Multiselect

from core.catalog.servers import Server
from core.errors import Unreachable
from core.settings import Secrets, Settings
from core.ui.components import remote_models
from tests.support.visits import Visit, by_label, press


def test_a_silent_server_is_asked_again_only_when_told(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def silent(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
        asked.append(server.id)
        raise Unreachable("Nothing answers there.")

    monkeypatch.setenv("DIPTYCH_LOCAL", "1")
    monkeypatch.setattr(remote_models, "list_models", silent)
    app = visit("pages/create/text.py")
    choose_ollama(app)
    for _ in range(2):
        press(app, "Remote models")
        assert "Nothing answers there" in app.warning[0].value
        assert asked == ["ollama"]
    press(app, "Ask again")
    choose_ollama(app)
    assert asked == ["ollama", "ollama"]


def test_a_list_and_a_visitor_say_which_models_see_images(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def names(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
        return "told#vision", "untold", "llava"

    monkeypatch.setenv("DIPTYCH_LOCAL", "1")
    monkeypatch.setattr(remote_models, "list_models", names)
    app = visit("pages/create/text.py")
    choose_ollama(app)
    assert list(lists(app, "Models to offer").options) == ["told", "untold", "llava"]
    lists(app, "Models to offer").set_value(["untold", "told", "llava"]).run()
    choose_ollama(app)
    assert list(lists(app, "They see images").value) == ["told", "llava"]
    lists(app, "They see images").set_value(["told", "untold"]).run()
    choose_ollama(app)
    assert list(lists(app, "They see images").value) == ["untold", "told"]
    assert list(lists(app, "Models to offer").value) == ["untold", "told", "llava"]
    assert by_label(app.selectbox, "Model").value == "ollama:untold#vision"  # type: ignore[attr-defined]


def choose_ollama(app: AppTest) -> None:
    """Open the dialog at this server; it is closed again by whatever runs the page next."""
    press(app, "Remote models")
    by_label(app.selectbox, "Server").set_value("Ollama")
    press(app, "Remote models")


def lists(app: AppTest, label: str) -> Multiselect:
    return by_label(app.multiselect, label)  # type: ignore[return-value]
