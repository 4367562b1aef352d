"""What a restart interrupted goes on from the page, and what cannot be written is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from core.history.database import Unwritable
from core.ui.session import resources
from tests.support.fakes import Models
from tests.support.visits import HISTORY, TEXT, Visit, by_label, settle


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    """Every model says its prompt, with a mark at the end."""
    models = Models()
    monkeypatch.setattr(resources, "opener", lambda worker, settings: models)
    return models


def restart_with_an_interrupted_run() -> None:
    path = resources.settings().data / "history.db"
    resources.close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE cells SET state = 'interrupted', text = '', finish = NULL")
        raw.execute("UPDATE runs SET state = 'interrupted'")
        raw.commit()


def buttons(label: str, app: object) -> list[object]:
    return [button for button in app.button if button.label.startswith(label)]  # type: ignore[attr-defined]


def test_an_interrupted_run_goes_on_from_its_page(visit: Visit, models: Models) -> None:
    app = visit(TEXT)
    by_label(app.button, "Generate").click()
    app.run()
    settle(app)
    assert not buttons("Resume", app)
    restart_with_an_interrupted_run()
    app = visit(TEXT)
    assert [button.label for button in buttons("Resume", app)] == ["Resume (1 left)"]  # type: ignore[attr-defined]
    buttons("Resume", app)[0].click()  # type: ignore[attr-defined]
    app.run()
    settle(app)
    assert not app.exception
    assert not buttons("Resume", app)
    assert len(models.batches) == 2
    assert models.batches[0] == models.batches[1], "the same is asked again"
    assert any(code.value.endswith("!") for code in app.code)


def test_a_history_that_cannot_be_written_says_so(visit: Visit) -> None:
    app = visit(HISTORY)
    assert not app.warning
    resources.history()._database.read_only = str(Unwritable("The disk is full. Until then nothing new is kept."))
    app.run()
    assert [warning.value for warning in app.warning] == [r"The disk is full\. Until then nothing new is kept\."]
