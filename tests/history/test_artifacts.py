"""Images of prompts and answers are kept with their run, seen by its owner only, and gone with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import pictures
from core.errors import InvalidInput
from core.experiment import EarlierMessage, Experiment, Input, Variant, bill, plan, run, serialize
from core.history import History
from core.png_metadata import chunks
from core.types import Cell, CellResult, Output, Run, State
from tests.support import fakes

CAT, DOG = b"\x89PNG\r\n\x1a\ncat", b"\xff\xd8\xffdog"
SHOWN = {pictures.reference(picture): picture for picture in (CAT, DOG)}
ASKED = Experiment(
    page="chat",
    variants=(Variant(name="A", user="{{q}}", system="See."), Variant(name="B", user="What is {{q}}?")),
    models=("gemini:gemini-4-neon",),
    inputs=(Input(values={"q": "this"}),),
    earlier=(
        EarlierMessage(role="user", text="Look {{ here }}", images=(pictures.reference(CAT),)),
        EarlierMessage(role="assistant", text="A cat."),
    ),
    images=(pictures.reference(DOG),),
)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History(f"sqlite:///{tmp_path / 'history.db'}")
    yield opened
    opened.close()


def planned() -> Run:
    return run(ASKED, "r", pictures=SHOWN)


def drew(cell: Cell, *drawn: bytes, **changes: object) -> CellResult:
    output = Output(text="Here", finish="stop", prompt_tokens=1, output_tokens=9, seconds=1.0, images=drawn)
    return CellResult(index=cell.index, state=State.DONE, output=replace(output, **changes))  # type: ignore[arg-type]


def test_a_prompt_is_system_talk_and_question_with_their_images() -> None:
    messages = plan(ASKED, pictures=SHOWN)[0].request.messages
    assert [(m.role, m.text, m.images) for m in messages] == [
        ("system", "See.", ()),
        ("user", "Look {{ here }}", (CAT,)),
        ("assistant", "A cat.", ()),
        ("user", "this", (DOG,)),
    ]


def test_an_image_that_is_not_there_is_said_so_before_anything_is_sent() -> None:
    with pytest.raises(InvalidInput, match="Attach it again"):
        plan(ASKED, pictures={pictures.reference(CAT): CAT})


def test_an_image_alone_is_a_question() -> None:
    alone = replace(ASKED, variants=(Variant(name="A", user=" "),))
    assert plan(alone, pictures=SHOWN)[0].request.messages[-1].images == (DOG,)


def test_a_talk_counts_against_the_length_of_a_prompt() -> None:
    with pytest.raises(InvalidInput, match="at most 20"):
        plan(ASKED, pictures=SHOWN, max_prompt_chars=20)


def test_the_experiment_survives_its_json_without_a_byte_of_an_image() -> None:
    told = json.dumps(serialize.to_dict(ASKED))
    assert serialize.from_dict(json.loads(told)) == ASKED


@pytest.mark.parametrize(
    "talk",
    [
        [{"role": "system", "text": "x"}],
        [{"role": "user"}],
        [{"role": "user", "text": "x", "images": ["y" * 65]}],
        [{"role": "user", "text": "x", "more": 1}],
        "x",
    ],
)
def test_a_talk_of_another_shape_is_refused(talk: object) -> None:
    with pytest.raises(InvalidInput, match="earlier"):
        serialize.from_dict(serialize.to_dict(ASKED) | {"earlier": talk})


def test_a_sound_is_kept_with_its_cell_and_replaced_with_it(history: History) -> None:
    begun = planned()
    first, second = begun.cells
    history.begin("me", begun)
    history.finish(begun, first, drew(first, CAT, audio=fakes.tone(440, 0.1, 8000)))
    history.finish(begun, second, drew(second))
    outputs = [result.output for result in history.open("me", "r").results]
    assert [output.audio for output in outputs if output] == [fakes.tone(440, 0.1, 8000), b""]
    assert [output.images for output in outputs if output] == [(CAT,), ()]
    history.finish(begun, first, drew(first, audio=b"another"))
    assert [result.output.audio for result in history.open("me", "r").results if result.output] == [b"another", b""]


def test_a_runs_images_come_back_to_its_owner_only(history: History) -> None:
    history.begin("me", planned())
    assert history.attached("me", "r") == SHOWN
    assert history.attached("you", "r") == {}
    assert history.attached("me", "another") == {}
    assert plan(history.open("me", "r").experiment, pictures=history.attached("me", "r")) == planned().cells


def test_a_run_that_begins_again_keeps_each_image_once(history: History) -> None:
    for _ in range(2):
        history.begin("me", planned())
    assert history.attached("me", "r") == SHOWN


def test_what_a_model_drew_comes_back_with_its_cell(history: History) -> None:
    made = planned()
    history.begin("me", made)
    history.finish(made, made.cells[0], drew(made.cells[0], CAT, DOG))
    history.finish(made, made.cells[1], drew(made.cells[1]))
    history.finish(made, made.cells[0], drew(made.cells[0], DOG, CAT))
    first, second = (result.output for result in history.open("me", "r").results)
    assert first is not None
    assert second is not None
    assert (first.images, second.images) == ((DOG, CAT), ())
    assert history.attached("me", "r") == SHOWN


@pytest.mark.parametrize("cost", [None, 0.0, 0.0125])
def test_costs_thoughts_and_notes_come_back(history: History, cost: float | None) -> None:
    made = planned()
    history.begin("me", made)
    result = drew(made.cells[0], cost=cost, thought_tokens=5, notes=("top_k was not used by this model",))
    history.finish(made, made.cells[0], result)
    kept = history.open("me", "r").results[0].output
    assert kept is not None
    assert (kept.cost, kept.thought_tokens, kept.notes) == (cost, 5, ("top_k was not used by this model",))


def test_the_bill_before_a_run_counts_every_answer_at_its_longest_and_names_what_it_cannot_price() -> None:
    asked = replace(ASKED, earlier=(), images=(), parameters={"max_new_tokens": 1000})
    own = {"gemini:gemini-4-neon": (4.0, 10.0)}
    assert bill(plan(asked), own) == (pytest.approx(2 * 1000 * 10 / 1e6, rel=0.01), 0)
    mixed = replace(asked, models=("openrouter:unheard/of", "tiny-text"), parameters={})
    assert bill(plan(mixed), {}) == (0.0, 2)


def test_a_run_has_a_thumbnail_of_its_first_image_for_its_owner_only(history: History) -> None:
    begun = planned()
    history.begin("me", begun)
    assert history.thumbnails("me", ["r", "other"]) == {}
    history.finish(begun, begun.cells[1], drew(begun.cells[1], fakes.png(300, 150)))
    history.finish(begun, begun.cells[0], drew(begun.cells[0], fakes.png(32, 32, "green")))
    small = history.thumbnails("me", ["r"])["r"]
    assert chunks.size(small) == (64, 32)
    assert history.thumbnails("me", ["r"])["r"] is small, "made once"
    assert history.thumbnails("somebody else", ["r"]) == {}
    history.finish(begun, begun.cells[1], drew(begun.cells[1], fakes.png(40, 20)))
    assert chunks.size(history.thumbnails("me", ["r"])["r"]) != (64, 32), "another image in its place is another"


def test_what_cannot_be_read_has_no_thumbnail(history: History) -> None:
    begun = planned()
    history.begin("me", begun)
    history.finish(begun, begun.cells[0], drew(begun.cells[0], CAT))
    assert history.thumbnails("me", ["r"]) == {}
