"""The Audio page, and sound on other pages, through Streamlit's own test harness and a model that plays at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.experiment import Experiment, Input, Variant
from core.types import Check
from core.ui.session import resources
from tests.support import fakes
from tests.support.visits import AUDIO, PLAYGROUND, Visit, by_label, fill, runs, said, settle

Hire = Callable[..., fakes.Band]


@pytest.fixture
def band(monkeypatch: pytest.MonkeyPatch) -> Hire:
    """Let every model play as this band does."""

    def hire(**changes: object) -> fakes.Band:
        made = fakes.Band(**changes)  # type: ignore[arg-type]
        monkeypatch.setattr(resources, "opener", lambda worker, settings: made)
        return made

    return hire


def generate(app: AppTest) -> None:
    by_label(app.button, "Generate").click()  # type: ignore[attr-defined]
    app.run()
    settle(app)


def players(app: AppTest) -> int:
    return len(app.get("audio"))


def charts(app: AppTest) -> int:
    return len(app.get("arrow_vega_lite_chart")) + len(app.get("vega_lite_chart"))


def test_a_sound_can_be_heard_looked_at_and_kept(visit: Visit, band: Hire) -> None:
    asked = band().asked
    app = visit(AUDIO)
    by_label(app.number_input, "Sounds").set_value(2)  # type: ignore[attr-defined]
    app.run()
    generate(app)
    assert [request.seed for request in asked] == [42, 43]
    assert players(app) == 2
    assert charts(app) == 4
    assert "1.0 s of sound in" in said(app)
    assert len([button for button in app.get("download_button") if "WAV" in button.label]) == 2


def test_what_was_changed_on_the_way_to_the_button_counts(visit: Visit, band: Hire) -> None:
    asked = band().asked
    app = visit(AUDIO)
    by_label(app.number_input, "Seed").set_value(7)  # type: ignore[attr-defined]
    generate(app)
    assert [request.seed for request in asked] == [7]


def test_the_time_is_said_before_it_starts(visit: Visit, band: Hire) -> None:
    band()
    app = visit(AUDIO)
    assert "Make 1 recording" in said(app)
    assert "rough guess" in said(app)
    app.selectbox[0].select("musicgen-small")
    app.run()
    assert "This takes long" in said(app)


def test_a_stopped_sound_keeps_what_there_was(visit: Visit, band: Hire) -> None:
    band(halt=True)
    app = visit(AUDIO)
    by_label(app.button, "Generate").click()  # type: ignore[attr-defined]
    app.run()
    by_label(app.button, "Stop").click()  # type: ignore[attr-defined]
    app.run()
    settle(app)
    assert "stopped" in said(app).lower()
    assert players(app) == 1


def test_a_run_from_the_history_is_heard_again(visit: Visit, band: Hire) -> None:
    band()
    app = visit(AUDIO)
    generate(app)
    resources.close()  # so that nothing but the history knows the run
    app.run()
    assert len(runs("audio")) == 1
    assert players(app) == 1


def test_sound_plays_in_the_playground_and_no_check_of_text_judges_it(visit: Visit, band: Hire) -> None:
    band()
    fill(
        Experiment(
            page="playground",
            variants=(Variant(name="A", user="a {{what}}"), Variant(name="B", user="one {{what}}")),
            models=("mms-tts-eng",),
            inputs=(Input(values={"what": "bell"}, checks=Check.of("contains:bell")),),
        )
    )
    app = visit(PLAYGROUND)
    by_label(app.button, "Run").click()  # type: ignore[attr-defined]
    app.run()
    settle(app)
    assert players(app) == 2
    assert "this check reads text; the answer is sound" in said(app)


def test_an_empty_prompt_is_said_beside_the_button(visit: Visit, band: Hire) -> None:
    asked = band().asked
    app = visit(AUDIO)
    app.text_area[0].set_value("  ")
    app.run()
    assert "The prompt is empty" in said(app)
    by_label(app.button, "Generate").click()  # type: ignore[attr-defined]
    app.run()
    assert asked == []
