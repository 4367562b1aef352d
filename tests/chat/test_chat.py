"""A talk keeps what was said, asks for answers with what came before, and survives a file."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core import experiment as experiments
from core.chat import MAX_EXCHANGES, Talk, added, answering, choosing, cut, files, settled, totals
from core.chat.experiments import Manner, asked, compared, controls, from_experiment
from core.errors import InvalidInput
from core.experiment import serialize
from core.types import CellResult, Experiment, Output, State

MANNER = Manner(system="Be {{ brief }}.", parameters={"temperature": 0.5, "max_new_tokens": 20}, seed=7)


def said(text: str, **extras: object) -> CellResult:
    known: dict[str, object] = {"finish": "stop", "prompt_tokens": 3, "output_tokens": 2, "seconds": 1.0}
    return CellResult(index=0, state=State.DONE, output=Output(text=text, **(known | extras)))  # type: ignore[arg-type]


def talked(*pairs: tuple[str, str], models: tuple[str, ...] = ("tiny-text",)) -> Talk:
    """A talk in which every model gave the same answer; the second model's are in capitals."""
    talk = Talk()
    for number, (message, _) in enumerate(pairs):
        talk = added(talk, message)
        for place, model in enumerate(models):
            talk = answering(talk, number, place, model, f"{number}.{place}")
    answers = {
        f"{number}.{place}": answer.upper() if place else answer
        for number, (_, answer) in enumerate(pairs)
        for place in range(len(models))
    }
    return settled(talk, lambda run_id: said(answers[run_id]))


def messages(experiment: Experiment) -> list[tuple[str, str]]:
    cells = experiments.plan(experiment)
    assert len(cells) == 1
    return [(message.role, message.text) for message in cells[0].request.messages]


def test_an_answer_is_asked_with_everything_that_was_said_before() -> None:
    talk = added(talked(("Hi", "Hello."), ("And {{ you }}?", "Fine.")), "Good.")
    assert messages(asked(talk, 0, 2, "tiny-text", MANNER)) == [
        ("system", "Be {{ brief }}."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "And {{ you }}?"),
        ("assistant", "Fine."),
        ("user", "Good."),
    ]


def test_braces_in_a_message_are_text() -> None:
    talk = added(Talk(), "{{ 7 * 7 }} {% if x %} {{message}}")
    assert messages(asked(talk, 0, 0, "tiny-text", replace(MANNER, system="")))[-1] == (
        "user",
        "{{ 7 * 7 }} {% if x %} {{message}}",
    )


def test_each_column_has_its_own_past() -> None:
    talk = added(talked(("Hi", "Hello."), models=("tiny-text", "gemini:one")), "More")
    assert messages(asked(talk, 0, 1, "tiny-text", MANNER))[2] == ("assistant", "Hello.")
    assert messages(asked(talk, 1, 1, "gemini:one", MANNER))[2] == ("assistant", "HELLO.")


def test_a_second_model_that_joins_later_goes_on_from_the_first() -> None:
    talk = added(talked(("Hi", "Hello.")), "More")
    assert messages(asked(talk, 1, 1, "gemini:one", MANNER))[2] == ("assistant", "Hello.")


def test_a_model_without_a_chat_template_reads_a_transcript_and_stops_at_the_next_turn() -> None:
    talk = added(talked(("Hi {{x}}", "Hello.")), "More")
    made = asked(talk, 0, 1, "gpt2", replace(MANNER, system=""))
    assert messages(made) == [("user", "User: Hi {{x}}\nAssistant: Hello.\nUser: More\nAssistant:")]
    assert made.parameters["stop"] == ("\nUser:",)
    assert not made.chat


def test_the_oldest_exchanges_are_left_out_until_it_fits() -> None:
    talk = added(talked(("one", "1"), ("two", "2"), ("three", "3")), "four")
    made = asked(talk, 0, 3, "tiny-text", MANNER, fits=lambda experiment: len(experiment.earlier) <= 2)
    assert [turn.text for turn in made.earlier] == ["three", "3"]
    assert asked(talk, 0, 3, "tiny-text", MANNER, fits=lambda experiment: False).earlier == ()


def test_every_message_and_every_version_has_a_seed_of_its_own() -> None:
    talk = added(talked(("Hi", "Hello.")), "More")
    seeds = [asked(talk, 0, n, "tiny-text", MANNER, version=v).seed for n in (0, 1) for v in (0, 1, 2)]
    assert len(set(seeds)) == 6
    assert seeds[0] == 7


def test_a_failed_answer_is_no_part_of_the_past() -> None:
    talk = answering(added(Talk(), "Hi"), 0, 0, "tiny-text", "r")
    talk = settled(talk, lambda run_id: CellResult(index=0, state=State.FAILED, error="no"))
    assert asked(added(talk, "More"), 0, 1, "tiny-text", MANNER).earlier == ()


def test_versions_stay_and_the_chosen_one_is_gone_on_from() -> None:
    talk = settled(answering(talked(("Hi", "first")), 0, 0, "tiny-text", "again"), lambda run_id: said("second"))
    side = talk.exchanges[0].sides[0]
    assert [version.text for version in side.versions] == ["first", "second"]
    assert side.version.text == "second"
    back = choosing(talk, 0, 0, 0)
    assert asked(added(back, "More"), 0, 1, "tiny-text", MANNER).earlier[1].text == "first"


