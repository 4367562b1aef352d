"""What an image was made of, written into its file and read back, from friends and from strangers."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core import pictures, png_metadata
from core.errors import InvalidInput
from core.png_metadata import ImageSettings, chunks, fitting, infotext
from tests.support import fakes

RECIPE = ImageSettings(
    prompt="a red circle, on a white ground\nseen from afar",
    negative_prompt="blur: none",
    parameters={"steps": 20, "guidance_scale": 7.5, "size": "64x64", "scheduler": "DPM++ 2M Karras"},
    seed=42,
    model="tiny-image",
    source="tiny-image",
    revision="main",
    versions={"diffusers": "0.42.1"},
)
ELSEWHERE = (
    "a lighthouse, sunset, <lora:more:0.5>\nNegative prompt: blurry, text\nSteps: 25, Sampler: DPM++ 2M Karras, "
    "CFG scale: 6.5, Seed: 1234567, Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, "
    'Lora hashes: "more: 1a2b, other: 3c4d", Version: v1.10.1'
)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def file(*middle: bytes, width: int = 8, height: int = 8, end: bytes = chunk(b"IEND", b"")) -> bytes:
    """A PNG file with these chunks between its header and its end; it has no pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return chunks.SIGNATURE + header + b"".join(middle) + end


def own(**changes: Any) -> bytes:
    """A file with Diptych's own settings, changed."""
    table = json.loads(png_metadata.as_json(RECIPE)) | changes
    return file(chunk(b"tEXt", b"diptych\0" + json.dumps(table).encode()))


def foreign(text: str) -> ImageSettings:
    return png_metadata.read(file(chunk(b"tEXt", b"parameters\0" + text.encode("latin-1"))))


# Writing.


def test_there_and_back() -> None:
    assert png_metadata.read(png_metadata.write(fakes.png(), RECIPE)) == RECIPE


def test_other_tools_find_the_common_text_and_the_pixels_stay() -> None:
    plain = fakes.png(64, 32)
    with Image.open(io.BytesIO(png_metadata.write(plain, RECIPE))) as image, Image.open(io.BytesIO(plain)) as before:
        assert image.tobytes() == before.tobytes()
        assert image.info["parameters"] == (
            "a red circle, on a white ground\nseen from afar\nNegative prompt: blur: none\n"
            "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 42, Size: 64x32, Model: tiny-image, "
            "Version: Diptych"
        )
        assert json.loads(image.info["diptych"])["seed"] == 42


def test_the_same_recipe_makes_the_same_bytes() -> None:
    assert png_metadata.write(fakes.png(), RECIPE) == png_metadata.write(fakes.png(), RECIPE)


def test_a_photograph_comes_back_as_it_is() -> None:
    assert png_metadata.write(b"\xff\xd8\xff rest", RECIPE) == b"\xff\xd8\xff rest"


@given(st.text(max_size=80), st.text(max_size=40), st.integers(0, 2**63 - 1))
def test_any_prompt_survives(prompt: str, negative: str, seed: int) -> None:
    made = ImageSettings(prompt=prompt, negative_prompt=negative, seed=seed)
    back = png_metadata.read(png_metadata.write(fakes.png(4, 4), made))
    assert (back.prompt, back.negative_prompt) == (png_metadata.clean(prompt), png_metadata.clean(negative))
    assert back.seed == seed


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), max_size=80), st.integers(1, 999))
def test_the_common_text_is_read_as_it_was_written(prompt: str, steps: int) -> None:
    settings = {"steps": steps, "guidance_scale": 7.5}
    made = ImageSettings(prompt=prompt, parameters=settings, seed=steps, source="a, b: c")
    back = infotext.read(infotext.write(made, (64, 64)))
    assert back.seed == back.parameters["steps"] == steps
    assert back.model == "a, b: c"
    assert back.prompt == prompt or prompt.startswith("Negative prompt:")


# Files of other tools.


def test_a_file_of_the_web_ui_is_understood() -> None:
    found = foreign(ELSEWHERE)
    assert found.prompt == "a lighthouse, sunset, <lora:more:0.5>"
    assert found.negative_prompt == "blurry, text"
    assert found.seed == 1234567
    assert found.model == "v1-5-pruned-emaonly"
    assert found.parameters == {
        "steps": 25,
        "guidance_scale": 6.5,
        "size": "512x768",
        "scheduler": "DPM++ 2M Karras",
    }
    assert found.notes == ()


def test_its_newer_form_says_the_schedule_apart() -> None:
    found = foreign("x\nSteps: 5, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 1, Seed: 1")
    assert found.parameters["scheduler"] == "DPM++ 2M Karras"


