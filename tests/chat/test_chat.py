"""A conversation keeps what was said, asks for answers with what came before, and survives a file."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core import experiment as experiments
from core.chat import (
    MAX_TURNS,
    Conversation,
    files,
    totals,
    truncated,
    with_chosen_version,
    with_message,
    with_pending_reply,
    with_results,
)
from core.chat.experiments import (
    ChatSettings,
    from_experiment,
    playground_experiment,
    reply_experiment,
    without_messages,
)
from core.errors import InvalidInput
from core.experiment import serialize
from core.types import CellResult, Experiment, Output, State

SETTINGS = ChatSettings(system="Be {{ brief }}.", parameters={"temperature": 0.5, "max_new_tokens": 20}, seed=7)


def said(text: str, **extras: object) -> CellResult:
    known: dict[str, object] = {"finish": "stop", "prompt_tokens": 3, "output_tokens": 2, "seconds": 1.0}
    return CellResult(index=0, state=State.DONE, output=Output(text=text, **(known | extras)))  # type: ignore[arg-type]


def chat_of(*pairs: tuple[str, str], models: tuple[str, ...] = ("tiny-text",)) -> Conversation:
    """A conversation in which every model gave the same answer; the second model's are in capitals."""
    chat = Conversation()
    for number, (message, _) in enumerate(pairs):
        chat = with_message(chat, message)
        for place, model in enumerate(models):
            chat = with_pending_reply(chat, number, place, model, f"{number}.{place}")
    answers = {
        f"{number}.{place}": answer.upper() if place else answer
        for number, (_, answer) in enumerate(pairs)
        for place in range(len(models))
    }
    return with_results(chat, lambda run_id: said(answers[run_id]))


def messages(experiment: Experiment) -> list[tuple[str, str]]:
    cells = experiments.plan(experiment)
    assert len(cells) == 1
    return [(message.role, message.text) for message in cells[0].request.messages]


def test_an_answer_is_asked_with_everything_that_was_said_before() -> None:
    chat = with_message(chat_of(("Hi", "Hello."), ("And {{ you }}?", "Fine.")), "Good.")
    assert messages(reply_experiment(chat, 0, 2, "tiny-text", SETTINGS)) == [
        ("system", "Be {{ brief }}."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "And {{ you }}?"),
        ("assistant", "Fine."),
        ("user", "Good."),
    ]


def test_braces_in_a_message_are_text() -> None:
    chat = with_message(Conversation(), "{{ 7 * 7 }} {% if x %} {{message}}")
    assert messages(reply_experiment(chat, 0, 0, "tiny-text", replace(SETTINGS, system="")))[-1] == (
        "user",
        "{{ 7 * 7 }} {% if x %} {{message}}",
    )


def test_each_column_has_its_own_past() -> None:
    chat = with_message(chat_of(("Hi", "Hello."), models=("tiny-text", "gemini:one")), "More")
    assert messages(reply_experiment(chat, 0, 1, "tiny-text", SETTINGS))[2] == ("assistant", "Hello.")
    assert messages(reply_experiment(chat, 1, 1, "gemini:one", SETTINGS))[2] == ("assistant", "HELLO.")


def test_a_second_model_that_joins_later_goes_on_from_the_first() -> None:
    chat = with_message(chat_of(("Hi", "Hello.")), "More")
    assert messages(reply_experiment(chat, 1, 1, "gemini:one", SETTINGS))[2] == ("assistant", "Hello.")


def test_a_model_without_a_chat_template_reads_a_transcript_and_stops_at_the_next_turn() -> None:
    chat = with_message(chat_of(("Hi {{x}}", "Hello.")), "More")
    made = reply_experiment(chat, 0, 1, "gpt2", replace(SETTINGS, system=""))
    assert messages(made) == [("user", "User: Hi {{x}}\nAssistant: Hello.\nUser: More\nAssistant:")]
    assert made.parameters["stop"] == ("\nUser:",)
    assert not made.chat


