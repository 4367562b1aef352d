"""What is typed is there on the next visit, or the page says that it will not be."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.experiment import serialize
from core.history import MAX_DRAFT
from tests.support.visits import CHAT, PLAYGROUND, TEXT, Visit, by_label, said, settle


def test_a_long_prompt_is_kept_whole(visit: Visit) -> None:
    app = visit(TEXT)
    prompt = "word " * 30_000
    by_label(app.text_area, "Prompt").set_value(prompt).run()
    assert not app.warning
    assert by_label(visit(TEXT).text_area, "Prompt").value == prompt


def test_what_is_too_long_to_be_kept_is_said_while_it_is_on_the_screen(visit: Visit) -> None:
    app = visit(TEXT)
    by_label(app.text_area, "Prompt").set_value("x" * (MAX_DRAFT + 1)).run()
    (warning,) = [str(one.value) for one in app.warning]
    assert "typed on the Text page is on this screen only" in warning
    assert by_label(app.text_area, "Prompt").value == "x" * (MAX_DRAFT + 1)
    by_label(app.text_area, "Prompt").set_value("short again").run()
    assert not app.warning
    assert by_label(visit(TEXT).text_area, "Prompt").value == "short again"


def test_a_draft_that_could_not_be_read_again_is_said_too(visit: Visit) -> None:
    app = visit(PLAYGROUND)
    by_label(app.text_area, "Stop strings").set_value("x" * 5_000).run()  # longer than a file's stop string may be
    assert "on this screen only" in " ".join(str(one.value) for one in app.warning)


def test_a_draft_of_another_version_is_said_to_be_unreadable(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit(TEXT)
    by_label(app.text_area, "Prompt").set_value("mine").run()

    def refuse(data: object) -> None:
        raise InvalidInput("This experiment was saved in format 99.")

    monkeypatch.setattr(serialize, "from_dict", refuse)
    later = visit(TEXT)
    assert "What was typed here last cannot be read" in " ".join(str(one.value) for one in later.info)
    assert by_label(later.text_area, "Prompt").value == "Theoretical Physics is"


def test_a_conversation_that_is_too_long_to_be_kept_stays_on_the_screen_and_is_said(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(CHAT)
    monkeypatch.setattr("core.history.MAX_DRAFT", 1_000)
    app.chat_input[0].set_value("word " * 200).run()
    settle(app)
    assert len(app.chat_message) == 2
    assert "typed on the Chat page is on this screen only" in " ".join(str(one.value) for one in app.warning)
    assert "Something went wrong" not in said(app)