def test_a_text_without_settings_is_a_prompt() -> None:
    assert foreign("a cat: orange, big").prompt == "a cat: orange, big"


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "packed iTXt"])
def test_every_kind_of_text_is_read(kind: str) -> None:
    text = "ein Löwe\nSteps: 7, Seed: 3, CFG scale: 2"
    body = {
        "zTXt": b"\0" + zlib.compress(text.encode("latin-1")),
        "iTXt": b"\0\0de\0\0" + text.encode(),
        "packed iTXt": b"\1\0\0\0" + zlib.compress(text.encode()),
    }[kind]
    found = png_metadata.read(file(chunk(kind[-4:].encode(), b"parameters\0" + body)))
    assert (found.prompt, found.seed) == ("ein Löwe", 3)


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("Steps: nan, CFG scale: 7, Seed: 1", "Steps in the file cannot be read"),
        ("Steps: 9999999999, CFG scale: 7, Seed: 1", "Steps in the file"),
        ("Steps: 20, CFG scale: inf, Seed: 1", "CFG scale in the file"),
        ("Steps: 20, CFG scale: 7, Seed: -1", "The seed in the file"),
        ("Steps: 20, CFG scale: 7, Seed: 99999999999999999999", "The seed in the file"),
        ("Steps: 20, CFG scale: 7, Seed: 1, Size: huge", "Size in the file"),
    ],
)
def test_numbers_that_make_no_sense_are_left_out_with_a_note(last: str, told: str) -> None:
    found = foreign(f"a cat\n{last}")
    assert found.prompt == "a cat"
    assert any(told in note for note in found.notes)


@given(st.text(max_size=300))
def test_any_text_of_another_tool_is_a_recipe(text: str) -> None:
    assert isinstance(infotext.read(text), ImageSettings)


def test_a_hostile_line_does_not_hold_the_reader_up() -> None:
    infotext.read("x" * 90_000)
    infotext.read("a: " * 30_000 + '"' + "\\" * 9_000)


# Files of strangers.

