"""One press runs the baseline against itself, and the drawer says how often this design names a false winner."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from core.experiment.grid import grid_cells, seed_of
from core.ui.components import run_bar
from core.ui.session import resources
from tests.support.fakes import Gate, Models
from tests.support.visits import HISTORY, PLAYGROUND, Visit, by_label, fill, press, ran, said, settle
from tests.ui.test_growing import coin, labels, two

CHECK = "Check this design"


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    models = Models(max_batch=8, **{"tiny-text": coin})
    monkeypatch.setattr(resources, "opener", lambda worker, settings: models)
    monkeypatch.setattr(random, "SystemRandom", lambda: random.Random(1))
    return models


def plain(app: Any) -> str:
    return said(app).replace("\\", "")


def finished(visit: Visit, experiment: Any) -> Any:
    fill(experiment)
    app = visit(PLAYGROUND)
    press(app, "Run")
    settle(app)
    return app


def checked(app: Any) -> Any:
    """The page once the rerun has ended; the harness does not poll by itself."""
    press(app, CHECK)
    for _ in range(100):
        if "The rerun" in said(app) or "temperature 0" in said(app):
            return app
        app.run()
    raise AssertionError("the rerun did not end")


def test_the_rerun_is_an_ordinary_run_with_fresh_seeds(visit: Visit) -> None:
    app = finished(visit, two(20, samples=2))
    assert f"{CHECK}: A against itself" in labels(app)
    checked(app)
    assert not app.exception
    assert "The rerun named no winner: the difference to itself is" in plain(app)
    assert "of 2,000 ways drawn at random name a winner" in plain(app)
    again, first = ran("playground")
    assert (again.aa_test, first.aa_test) == (True, False)
    assert again.title == "A = A: One"
    assert [variant.user for variant in again.variants] == ["Is it {{n}}?"] * 2
    used = {seed_of(first, sample) for sample in range(2)}
    fresh = [seed_of(again, cell.sample, cell.variant) for cell in grid_cells(again) if cell.input == 0]
    assert len(set(fresh)) == 4
    assert not used & set(fresh)


def test_the_run_that_was_checked_stays_on_the_page(visit: Visit) -> None:
    checked(finished(visit, two(20)))
    app = visit(PLAYGROUND)
    assert "B · Other" in plain(app), "a new visit finds the run, not the check of its design"
    assert "One, again" not in plain(app)


def test_the_rerun_is_in_the_history_under_its_name(visit: Visit) -> None:
    checked(finished(visit, two(20)))
    app = visit(HISTORY)
    titles = list(app.dataframe[0].value["Title"])
    assert titles[0] == "A = A: One"


def test_at_temperature_0_only_labels_are_exchanged(visit: Visit, models: Models) -> None:
    app = finished(visit, replace(two(20), parameters={"temperature": 0}))
    models.batches.clear()
    checked(app)
    assert "At temperature 0 a rerun would only repeat these answers" in plain(app)
    assert "name a winner, each of them false" in plain(app)
    assert models.batches == []
    assert len(ran("playground")) == 1


def test_below_fifteen_inputs_there_is_a_sentence_and_no_button(visit: Visit) -> None:
    app = finished(visit, two(8))
    assert not [label for label in labels(app) if CHECK in label]
    assert "With 8 inputs nobody is crowned" in plain(app)


def test_why_it_was_not_taken_is_said_beside_the_button(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    app = finished(visit, replace(two(16), variants=two().variants[:1]))
    settings = replace(resources.engine()._settings, max_cells=20)
    monkeypatch.setattr(run_bar, "settings", lambda: settings)
    press(app, CHECK)
    assert any("32 generations; at most 20" in error.value for error in app.error)
    assert f"{CHECK}: A against itself" in labels(app)


def test_its_progress_is_shown_while_it_runs(visit: Visit, models: Models) -> None:
    app = finished(visit, two(16))
    gate = Gate()
    models.behaviours["tiny-text"] = gate
    press(app, CHECK)
    assert gate.entered.wait(10)
    app.run()
    assert not [label for label in labels(app) if CHECK in label], "it is not started twice"
    assert by_label(app.button, "Run").label == "Run", "the page's own run is not under way"
    gate.opened.set()