def test_what_is_on_its_way_stays_pending_and_what_is_lost_is_interrupted() -> None:
    talk = answering(added(Talk(), "Hi"), 0, 0, "tiny-text", "r")
    assert talk.pending()
    running = settled(talk, lambda run_id: CellResult(index=0, state=State.RUNNING, text="so f"))
    assert running.pending()
    lost = settled(talk, lambda run_id: None)
    assert not lost.pending()
    assert lost.exchanges[0].sides[0].version.state == "interrupted"


def test_a_stopped_answer_keeps_what_it_has() -> None:
    stopped = replace(said("half", finish="cancelled"), state=State.CANCELLED)
    talk = settled(answering(added(Talk(), "Hi"), 0, 0, "tiny-text", "r"), lambda run_id: stopped)
    assert asked(added(talk, "go on"), 0, 1, "tiny-text", MANNER).earlier[1].text == "half"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_message_is_refused_unless_it_has_an_image(text: str) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        added(Talk(), text)
    assert added(Talk(), text, ("ab",)).exchanges[0].images == ("ab",)


def test_a_talk_has_an_end() -> None:
    talk = Talk(exchanges=added(Talk(), "x").exchanges * MAX_EXCHANGES)
    with pytest.raises(InvalidInput, match="Begin a new one"):
        added(talk, "more")


def test_editing_cuts_what_came_after() -> None:
    talk = talked(("one", "1"), ("two", "2"))
    assert [exchange.message for exchange in cut(talk, 1).exchanges] == ["one"]


def test_the_bill_counts_every_version_and_says_what_is_not_known() -> None:
    talk = talked(("Hi", "local"))
    for cost in (0.25, None):
        talk = answering(talk, 0, 0, "gemini:one", "r")
        talk = settled(talk, lambda run_id, cost=cost: said("x", cost=cost, provenance={"host": "h"}))  # type: ignore[misc]
    assert totals(talk) == (9, 6, 0.25, 1)


def test_a_talk_survives_its_json() -> None:
    talk = added(talked(("Hi", "Hello."), models=("tiny-text", "gemini:one")), "Look", ("ab" * 32,))
    assert files.from_dict(json.loads(json.dumps(files.to_dict(talk)))) == talk


@pytest.mark.parametrize(
    "data", [{}, {"exchanges": [{}]}, {"exchanges": 3}, {"exchanges": [{"message": 1, "sides": [1]}]}]
)
def test_a_talk_of_another_shape_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        files.from_dict(data)


def test_the_markdown_file_shows_everything_and_lets_nothing_take_effect() -> None:
    talk = talked(("![x](https://evil/?q=1)", "````\n```\n<script>"))
    made = files.as_markdown(talk, MANNER)
    assert "`````text\n````\n```\n<script>\n`````" in made
    assert "```text\n![x](https://evil/?q=1)\n```" in made
    assert "Be {{ brief }}." in made


def test_the_json_file_holds_every_version_and_the_manner() -> None:
    kept = json.loads(files.as_json(talked(("Hi", "Hello.")), MANNER))
    assert kept["system"] == "Be {{ brief }}."
    assert kept["parameters"]["temperature"] == 0.5
    assert kept["exchanges"][0]["sides"][0]["versions"][0]["text"] == "Hello."


def test_a_run_of_the_history_becomes_its_talk_again() -> None:
    talk = added(talked(("Hi", "Hello."), ("two", "2")), "Good {{ day }}.")
    made = asked(talk, 0, 2, "tiny-text", MANNER)
    made = serialize.from_dict(json.loads(json.dumps(serialize.to_dict(made))))
    again = from_experiment(made, "run")
    assert [exchange.message for exchange in again.exchanges] == ["Hi", "two", "Good {{ day }}."]
    assert again.exchanges[2].sides[0].version.run_id == "run"
    assert asked(again, 0, 2, "tiny-text", MANNER).earlier == made.earlier
    bare = controls(made)
    assert (bare.variants[0].system, bare.variants[0].user, bare.earlier) == ("Be {{ brief }}.", "", ())


def test_a_message_goes_to_the_playground_with_its_past_and_its_braces() -> None:
    talk = talked(("Hi", "Hello."), ("Use {{ braces }}", "no"))
    made = compared(talk, 1, ("tiny-text",), MANNER)
    cells = experiments.plan(made)
    assert [m.text for m in cells[0].request.messages] == ["Be {{ brief }}.", "Hi", "Hello.", "Use {{ braces }}"]
    assert len(cells) == 2


def test_a_model_that_does_not_see_gets_the_text_alone() -> None:
    talk = settled(
        answering(added(Talk(), "Look", ("a" * 64,)), 0, 0, "gemini:gemini-4-neon", "r"), lambda _: said("Ah.")
    )
    talk = added(talk, "And this?", ("b" * 64,))
    seeing, blind = (asked(talk, 0, 1, model, MANNER) for model in ("gemini:gemini-4-neon", "tiny-text"))
    assert (seeing.images, seeing.earlier[0].images) == (("b" * 64,), ("a" * 64,))
    assert (blind.images, blind.earlier[0].images) == ((), ())