BOMB = zlib.compress(b"x" * 30_000_000)
DEEP = b"diptych\0" + b"[" * 50_000


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not a PNG file"),
        (b"\xff\xd8\xff\xe0 a photograph", "not a PNG file"),
        (chunks.SIGNATURE + b"\0" * 40, "not a PNG file"),
        (b"\0" * (pictures.MAX_BYTES + 1), "at most 5 are read"),
        (file(width=100_000, height=100_000), "100000 x 100000 pixels"),
        (file(width=0), "0 x 8 pixels"),
        (file(), "holds no settings"),
        (fakes.png(), "holds no settings"),
        (file(chunk(b"tEXt", b"parameters\0  ")), "holds no settings"),
        (file(end=b""), "cut off"),
        (png_metadata.write(fakes.png(), RECIPE)[:-20], "cut off"),
        (png_metadata.write(fakes.png(), RECIPE)[:60], "cut off"),
        (file(struct.pack(">I4s", 2**32 - 1, b"tEXt")), "cut off"),
        (file(chunk(b"zTXt", b"parameters\0\0" + BOMB)), "unpacks to over 100 kB"),
        (file(chunk(b"iTXt", b"diptych\0\1\0\0\0" + BOMB)), "unpacks to over 100 kB"),
        (file(chunk(b"tEXt", b"parameters\0" + b"x" * 100_001)), "over 100 kB"),
        (file(chunk(b"zTXt", b"parameters\0\0not packed")), "text cannot be read"),
        (file(chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 99)[:-6])), "text cannot be read"),
        (file(chunk(b"iTXt", b"parameters\0")), "text cannot be read"),
        (file(chunk(b"iTXt", b"parameters\0\0\0\0\0\xff\xfe")), "text cannot be read"),
        (file(chunk(b"tEXt", b"parameters\0x")[:-1] + b"!"), "text cannot be read"),
        (file(*[chunk(b"tEXt", b"parameters\0x")] * 2), "'parameters' twice"),
        (file(*[chunk(b"IDAT", b"")] * 20_001), "over 20000 parts"),
        (file(chunk(b"tEXt", DEEP)), "not JSON"),
        (file(chunk(b"tEXt", b"diptych\0[1, 2]")), "not those of an image"),
        (file(chunk(b"tEXt", b'diptych\0{"seed": NaN}')), "not JSON"),
        (file(chunk(b"tEXt", b'diptych\0{"seed": ' + b"9" * 5_000 + b"}")), "not JSON"),
        (own(format="diptych-run"), "not those of an image"),
        (own(version=2), "format 2; this Diptych reads up to 1"),
        (own(version="1"), "'version' must be a whole number"),
        (own(prompt=3), "'prompt' must be text"),
        (own(prompt="x" * 20_001), "'prompt' must be at most 20000"),
        (own(negative_prompt=None), "'negative_prompt' must be text"),
        (own(seed=-1), "'seed' must be a whole number from 0"),
        (own(seed=2**63), "'seed' must be a whole number from 0"),
        (own(seed=True), "'seed' must be"),
        (own(seed=1.5), "'seed' must be"),
        (own(parameters=[]), "'parameters' must be a table"),
        (own(parameters={"steps": "20"}), "'steps' must be a number"),
        (own(parameters={"steps": 10**30}), "'steps' must be a number"),
        (own(parameters={"size": 64}), "'size' must be text"),
        (own(model={}), "'model' must be text"),
        (own(versions=["torch"]), "'versions' must be a table"),
        (own(versions={"torch": 2}), "'versions' must be text"),
    ],
)
def test_a_strangers_file_is_refused_in_a_sentence(data: bytes, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        png_metadata.read(data)
    assert told in str(caught.value)


def test_infinite_numbers_are_refused() -> None:
    text = png_metadata.as_json(RECIPE).replace("7.5", "1e999")
    with pytest.raises(InvalidInput, match="'guidance_scale' must be a number"):
        png_metadata.read(file(chunk(b"tEXt", b"diptych\0" + text.encode())))


def test_only_known_fields_are_taken_and_control_characters_are_not() -> None:
    parameters = {"steps": 3, "path": "/etc"}
    found = png_metadata.read(own(prompt="a\x00 cat\x1b[31m", owner="somebody", parameters=parameters))
    assert found.prompt == "a cat[31m"
    assert found.parameters == {"steps": 3}


@given(st.binary(max_size=400))
def test_any_bytes_are_a_recipe_or_a_sentence(data: bytes) -> None:
    for made in (data, file(data), file(chunk(b"tEXt", data)), file(chunk(b"iTXt", b"diptych\0" + data))):
        try:
            told = str(png_metadata.read(made).prompt) + "."
        except InvalidInput as error:
            told = str(error)
        assert told.endswith(".")


# What a model here can take.


@pytest.fixture
def painters(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = fakes.painter("sketcher", parameters=fakes.IMAGE_PARAMETERS[1:2])
    fakes.offering(monkeypatch, fakes.painter(), bare)


@pytest.mark.parametrize(
    "called",
    [
        "stable-diffusion-v1-5",
        "Stable Diffusion 1.5",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "runwayml/stable-diffusion-v1-5",
        "stable_diffusion_v1-5.safetensors",
        "v1-5-pruned-emaonly",
    ],
)
def test_a_model_is_known_by_many_names(called: str) -> None:
    found = fitting.model(called)
    assert found is not None
    assert found.id == "stable-diffusion-v1-5"


def test_an_old_name_comes_with_a_note() -> None:
    found = fitting.fit(ImageSettings(model="runwayml/stable-diffusion-v1-5"), "tiny-image")
    assert found.model == "stable-diffusion-v1-5"
    assert len(found.notes) == 1


@pytest.mark.parametrize("called", ["", "gpt2", "openai:gpt-4o", "x", "a/b"])
def test_what_is_no_image_model_is_none(called: str, painters: None) -> None:
    assert fitting.model(called) is None


def test_a_foreign_file_is_fitted_with_a_note_for_what_is_not_here(painters: None) -> None:
    found = fitting.fit(foreign(ELSEWHERE.replace("v1-5-pruned-emaonly", "dreamer")), "painter")
    assert found.model == "painter"
    assert found.parameters == {
        "negative_prompt": "blurry, text",
        "steps": 25,
        "guidance_scale": 6.5,
        "scheduler": "DPM++ 2M Karras",
    }
    assert found.seed == 1234567
    assert found.notes == (
        "It was made with 'dreamer', which is not here: Painter stays chosen.",
        "Painter does not offer size '512x768'; what was set stays.",
    )


def test_numbers_are_brought_within_the_models_bounds(painters: None) -> None:
    found = fitting.fit(ImageSettings(parameters={"steps": 900, "guidance_scale": 0.5}, model="painter"), "tiny-image")
    assert found.model == "painter"
    assert found.parameters == {"steps": 50, "guidance_scale": 1.0, "negative_prompt": ""}
    assert len(found.notes) == 2


def test_a_model_without_a_negative_prompt_says_so(painters: None) -> None:
    found = fitting.fit(ImageSettings(negative_prompt="fog", model="sketcher"), "painter")
    assert found.parameters == {}
    assert found.notes == ("Sketcher takes no negative prompt; it is left out.",)