@pytest.mark.parametrize("stop", [(), ("END",), ("\nUser:",)])
def test_what_ends_a_transcripts_turn_is_no_stop_string_of_the_person(stop: tuple[str, ...]) -> None:
    settings = ChatSettings(parameters={"stop": stop})
    made = reply_experiment(with_message(Conversation(), "Hi"), 0, 0, "gpt2", settings)
    assert made.parameters["stop"] == (*stop, "\nUser:")
    assert without_messages(made).parameters["stop"] == stop
    framed = reply_experiment(with_message(Conversation(), "Hi"), 0, 0, "tiny-text", settings)
    assert without_messages(framed).parameters["stop"] == stop


def test_the_oldest_exchanges_are_left_out_until_it_fits() -> None:
    chat = with_message(chat_of(("one", "1"), ("two", "2"), ("three", "3")), "four")
    made = reply_experiment(chat, 0, 3, "tiny-text", SETTINGS, fits=lambda experiment: len(experiment.earlier) <= 2)
    assert [turn.text for turn in made.earlier] == ["three", "3"]
    assert reply_experiment(chat, 0, 3, "tiny-text", SETTINGS, fits=lambda experiment: False).earlier == ()


def test_every_message_and_every_version_has_a_seed_of_its_own() -> None:
    chat = with_message(chat_of(("Hi", "Hello.")), "More")
    seeds = [reply_experiment(chat, 0, n, "tiny-text", SETTINGS, version=v).seed for n in (0, 1) for v in (0, 1, 2)]
    assert len(set(seeds)) == 6
    assert seeds[0] == 7


def test_a_failed_answer_is_no_part_of_the_past() -> None:
    chat = with_pending_reply(with_message(Conversation(), "Hi"), 0, 0, "tiny-text", "r")
    chat = with_results(chat, lambda run_id: CellResult(index=0, state=State.FAILED, error="no"))
    assert reply_experiment(with_message(chat, "More"), 0, 1, "tiny-text", SETTINGS).earlier == ()


def test_versions_stay_and_the_chosen_one_is_gone_on_from() -> None:
    chat = with_results(
        with_pending_reply(chat_of(("Hi", "first")), 0, 0, "tiny-text", "again"), lambda run_id: said("second")
    )
    reply = chat.turns[0].replies[0]
    assert [version.text for version in reply.versions] == ["first", "second"]
    assert reply.version.text == "second"
    back = with_chosen_version(chat, 0, 0, 0)
    assert reply_experiment(with_message(back, "More"), 0, 1, "tiny-text", SETTINGS).earlier[1].text == "first"


def test_what_is_on_its_way_stays_pending_and_what_is_lost_is_interrupted() -> None:
    chat = with_pending_reply(with_message(Conversation(), "Hi"), 0, 0, "tiny-text", "r")
    assert chat.pending()
    running = with_results(chat, lambda run_id: CellResult(index=0, state=State.RUNNING, text="so f"))
    assert running.pending()
    lost = with_results(chat, lambda run_id: None)
    assert not lost.pending()
    assert lost.turns[0].replies[0].version.state == "interrupted"


def test_a_stopped_answer_keeps_what_it_has() -> None:
    stopped = replace(said("half", finish="cancelled"), state=State.CANCELLED)
    chat = with_results(
        with_pending_reply(with_message(Conversation(), "Hi"), 0, 0, "tiny-text", "r"), lambda run_id: stopped
    )
    assert reply_experiment(with_message(chat, "go on"), 0, 1, "tiny-text", SETTINGS).earlier[1].text == "half"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_message_is_refused_unless_it_has_an_image(text: str) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        with_message(Conversation(), text)
    assert with_message(Conversation(), text, ("ab",)).turns[0].images == ("ab",)


def test_a_conversation_has_an_end() -> None:
    chat = Conversation(turns=with_message(Conversation(), "x").turns * MAX_TURNS)
    with pytest.raises(InvalidInput, match="Begin a new one"):
        with_message(chat, "more")


def test_editing_cuts_what_came_after() -> None:
    chat = chat_of(("one", "1"), ("two", "2"))
    assert [turn.message for turn in truncated(chat, 1).turns] == ["one"]


