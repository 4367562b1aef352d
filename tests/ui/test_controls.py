"""What a person changes and presses is taken before the page is drawn, and nothing else starts anew because of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.ui.components import model_controls
from tests.support.visits import CHAT, IMAGE, PLAYGROUND, TEXT, Visit, by_label, ran

Act = Callable[[AppTest], object]

SAMPLING = {"Temperature", "Top-p", "Top-k", "Min-p", "Repetition penalty"}


def widgets(app: AppTest) -> dict[str, str]:
    """The label of each field on the page, by the id under which the browser knows it."""
    fields = [*app.number_input, *app.text_area, *app.text_input, *app.selectbox, *app.multiselect, *app.button_group]
    return {field.id: field.label for field in fields}


@pytest.mark.parametrize(
    ("path", "act", "anew"),
    [
        (TEXT, lambda app: by_label(app.button, "New seed").click(), {"Seed"}),
        (PLAYGROUND, lambda app: by_label(app.button, "New seed").click(), {"Seed"}),
        (IMAGE, lambda app: by_label(app.button, "New seed").click(), {"Seed", "Seeds"}),
        (
            TEXT,
            lambda app: by_label(app.button_group, "Preset").set_value("Precise"),
            SAMPLING,
        ),
        (IMAGE, lambda app: app.menu_button[0].click_index(1), {"Prompt"}),
    ],
)
def test_what_the_app_sets_starts_anew_and_no_other_control(path: str, act: Act, anew: set[str], visit: Visit) -> None:
    app = visit(path)
    before = widgets(app)
    act(app)
    app.run()
    replaced = {label for key, label in before.items() if key not in widgets(app)}
    assert replaced
    assert replaced <= anew


def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page ends where its models are chosen, as one does that a newer change interrupts."""
    for name in ("model", "models"):
        monkeypatch.setattr(model_controls, name, lambda *args, **kwargs: st.stop())


def test_a_message_is_sent_though_the_page_is_cut_off_before_it_draws_its_field(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(CHAT)
    app.chat_input[0].set_value("What is the moon?")
    with monkeypatch.context() as interrupted:
        cut_off(interrupted)
        app.run()
    app.run()
    assert "What is the moon?" in [text.value for text in app.text]


def test_a_press_runs_what_was_changed_with_it_though_the_page_is_cut_off(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(TEXT)
    by_label(app.number_input, "Temperature").set_value(0.3)
    by_label(app.number_input, "Seed").set_value(5)
    by_label(app.text_area, "Prompt").set_value("Once upon a time")
    by_label(app.button, "Generate").click()
    with monkeypatch.context() as interrupted:
        cut_off(interrupted)
        app.run()
    (run,) = ran("text")
    assert (run.parameters["temperature"], run.seed, run.variants[0].user) == (0.3, 5, "Once upon a time")


def replaced_field() -> None:
    """A page whose field was replaced by another one, and whose browser still shows both; a press says what it read."""
    import streamlit as st

    from core.ui.session.pages import PAGES
    from core.ui.session.state import session

    draft = session().drafts.get("text") or session().adopt(
        next(page.example for page in PAGES if page.key == "text" and page.example)
    )

    def take(seed: int) -> None:
        draft.seed = seed

    def press() -> None:
        draft.read()
        draft.notes = (f"read: {draft.seed}",)

    st.button("Press", on_click=press)
    st.number_input("Before", value=draft.seed, **draft.bind(take, "seed", "before"))
    st.number_input("After", value=draft.seed, **draft.bind(take, "seed", "after"))
    st.text(" ".join(draft.notes))


def test_a_press_reads_what_was_changed_in_a_field_that_the_app_has_replaced() -> None:
    app = AppTest.from_function(replaced_field).run()
    app.number_input[0].set_value(77)
    app.button[0].click()
    app.run()
    assert not app.exception
    assert [text.value for text in app.text] == ["read: 77"]
    assert app.number_input[1].value == 77


def test_a_press_leaves_what_the_app_has_set_where_a_replaced_field_has_not_changed() -> None:
    app = AppTest.from_function(replaced_field).run()
    app.number_input[1].set_value(78)
    app.button[0].click()
    app.run()
    assert [text.value for text in app.text] == ["read: 78"]
