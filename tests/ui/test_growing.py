"""The Playground adds to a finished run, and the verdict counts each time that it was looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.types import Check, Event, Experiment, Finished, Input, Request, Variant
from core.ui.components import verdict_view
from core.ui.session import resources
from tests.support.fakes import Models, output, text, until
from tests.support.visits import HISTORY, PLAYGROUND, Visit, by_label, fill, on_page, press, ran, said, settle


def coin(requests: Sequence[Request], stopped: object) -> Iterator[Event]:
    """Says yes or no by the prompt and the seed, half of the time each: no prompt is better than another."""
    for i, asked in enumerate(requests):
        sign = hashlib.sha256(f"{text(asked)} {asked.seed}".encode()).digest()[0] % 2
        yield Finished(i, output("yes" if sign else "no"))


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    models = Models(max_batch=8, **{"tiny-text": coin})
    monkeypatch.setattr(resources, "opener", lambda worker, settings: models)
    return models


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every verdict that a page draws, the latest last."""
    drawn: list[Any] = []

    def recorded(*args: Any, **options: Any) -> Any:
        drawn.append(verdict(*args, **options))
        return drawn[-1]

    verdict = verdict_view.verdict
    monkeypatch.setattr(verdict_view, "verdict", recorded)
    return drawn


def two(inputs: int = 16, samples: int = 1) -> Experiment:
    return Experiment(
        page="playground",
        variants=(Variant(name="One", user="Is it {{n}}?"), Variant(name="Other", user="Is it {{n}}, or not?")),
        models=("tiny-text",),
        inputs=tuple(Input(values={"n": str(n)}, checks=Check.of("contains:yes")) for n in range(inputs)),
        samples=samples,
        parameters={"temperature": 0.5},
    )


def labels(app: Any) -> list[str]:
    return [button.label for button in app.button]


def visit_with_run(visit: Visit) -> Any:
    fill(two())
    app = visit(PLAYGROUND)
    press(app, "Run")
    settle(app)
    return app


def add_inputs(visit: Visit, inputs: int) -> Any:
    """The page after so many inputs stand in its table."""
    asked = on_page("playground")
    fill(replace(asked, inputs=two(inputs).inputs))
    return visit(PLAYGROUND)


def test_only_what_is_missing_runs_and_the_drawer_names_the_looks(visit: Visit, models: Models) -> None:
    app = visit_with_run(visit)
    assert not [label for label in labels(app) if "missing" in label], "there is nothing to add"
    assert "look 1, at 16 answers a column" in said(app)
    app = add_inputs(visit, 24)
    assert "Run only the 16 missing" in labels(app)
    models.batches.clear()
    press(app, "Run only the 16 missing")
    settle(app)
    assert not app.exception
    assert sum(map(len, models.batches)) == 16
    assert [len(experiment.inputs) for experiment in ran("playground")] == [24], "it is the same run"
    assert "look 2 of a run that grew: 16 then 24 answers a column" in said(app).replace("\\", "")
    assert not [label for label in labels(app) if "missing" in label]


def test_more_samples_are_offered_and_another_seed_is_not(visit: Visit) -> None:
    app = visit_with_run(visit)
    by_label(app.number_input, "Samples").set_value(3)
    app.run()
    assert "Run only the 64 missing" in labels(app)
    by_label(app.number_input, "Seed").set_value(9)
    app.run()
    assert not [label for label in labels(app) if "missing" in label], "that is another experiment"


def test_the_verdict_is_handed_the_looks_that_the_run_keeps(visit: Visit, decided: list[Any]) -> None:
    """Two equal prompts, grown five times by half: alpha is spent over the looks, so that nobody wins by patience."""
    visit_with_run(visit)
    sizes = [16]
    for inputs in (24, 36, 54, 81):
        app = add_inputs(visit, inputs)
        press(app, "Run only the")
        settle(app)
        sizes.append(inputs)
        assert decided[-1].looks == tuple(sizes)
    levels = [one.comparisons[0].paired.interval.level for one in decided if one.comparisons]
    assert levels[-1] > 0.98 > levels[0] > 0.974
    assert decided[-1].comparisons[0].outcome == "undecided"


def test_a_new_visit_finds_the_same_looks(visit: Visit, decided: list[Any]) -> None:
    visit_with_run(visit)
    app = add_inputs(visit, 24)
    press(app, "Run only the")
    settle(app)
    again = visit(PLAYGROUND)
    assert not again.exception
    assert decided[-1].looks == (16, 24)


def test_the_historys_table_names_the_leader(visit: Visit, decided: list[Any]) -> None:
    visit_with_run(visit)
    best = max(decided[-1].columns, key=lambda column: column.rate.mean)
    letter = "AB"[best.column.variant]
    until(lambda: resources.history().ungraded(1) == ())
    assert list(visit(HISTORY).dataframe[0].value["Pass rate"]) == [f"{letter} {100 * best.rate.mean:.0f} %"]