def test_the_bill_counts_every_version_and_says_what_is_not_known() -> None:
    chat = chat_of(("Hi", "local"))
    for cost in (0.25, None):
        chat = with_pending_reply(chat, 0, 0, "gemini:one", "r")
        chat = with_results(chat, lambda run_id, cost=cost: said("x", cost=cost, provenance={"host": "h"}))  # type: ignore[misc]
    assert totals(chat) == (9, 6, 0.25, 1)


def test_a_conversation_survives_its_json() -> None:
    chat = with_message(chat_of(("Hi", "Hello."), models=("tiny-text", "gemini:one")), "Look", ("ab" * 32,))
    assert files.from_dict(json.loads(json.dumps(files.to_dict(chat)))) == chat


def test_a_conversation_under_the_first_versions_names_is_read() -> None:
    version = {"run_id": "r", "text": "Hello.", "state": "done", "prompt_tokens": 3, "output_tokens": 2, "cost": None}
    side = {"model": "tiny-text", "versions": [version | {"priced": False}], "chosen": 0}
    chat = files.from_dict({"exchanges": [{"message": "Hi", "images": [], "sides": [side]}]})
    assert (chat.turns[0].message, chat.turns[0].replies[0].version.text) == ("Hi", "Hello.")


@pytest.mark.parametrize(
    "data", [{}, {"turns": [{}]}, {"turns": 3}, {"turns": [{"message": 1, "replies": [1]}]}, {"exchanges": 3}]
)
def test_a_conversation_of_another_shape_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        files.from_dict(data)


def test_the_markdown_file_shows_everything_and_lets_nothing_take_effect() -> None:
    chat = chat_of(("![x](https://evil/?q=1)", "````\n```\n<script>"))
    made = files.as_markdown(chat, SETTINGS)
    assert "`````text\n````\n```\n<script>\n`````" in made
    assert "```text\n![x](https://evil/?q=1)\n```" in made
    assert "Be {{ brief }}." in made


def test_the_json_file_holds_every_version_and_the_settings() -> None:
    kept = json.loads(files.as_json(chat_of(("Hi", "Hello.")), SETTINGS))
    assert kept["system"] == "Be {{ brief }}."
    assert kept["parameters"]["temperature"] == 0.5
    assert kept["turns"][0]["replies"][0]["versions"][0]["text"] == "Hello."


def test_a_run_of_the_history_becomes_its_conversation_again() -> None:
    chat = with_message(chat_of(("Hi", "Hello."), ("two", "2")), "Good {{ day }}.")
    made = reply_experiment(chat, 0, 2, "tiny-text", SETTINGS)
    made = serialize.from_dict(json.loads(json.dumps(serialize.to_dict(made))))
    again = from_experiment(made, "run")
    assert [turn.message for turn in again.turns] == ["Hi", "two", "Good {{ day }}."]
    assert again.turns[2].replies[0].version.run_id == "run"
    assert reply_experiment(again, 0, 2, "tiny-text", SETTINGS).earlier == made.earlier
    bare = without_messages(made)
    assert (bare.variants[0].system, bare.variants[0].user, bare.earlier) == ("Be {{ brief }}.", "", ())


def test_a_message_goes_to_the_playground_with_its_past_and_its_braces() -> None:
    chat = chat_of(("Hi", "Hello."), ("Use {{ braces }}", "no"))
    made = playground_experiment(chat, 1, ("tiny-text",), SETTINGS)
    cells = experiments.plan(made)
    assert [m.text for m in cells[0].request.messages] == ["Be {{ brief }}.", "Hi", "Hello.", "Use {{ braces }}"]
    assert len(cells) == 2


def test_a_model_that_does_not_see_gets_the_text_alone() -> None:
    chat = with_results(
        with_pending_reply(with_message(Conversation(), "Look", ("a" * 64,)), 0, 0, "gemini:gemini-4-neon", "r"),
        lambda _: said("Ah."),
    )
    chat = with_message(chat, "And this?", ("b" * 64,))
    seeing, blind = (reply_experiment(chat, 0, 1, model, SETTINGS) for model in ("gemini:gemini-4-neon", "tiny-text"))
    assert (seeing.images, seeing.earlier[0].images) == (("b" * 64,), ("a" * 64,))
    assert (blind.images, blind.earlier[0].images) == ((), ())
