"""The Image page, and images on other pages, through Streamlit's own test harness and a model that draws at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core import context, png_metadata
from core.examples import DRAWN
from core.experiment import Experiment, Input, Variant
from core.png_metadata import chunks
from core.types import Check
from core.ui.session import resources
from tests.support import fakes
from tests.support.visits import (
    HISTORY,
    IMAGE,
    PLAYGROUND,
    Visit,
    by_label,
    fill,
    on_page,
    press,
    runs,
    said,
    settle,
)

Hang = Callable[..., fakes.Easel]


@pytest.fixture
def easel(monkeypatch: pytest.MonkeyPatch) -> Hang:
    """Let every model draw as this easel does."""

    def hang(**changes: object) -> fakes.Easel:
        made = fakes.Easel(**changes)  # type: ignore[arg-type]
        monkeypatch.setattr(resources, "opener", lambda worker, settings: made)
        return made

    return hang


def generate(app: AppTest, label: str = "Generate") -> None:
    by_label(app.button, label).click()  # type: ignore[attr-defined]
    app.run()
    settle(app)


def captions(app: AppTest, begin: str) -> list[str]:
    return [str(one.value) for one in app.caption if str(one.value).startswith(begin)]


def test_a_gallery_has_an_image_for_each_seed_and_every_version_stays(visit: Visit, easel: Hang) -> None:
    asked = easel().asked
    app = visit(IMAGE)
    assert "Make 4 images" in said(app)
    generate(app)
    assert [request.seed for request in asked] == [42, 43, 44, 45]
    assert asked[0].messages[-1].text == "mountains and the sea at sunset, a boat"
    assert [line.split(" · ")[0] for line in captions(app, "seed")] == [f"seed {n}" for n in (42, 43, 44, 45)]
    assert all("20 steps" in line for line in captions(app, "seed"))
    assert "4 images" in said(app)
    assert not any("tokens/s" in str(one.value) for one in app.caption)
    generate(app, "Regenerate")
    assert "2 versions" in said(app)
    assert asked[4].seed != 42


def test_what_was_typed_is_never_a_template(visit: Visit, easel: Hang) -> None:
    asked = easel().asked
    app = visit(IMAGE)
    by_label(app.text_area, "Prompt").set_value("a {{ star }} {% if %}").run()
    by_label(app.number_input, "Images").set_value(1).run()
    generate(app)
    assert asked[0].messages[-1].text == "a {{ star }} {% if %}"


def test_stop_keeps_what_could_be_seen(visit: Visit, easel: Hang) -> None:
    easel(halt=7)
    app = visit(IMAGE)
    by_label(app.number_input, "Images").set_value(1).run()
    by_label(app.button, "Generate").click()
    app.run()
    deadline = time.monotonic() + 60
    while not any("step 6 of 20" in str(one.text) for one in app.progress) and time.monotonic() < deadline:
        app.run()
    assert any("diptych-preview" in str(one.value) for one in app.html)
    by_label(app.button, "Stop").click()
    app.run()
    settle(app)
    assert "stopped" in said(app)
    assert len(app.image) == 1
    assert "6 steps" in captions(app, "seed 42")[0]


def test_a_list_of_seeds_stands_for_seed_and_number(visit: Visit, easel: Hang) -> None:
    asked = easel().asked
    app = visit(IMAGE)
    by_label(app.text_input, "Seeds").set_value("9, 3-5").run()
    assert by_label(app.number_input, "Images").value == 4
    assert by_label(app.number_input, "Images").disabled
    generate(app)
    assert [request.seed for request in asked] == [9, 3, 4, 5]
    press(app, "Reuse seed")
    assert by_label(app.number_input, "Seed").value == 9
    assert not by_label(app.number_input, "Seed").disabled
    by_label(app.text_input, "Seeds").set_value("1, 1").run()
    assert "listed twice" in said(app)


def test_long_work_is_said_before_it_starts(visit: Visit) -> None:
    app = visit(IMAGE)
    by_label(app.selectbox, "Model").set_value("stable-diffusion-v1-5").run()
    assert "This takes long" in said(app)
    assert "about 19 min on this CPU (a rough guess until it is measured)" in said(app).replace("\\", "")
    assert by_label(app.number_input, "Guidance").value == 7.5, "what nobody touched follows the model"
    assert by_label(app.selectbox, "Size").value == "512x512"


def test_a_model_without_a_negative_prompt_says_why(visit: Visit) -> None:
    app = visit(IMAGE)
    by_label(app.selectbox, "Model").set_value("lcm-dreamshaper-v7").run()
    assert by_label(app.text_area, "Negative prompt").disabled
    assert by_label(app.number_input, "Steps").value == 4
    assert "negative_prompt" not in on_page("image").parameters


def test_the_end_that_is_not_read_is_shown(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "use", lambda row, settings, text: context.ContextUse(80, 77, "the last words"))
    text = said(visit(IMAGE))
    assert "80 of 77 tokens" in text
    assert "the last words" in text


def test_an_empty_prompt_is_refused_before_the_run(visit: Visit) -> None:
    app = visit(IMAGE)
    by_label(app.text_area, "Prompt").set_value(" ").run()
    assert "Write what the image shall show" in said(app)


def test_the_safety_checkers_black_is_explained(visit: Visit, easel: Hang) -> None:
    easel(black=True)
    app = visit(IMAGE)
    generate(app)
    assert "The safety checker replaced the picture by black" in said(app)


def test_a_dropped_file_restores_the_controls(visit: Visit) -> None:
    app = visit(IMAGE)
    told = png_metadata.ImageSettings(
        prompt="a {{ring}}", negative_prompt="fog", parameters={"steps": 7, "size": "9x9"}, seed=77, model="tiny-image"
    )
    app.file_uploader[0].set_value(("one.png", png_metadata.write(fakes.png(), told), "image/png")).run()
    assert by_label(app.text_area, "Prompt").value == "a {{ring}}"
    assert by_label(app.text_area, "Negative prompt").value == "fog"
    assert by_label(app.number_input, "Steps").value == 7
    assert by_label(app.number_input, "Seed").value == 77
    assert by_label(app.number_input, "Images").value == 1
    notes = " ".join(str(one.value) for one in app.info)
    assert "The settings of the file are restored" in notes
    assert "does not offer size" in notes


def test_a_file_blanks_nothing_that_it_does_not_have(visit: Visit) -> None:
    app = visit(IMAGE)
    by_label(app.text_area, "Prompt").set_value("what I typed").run()
    by_label(app.text_area, "Negative prompt").set_value("no rain").run()
    by_label(app.number_input, "Seed").set_value(12).run()
    parts = {"parameters": '{"steps": 9, "version": "Fooocus v2"}'}
    app.file_uploader[0].set_value(("one.png", chunks.write(fakes.png(), parts), "image/png")).run()
    assert by_label(app.number_input, "Steps").value == 9
    assert by_label(app.text_area, "Prompt").value == "what I typed"
    assert by_label(app.text_area, "Negative prompt").value == "no rain"
    assert by_label(app.number_input, "Seed").value == 12
    notes = " ".join(str(one.value) for one in app.info)
    assert "The file has no prompt; what was typed stays" in notes
    assert "The file has no negative prompt; the one that was typed stays" in notes


@pytest.mark.parametrize("seed", [2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1])
def test_a_large_seed_of_a_file_is_restored_exactly(visit: Visit, seed: int) -> None:
    app = visit(IMAGE)
    told = png_metadata.ImageSettings(prompt="x", seed=seed, model="tiny-image")
    app.file_uploader[0].set_value(("one.png", png_metadata.write(fakes.png(), told), "image/png")).run()
    assert not app.exception
    small = seed < 2**53
    assert by_label(app.text_input, "Seeds").value == ("" if small else str(seed))
    assert not small or by_label(app.number_input, "Seed").value == seed


def test_a_hostile_file_changes_nothing(visit: Visit) -> None:
    app = visit(IMAGE)
    app.file_uploader[0].set_value(("bomb.png", b"\x89PNG\r\n\x1a\n bomb", "image/png")).run()
    assert "not a PNG file" in said(app)
    assert by_label(app.text_area, "Prompt").value == "mountains and the sea at sunset, a boat"


def test_an_old_name_of_a_model_comes_with_a_note(visit: Visit) -> None:
    fill(Experiment(page="image", variants=(Variant(name="A", user="x"),), models=("runwayml/stable-diffusion-v1-5",)))
    app = visit(IMAGE)
    assert on_page("image").models == ("stable-diffusion-v1-5",)
    assert any("left the hub" in str(one.value) for one in app.info)


# The playground.


def test_the_playground_compares_images_and_judges_them(visit: Visit, easel: Hang) -> None:
    asked = easel().asked
    app = visit(PLAYGROUND)
    by_label(app.multiselect, "Models").set_value(["tiny-image"]).run()
    labels = [area.label for area in app.text_area]
    assert "Negative prompt" in labels
    assert not [label for label in labels if label.startswith("System")]
    row = Input(values={"numbers": "a star"}, checks=Check.of("not-blank", "image-size:64x64", "contains:a"))
    fill(replace(on_page("playground"), inputs=(row,), samples=2))
    app = visit(PLAYGROUND)
    generate(app, "Run")
    assert len(asked) == 6
    assert sorted({request.seed for request in asked}) == [42, 43], "sample k has the same seed in every variant"
    text = said(app)
    assert "this check reads text; the answer is an image" in text
    assert "the image is 64x64" in text.replace("\\", "")
    assert "20 steps" in text
    assert len(app.image) == 3
    assert any(button.label == "Full size" for button in app.button)


def test_the_example_of_the_playground_runs_as_it_is(visit: Visit, easel: Hang) -> None:
    asked = easel().asked
    fill(DRAWN)
    app = visit(PLAYGROUND)
    assert "Make 27 images" in said(app)
    generate(app, "Run")
    assert len(asked) == 27
    assert "image is red" in said(app)


def test_texts_and_images_are_not_mixed(visit: Visit) -> None:
    app = visit(PLAYGROUND)
    by_label(app.multiselect, "Models").set_value(["tiny-text", "tiny-image"]).run()
    assert "cannot be compared" in " ".join(str(one.value) for one in app.warning)
    by_label(app.button, "Run").click()
    app.run()
    assert runs("playground") == []


# The records.


def test_the_history_shows_images_and_brings_them_back(visit: Visit, easel: Hang) -> None:
    easel()
    app = visit(IMAGE)
    by_label(app.number_input, "Images").set_value(2).run()
    generate(app)
    app.switch_page(HISTORY).run()
    (table,) = app.dataframe
    assert str(table.value["Image"][0]).startswith("data:image/png;base64,")
    assert table.value["Made"][0] == "40 steps"
    home = visit()
    assert len(home.image) == 1
    press(home, "Restore")
    assert home.title[0].value == "Image"
    assert len(runs("image")) == 1
    assert len(home.image) == 2


def test_a_prompt_of_before_that_travelled_as_a_value_is_found_again(visit: Visit, easel: Hang) -> None:
    asked = easel().asked
    before = Variant(name="Prompt", user="{{prompt}}")
    row = Input(values={"prompt": "a {{ star }}"})
    fill(Experiment(page="image", variants=(before,), models=("tiny-image",), inputs=(row,)))
    app = visit(IMAGE)
    assert by_label(app.text_area, "Prompt").value == "a {{ star }}"
    generate(app)
    assert asked[0].messages[-1].text == "a {{ star }}"
    assert on_page("image").variants == (replace(before, user="a {{ star }}", literal=True),)
