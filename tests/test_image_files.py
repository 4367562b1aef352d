"""Images of a run as files: named, stamped and packed the same way every time."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from core import image_files, png_metadata
from core.experiment.grid import GridCell, grid_cells
from core.types import CellResult, Experiment, Input, Output, State, Variant
from tests.support import fakes

ONE = Experiment(
    page="image",
    variants=(Variant(name="Prompt", user="{{prompt}}"),),
    models=("tiny-image",),
    inputs=(Input(values={"prompt": "a {{red}} circle"}),),
    samples=2,
    parameters={"steps": 8, "guidance_scale": 4.0, "size": "64x64", "scheduler": "DDIM", "negative_prompt": "fog"},
    seeds=(42, 7),
)
GRID = Experiment(
    page="playground",
    variants=(Variant(name="Plain", user="a {{what}}"), Variant(name="Small", user="a small {{what}}")),
    models=("tiny-image", "hub/odd name:1"),
    inputs=(Input(values={"what": "star"}), Input(values={"what": "ring"})),
    seed=5,
)


def output(*images: bytes, **recipe: object) -> Output:
    return Output(
        text="", finish="stop", prompt_tokens=5, output_tokens=8, seconds=1.0, images=images, provenance=dict(recipe)
    )


def drew(index: int, *images: bytes) -> CellResult:
    return CellResult(index=index, state=State.DONE, output=output(*images))


def first(experiment: Experiment) -> GridCell:
    return next(iter(grid_cells(experiment)))


def test_a_file_says_what_it_was_made_of_and_nothing_else() -> None:
    told = output(
        fakes.png(), versions={"torch": "2.13"}, revision="abc123", device="cpu", path="/home/somebody", key="secret"
    )
    made = image_files.file(ONE, first(ONE), told)
    assert png_metadata.read(made) == png_metadata.ImageSettings(
        prompt="a {{red}} circle",
        negative_prompt="fog",
        parameters={"steps": 8, "guidance_scale": 4.0, "size": "64x64", "scheduler": "DDIM"},
        seed=42,
        model="tiny-image",
        source="tiny-image",
        revision="abc123",
        versions={"torch": "2.13"},
    )
    assert b"somebody" not in made
    assert b"secret" not in made


@pytest.mark.parametrize(
    ("experiment", "index", "name"),
    [
        (ONE, 0, "01-seed-42.png"),
        (ONE, 1, "02-seed-7.png"),
        (GRID, 0, "01-A-row-1-tiny-image-seed-5.png"),
        (GRID, 7, "01-B-row-2-hub-odd-name-1-seed-5.png"),
    ],
)
def test_names(experiment: Experiment, index: int, name: str) -> None:
    place = next(place for place in grid_cells(experiment) if place.index == index)
    assert image_files.name(experiment, place, fakes.png(2, 2)) == name


def test_an_archive_has_each_image_with_its_recipe_and_is_the_same_every_time() -> None:
    results = {0: drew(0, fakes.png()), 1: drew(1, fakes.png(8, 8, "green"))}
    packed = image_files.archive(ONE, results)
    assert packed == image_files.archive(ONE, results)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = ["01-seed-42.png", "01-seed-42.json", "02-seed-7.png", "02-seed-7.json"]
        assert archive.namelist() == names
        assert png_metadata.read(archive.read("02-seed-7.png")).seed == 7
        assert json.loads(archive.read("02-seed-7.json"))["prompt"] == "a {{red}} circle"


def test_cells_without_an_image_are_left_out() -> None:
    assert list(image_files.images(GRID, {0: CellResult(index=0, state=State.FAILED), 1: drew(1)})) == []


def test_a_prompt_that_cannot_be_rendered_any_more_is_written_as_it_was() -> None:
    broken = Experiment(page="image", variants=(Variant(name="A", user="a {{gone}}"),), models=("unheard-of",))
    assert image_files.image_settings(broken, first(broken), output()).prompt == "a {{gone}}"
