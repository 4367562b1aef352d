"""What an image was made of, written into its file and read back, from friends and from strangers."""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core import pictures, png_metadata
from core.errors import InvalidInput
from core.png_metadata import ImageSettings, chunks, fitting, infotext
from core.text import clean
from tests.support import fakes

SETTINGS = ImageSettings(
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
    table = json.loads(png_metadata.as_json(SETTINGS)) | changes
    return file(chunk(b"tEXt", b"diptych\0" + json.dumps(table).encode()))


def foreign(text: str) -> ImageSettings:
    return png_metadata.read(file(chunk(b"tEXt", b"parameters\0" + text.encode("latin-1"))))


def settings_or_sentence(data: bytes) -> bool:
    """Whether a file is read to settings of the right kinds, or refused in a sentence; other errors are raised."""
    try:
        found = png_metadata.read(data)
    except InvalidInput as error:
        return str(error).endswith(".")
    return isinstance(found.prompt, str) and (found.seed is None or 0 <= found.seed < 2**63)


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": "a cat", "seed": 5',
        "{'prompt': 'a cat', 'seed': 5}",
        '[{"prompt": "a cat"}]',
        '[{"prompt": "a cat"',
        "[1, 2]",
        "[" * 4000 + "]" * 4000,
    ],
    ids=lambda text: text[:20],
)
def test_json_that_is_no_object_or_is_cut_off_becomes_no_prompt(text: str) -> None:
    with pytest.raises(InvalidInput, match="are a tool's JSON, but cannot be read"):
        foreign(text)


@pytest.mark.parametrize(
    "text", ["{red|blue} fox", "[red:blue:0.5] fox", '{"red"|"blue"}', "[fox]", "[[fox]]", "null", "42"]
)
def test_a_prompt_with_brackets_stays_a_prompt(text: str) -> None:
    assert foreign(text).prompt == text


def test_a_list_in_the_place_of_a_graph_becomes_no_prompt() -> None:
    with pytest.raises(InvalidInput, match="a tool's JSON, but cannot be read"):
        png_metadata.read(file(chunk(b"tEXt", b"prompt\0[]")))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_prompt(encoding: str) -> None:
    body = b"parameters\0" + ELSEWHERE.encode(encoding)
    assert png_metadata.read(file(chunk(b"tEXt", body))) == foreign(ELSEWHERE)


# Writing.


def test_there_and_back() -> None:
    assert png_metadata.read(png_metadata.write(fakes.png(), SETTINGS)) == SETTINGS


def test_other_tools_find_the_common_text_and_the_pixels_stay() -> None:
    plain = fakes.png(64, 32)
    with Image.open(io.BytesIO(png_metadata.write(plain, SETTINGS))) as image, Image.open(io.BytesIO(plain)) as before:
        assert image.tobytes() == before.tobytes()
        assert image.info["parameters"] == (
            "a red circle, on a white ground\nseen from afar\nNegative prompt: blur: none\n"
            "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 42, Size: 64x32, Model: tiny-image, "
            "Version: Diptych"
        )
        assert json.loads(image.info["diptych"])["seed"] == 42


def test_the_same_recipe_makes_the_same_bytes() -> None:
    assert png_metadata.write(fakes.png(), SETTINGS) == png_metadata.write(fakes.png(), SETTINGS)


def test_a_photograph_comes_back_as_it_is() -> None:
    assert png_metadata.write(b"\xff\xd8\xff rest", SETTINGS) == b"\xff\xd8\xff rest"


@given(st.text(max_size=80), st.text(max_size=40), st.integers(0, 2**63 - 1))
def test_any_prompt_survives(prompt: str, negative: str, seed: int) -> None:
    made = ImageSettings(prompt=prompt, negative_prompt=negative, seed=seed)
    back = png_metadata.read(png_metadata.write(fakes.png(4, 4), made))
    assert (back.prompt, back.negative_prompt) == (clean(prompt), clean(negative))
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


# Settings as extensions, wrappers and other programs leave them (cases from the field).

LINE = "Steps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x64, Model: dreamer"
WHOLE = {"steps": 20, "guidance_scale": 7.0, "size": "64x64", "scheduler": "Euler"}


@pytest.mark.parametrize(
    "settings",
    [
        LINE,
        f"{LINE}\nTemplate: red {{fox|wolf}}, snow\nNegative Template: fog, Steps: 9, Seed: 8, Size: 1x1",
        f"{LINE}\nWildcard prompt: a __colour__ fox",
        LINE.replace(", CFG", ",\nCFG"),
        LINE.replace(", CFG", "\nCFG").replace(", Model", ",\n Model"),
        LINE.replace("Seed:", "ADetailer prompt: a face\nsmiling warmly, Seed:"),
        LINE.replace("Seed:", 'Hires prompt: "a, b: c\nSteps: 1, Seed: 2, Size: 3x3", Seed:'),
        LINE.replace("Seed:", 'Lora hashes: "one: 1a, two: 2b", Seed:'),
        LINE.replace("Seed:", r'Note: "say \"Steps: 3, Seed: 4\", twice", Seed:'),
        f'{LINE}, Civitai resources: [{{"type":"lora","weight":0.5,"Seed":1}}], Hashes: {{"Steps": "9"}}',
        "Seed: 5, Steps: 20, Size: 64x64, CFG scale: 7, Sampler: Euler, Model: dreamer",
        f"  {LINE},  ",
    ],
)
def test_the_settings_are_the_last_line_with_steps_and_what_follows(settings: str) -> None:
    found = infotext.read(f"a fox, red\nin snow\nNegative prompt: fog,\nrain\n{settings}")
    assert (found.prompt, found.negative_prompt) == ("a fox, red\nin snow", "fog,\nrain")
    assert (found.parameters, found.seed, found.model) == (WHOLE, 5, "dreamer")
    assert bool(found.notes) == ("Template" in settings)


@pytest.mark.parametrize(
    "prompt",
    [
        "camera: wide, light: soft, mood: calm, style: noir",
        "a poster\ncamera: wide, light: soft, mood: calm, style: noir",
        "Steps: up, door: red, wall: blue, floor: oak",
        "Steps: 9",
        "a list\nSteps: 3, door: red, wall: blue",
        "Size: huge, colour: red, mood: calm",
        "{not json}",
        "[cat:dog:0.5], (red:1.2)",
    ],
)
def test_a_lone_prompt_that_looks_like_settings_stays_a_prompt(prompt: str) -> None:
    found = infotext.read(prompt)
    assert found == ImageSettings(prompt=prompt)


def test_a_prompt_may_have_a_line_that_looks_like_settings() -> None:
    prompt = "a list\nSteps: 9\nSteps: 3, door: red, wall: blue"
    found = infotext.read(f"{prompt}\nNegative prompt: Steps: 4\n{LINE}")
    assert (found.prompt, found.negative_prompt, found.parameters) == (prompt, "Steps: 4", WHOLE)


def test_a_file_without_a_negative_prompt_says_none() -> None:
    assert infotext.read(f"a fox\n{LINE}").negative_prompt is None
    assert infotext.read(f"a fox\nNegative prompt:\n{LINE}").negative_prompt == ""


def test_a_prompt_that_is_too_long_is_cut_with_a_note() -> None:
    found = infotext.read("x" * 20_005 + f"\n{LINE}")
    assert (len(found.prompt), found.seed) == (20_000, 5)
    assert found.notes == ("The prompt in the file has 20005 characters; it was cut after 20000.",)


@pytest.mark.parametrize("seed", [2**53, 2**53 + 1, 2**63 - 1])
def test_large_seeds_are_read_exactly(seed: int) -> None:
    assert infotext.read(LINE.replace("Seed: 5", f"Seed: {seed}")).seed == seed
    assert png_metadata.read(own(seed=seed)).seed == seed
    assert foreign(json.dumps({"prompt": "x", "seed": seed})).seed == seed
    assert foreign(json.dumps({"prompt": "x", "seed": str(seed)})).seed == seed


# Our own files, for others and for us.


@pytest.mark.parametrize(
    "name", ["a, b", "v1: best", 'the "best"', '"quoted"', 'org/model, v1: "best"', "plain", "a\nb"]
)
def test_a_models_name_is_quoted_as_the_web_ui_does(name: str) -> None:
    """Read by the web UI's own rule: a quoted value is JSON text, any other ends at a comma."""
    text = infotext.write(ImageSettings(prompt="x", seed=1, source=name, parameters={"steps": 3}), (8, 8))
    line = text.split("\n")[-1]
    pairs = dict(re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', line))
    assert set(pairs) == {"Steps", "Seed", "Size", "Model", "Version"}
    value = pairs["Model"]
    assert (json.loads(value) if value[0] == value[-1] == '"' else value) == name
    assert ('"' in value) == ('"' in name or bool(set(name) & set(",:\n")))
    assert infotext.read(text).model == name


@pytest.mark.parametrize("line", ["Steps: 9", "Negative prompt: x", LINE, "Template: y", '{"prompt": "z"}', "Ã© and ä"])
def test_our_own_files_are_read_back_exactly_whatever_the_prompt_says(line: str) -> None:
    made = replace(SETTINGS, prompt=f"a fox\n{line}\nin snow", negative_prompt=line)
    assert png_metadata.read(png_metadata.write(fakes.png(), made)) == made


# Texts by their bytes.


@pytest.mark.parametrize("kind", ["tEXt", "zTXt"])
@pytest.mark.parametrize(
    ("written", "prompt"),
    [
        ("テスト, 猫".encode(), "テスト, 猫"),
        ("🦊 Löwe".encode(), "🦊 Löwe"),
        ("ein Löwe".encode("latin-1"), "ein Löwe"),
        (b"caf\xe9 \xbd", "café ½"),
        (b"plain", "plain"),
    ],
)
def test_bytes_that_are_utf_8_are_read_as_that_and_others_as_latin_1(kind: str, written: bytes, prompt: str) -> None:
    body = b"\0" + zlib.compress(written) if kind == "zTXt" else written
    assert png_metadata.read(file(chunk(kind.encode(), b"parameters\0" + body))).prompt == prompt


LONG = b"x" * 120_000


@pytest.mark.parametrize(
    "other",
    [
        chunk(b"tEXt", b"workflow\0" + LONG),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + LONG),
        chunk(b"tEXt", b"prompt\0" + LONG),
        chunk(b"tEXt", b"Comment\0" + LONG),
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"x" * 30_000_000)),
        chunk(b"zTXt", b"workflow\0\0not packed"),
        chunk(b"tEXt", b"workflow\0x")[:-1] + b"!",
        chunk(b"iTXt", b"workflow\0"),
        chunk(b"tEXt", b""),
        chunk(b"tEXt", b"x" * 200),
    ],
)
def test_only_texts_that_are_asked_for_are_judged(other: bytes) -> None:
    parameters = chunk(b"tEXt", f"parameters\0a fox\n{LINE}".encode())
    for made in (file(other, parameters), file(parameters, other, other), file(chunk(b"IDAT", b""), other, parameters)):
        assert png_metadata.read(made).seed == 5


def test_the_same_text_twice_is_one() -> None:
    parameters = chunk(b"tEXt", f"parameters\0a fox\n{LINE}".encode())
    packed = chunk(b"zTXt", b"parameters\0\0" + zlib.compress(f"a fox\n{LINE}".encode()))
    assert png_metadata.read(file(parameters, parameters)) == png_metadata.read(file(packed, parameters))
    with pytest.raises(InvalidInput, match="twice"):
        png_metadata.read(file(*[parameters] * 21))


PARTS = [
    chunk(b"tEXt", f"parameters\0a fox\n{LINE}".encode()),
    chunk(b"iTXt", b"diptych\0\0\0\0\0" + png_metadata.as_json(SETTINGS).encode()),
    chunk(b"tEXt", b"prompt\0" + json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 4}}}).encode()),
    chunk(b"tEXt", b'invokeai_metadata\0{"positive_prompt": "x", "seed": 3}'),
    chunk(b"tEXt", b'sd-metadata\0{"image": {"prompt": [{"prompt": "x [y]"}], "seed": 3}}'),
    chunk(b"tEXt", b'Dream\0"x [y]" -s 5 -S 6'),
    chunk(b"tEXt", b"Software\0NovelAI"),
    chunk(b"tEXt", b'Comment\0{"uc": "y", "seed": 1}'),
    chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 200_000)),
    chunk(b"tEXt", b"workflow\0" + LONG),
    chunk(b"IDAT", zlib.compress(bytes(200))),
    chunk(b"IEND", b""),
]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_parts_that_are_cut_doubled_reordered_or_changed_give_settings_or_a_sentence(data: st.DataObject) -> None:
    made = b"".join(data.draw(st.lists(st.sampled_from(PARTS), max_size=6)))
    whole = file(made)
    start = data.draw(st.integers(0, len(whole)))
    kept = whole[: data.draw(st.integers(start, len(whole)))] if data.draw(st.booleans()) else whole
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, max(0, len(kept) - 1)))
        kept = kept[:place] + data.draw(st.binary(max_size=9)) + kept[place + data.draw(st.integers(0, 9)) :]
    assert settings_or_sentence(kept)


# Other tools, each in its own words. The texts are written anew, in the tools' shapes.


def graph(**changes: Any) -> dict[str, Any]:
    """ComfyUI's first example: a checkpoint, two texts, a sampler."""
    nodes: dict[str, Any] = {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 2**53 + 1,
                "steps": 12,
                "cfg": 6.5,
                "sampler_name": "euler",
                "positive": ["6", 0],
                "negative": ["7", 0],
                "model": ["4", 0],
                "latent_image": ["5", 0],
            },
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dreamer.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red fox", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["4", 1]}},
    }
    return nodes | changes


def comfy(nodes: object) -> bytes:
    return file(chunk(b"tEXt", b"prompt\0" + json.dumps(nodes).encode()), chunk(b"tEXt", b"workflow\0{}" + LONG))


FOOOCUS = {
    "prompt": "a smiling goldfish",
    "negative_prompt": "",
    "seed": "6952411511246973023",
    "steps": 30,
    "guidance_scale": 4.0,
    "resolution": "(1152, 896)",
    "sampler": "dpmpp_2m_sde_gpu",
    "base_model": "juggernaut",
    "version": "Fooocus v2.5",
}
SWARM = {
    "sui_image_params": {
        "prompt": "a cat",
        "negativeprompt": "a dog",
        "model": "sd_xl",
        "seed": 7,
        "steps": 20,
        "cfgscale": 7.0,
        "width": 1024,
        "height": 768,
    },
    "sui_extra_data": {"date": "today"},
}
INVOKE = {
    "positive_prompt": "a boat",
    "negative_prompt": "rain",
    "seed": 11,
    "steps": 25,
    "cfg_scale": 7.5,
    "width": 512,
    "height": 640,
    "scheduler": "euler",
    "model": {"model_name": "sd-1", "base_model": "sd-1"},
}
OLD_INVOKE = {
    "model_weights": "stable-diffusion-1.4",
    "image": {"prompt": [{"prompt": "a boat [rain]", "weight": 1}], "steps": 50, "cfg_scale": 7.5, "seed": 12},
}
NOVEL = {"steps": 28, "sampler": "k_euler", "seed": 13, "scale": 11.0, "uc": "lowres", "strength": 0.7}
NOVELAI = (
    chunk(b"tEXt", b"Title\0AI generated image"),
    chunk(b"tEXt", b"Description\0a knight"),
    chunk(b"tEXt", b"Software\0NovelAI"),
    chunk(b"tEXt", b"Source\0Stable Diffusion 1D44365E"),
    chunk(b"tEXt", b"Comment\0" + json.dumps(NOVEL).encode()),
)
EASY = [(b"prompt", b"a hut"), (b"negative_prompt", b"fog"), (b"seed", b"14"), (b"num_inference_steps", b"9")]


def as_text(keyword: bytes, value: object) -> bytes:
    return file(chunk(b"tEXt", keyword + b"\0" + (value if isinstance(value, bytes) else json.dumps(value).encode())))


@pytest.mark.parametrize(
    ("data", "prompt", "negative", "seed", "steps"),
    [
        (as_text(b"parameters", FOOOCUS), "a smiling goldfish", "", 6952411511246973023, 30),
        (as_text(b"parameters", SWARM), "a cat", "a dog", 7, 20),
        (as_text(b"invokeai_metadata", INVOKE), "a boat", "rain", 11, 25),
        (as_text(b"sd-metadata", OLD_INVOKE), "a boat", "rain", 12, 50),
        (as_text(b"Dream", b'"a boat [rain, fog], \\"blue\\"" -s 40 -S 15 -W 512 -H 512 -C 7.5 -A k_lms'),
         'a boat, "blue"', "rain, fog", 15, 40),
        (file(*NOVELAI), "a knight", "lowres", 13, 28),
        (file(*(chunk(b"tEXt", name + b"\0" + value) for name, value in EASY)), "a hut", "fog", 14, 9),
        (comfy(graph()), "a red fox", "fog", 2**53 + 1, 12),
    ],
)  # fmt: skip
def test_other_tools_are_read(data: bytes, prompt: str, negative: str, seed: int, steps: int) -> None:
    found = png_metadata.read(data)
    assert (found.prompt, found.negative_prompt, found.seed) == (prompt, negative, seed)
    assert found.parameters["steps"] == steps


def test_more_than_the_prompt_is_read_where_a_tool_says_it() -> None:
    assert foreign(json.dumps(FOOOCUS)).parameters["size"] == "1152x896"
    swarm = foreign(json.dumps(SWARM))
    assert (swarm.parameters["size"], swarm.parameters["guidance_scale"], swarm.model) == ("1024x768", 7.0, "sd_xl")
    assert png_metadata.read(as_text(b"invokeai_metadata", INVOKE)).model == "sd-1"
    assert png_metadata.read(comfy(graph())).model == "dreamer.safetensors"


def sampler(**inputs: Any) -> dict[str, Any]:
    return {"class_type": "KSampler", "inputs": graph()["3"]["inputs"] | inputs}


TWO = {"class_type": "CLIPTextEncode", "inputs": {"text": "a blue fox", "clip": ["4", 1]}}


@pytest.mark.parametrize(
    ("changes", "prompt", "negative", "seed"),
    [
        ({"8": {"class_type": "PrimitiveString", "inputs": {"value": "a fox"}},
          "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0]}}}, "a fox", "fog", 2**53 + 1),
        ({"8": {"class_type": "Seed", "inputs": {"seed": 9}}, "3": sampler(seed=["8", 0])}, "a red fox", "fog", 9),
        ({"8": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}},
          "3": sampler(negative=["8", 0])}, "a red fox", None, 2**53 + 1),
        ({"8": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}},
          "3": sampler(positive=["8", 0], negative=["8", 1])}, "a red fox", "fog", 2**53 + 1),
        ({"9": TWO, "8": {"class_type": "ConditioningCombine",
                          "inputs": {"conditioning_1": ["6", 0], "conditioning_2": ["9", 0]}},
          "3": sampler(positive=["8", 0])}, "", "fog", 2**53 + 1),
        ({"8": sampler(seed=3)}, "a red fox", "fog", None),
        ({"3": {"class_type": "SamplerCustomAdvanced",
                "inputs": {"noise": ["8", 0], "guider": ["9", 0], "sigmas": ["10", 0]}},
          "8": {"class_type": "RandomNoise", "inputs": {"noise_seed": 4}},
          "9": {"class_type": "BasicGuider", "inputs": {"conditioning": ["6", 0]}},
          "10": {"class_type": "BasicScheduler", "inputs": {"steps": 12}}}, "a red fox", None, 4),
        ({"7": {"class_type": "CLIPTextEncode", "inputs": {"text": ["7", 0], "conditioning": ["7", 0]}}},
         "a red fox", None, 2**53 + 1),
        ({"6": {"class_type": "CLIPTextEncodeSDXL", "inputs": {"text_g": "a fox", "text_l": "a fox"}}},
         "a fox", "fog", 2**53 + 1),
    ],
    ids=["linked text", "linked seed", "nothing", "both sides", "two texts", "two seeds", "custom", "circle", "xl"],
)  # fmt: skip
def test_of_a_workflow_is_read_what_is_meant_beyond_doubt(
    changes: dict[str, Any], prompt: str, negative: str | None, seed: int | None
) -> None:
    found = png_metadata.read(comfy(graph(**changes)))
    assert (found.prompt, found.negative_prompt, found.seed) == (prompt, negative, seed)
    assert bool(found.notes) == (not prompt or seed is None)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (as_text(b"workflow", {"nodes": []}), "ComfyUI's, of a kind that is not read here"),
        (comfy({}), "The file is ComfyUI's"),
        (comfy({"1": {"class_type": "LoadImage", "inputs": {}}}), "The file is ComfyUI's"),
        (comfy({"1": 5, "2": {"class_type": "KSampler", "inputs": []}}), "The file is ComfyUI's"),
        (as_text(b"prompt", b'{"1": '), "cannot be read"),
        (as_text(b"invokeai_metadata", b"[]"), "InvokeAI's"),
        (as_text(b"invokeai_metadata", {}), "not read here"),
        (as_text(b"invokeai_workflow", {}), "InvokeAI's"),
        (as_text(b"sd-metadata", {"image": 3}), "not read here"),
        (as_text(b"Dream", b"no quotes"), "InvokeAI's"),
        (as_text(b"parameters", {"some": "json"}), "not read here"),
        (as_text(b"parameters", {"prompt": 3}), "not read here"),
        (as_text(b"parameters", b'{"prompt": "' + b"x" * 100_000 + b'"}'), "over 100 kB"),
        (file(NOVELAI[2]), "not read here"),
    ],
)
def test_what_is_not_read_says_whose_it_is(data: bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        png_metadata.read(data)


@given(
    st.dictionaries(
        st.sampled_from([*FOOOCUS, *INVOKE, "image", "3", "6", "inputs", "class_type", "sui_image_params", "uc"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda some: (
                st.lists(some, max_size=3)
                | st.dictionaries(st.sampled_from(["inputs", "class_type", "positive", "guider", "prompt"]), some)
            ),
            max_leaves=8,
        ),
    ),
    st.sampled_from([b"parameters", b"invokeai_metadata", b"sd-metadata", b"prompt", b"diptych"]),
)
def test_any_json_is_settings_or_a_sentence(table: dict[str, Any], keyword: bytes) -> None:
    assert settings_or_sentence(as_text(keyword, table))


# JPEG and WebP.


def photograph(kind: str, comment: object, **tags: str) -> bytes:
    exif = Image.Exif()
    if comment is not None:
        exif.get_ifd(0x8769)[0x9286] = comment
    for tag, value in tags.items():
        exif[int(tag[1:], 16)] = value
    made = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(made, kind, exif=exif)
    return made.getvalue()


PLAIN = f"a fox, 猫\nNegative prompt: fog\n{LINE}"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + PLAIN.encode("utf-16-be"),
        b"UNICODE\0" + PLAIN.encode("utf-16-le"),
        b"UNICODE\0" + PLAIN.encode("utf-16"),
        b"ASCII\0\0\0" + PLAIN.encode(),
        b"\0" * 8 + PLAIN.encode(),
        PLAIN.encode(),
    ],
    ids=["big", "little", "mark", "ascii", "undefined", "bare"],
)
def test_the_comment_of_a_photograph_is_read(kind: str, comment: bytes) -> None:
    found = png_metadata.read(photograph(kind, comment))
    assert (found.prompt, found.negative_prompt, found.seed) == ("a fox, 猫", "fog", 5)
    assert found.parameters == WHOLE


def test_json_and_graphs_in_a_photograph_are_read_too() -> None:
    comment = b"UNICODE\0" + json.dumps(SWARM).encode("utf-16-be")
    assert png_metadata.read(photograph("JPEG", comment)).prompt == "a cat"
    told = {"x0110": "prompt:" + json.dumps(graph()), "x010f": "workflow:{}"}
    assert png_metadata.read(photograph("WEBP", None, **told)).prompt == "a red fox"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_photograph_without_settings_says_so(kind: str) -> None:
    for data in (
        photograph(kind, None),
        photograph(kind, b"ASCII\0\0\0  "),
        photograph(kind, None, x0110="A camera"),
        photograph(kind, b"At the sea, 3: 4"),
    ):
        with pytest.raises(InvalidInput, match="holds no settings"):
            png_metadata.read(data)


@settings(deadline=None)
@given(st.data(), st.sampled_from(["JPEG", "WEBP"]))
def test_a_photograph_that_is_cut_or_changed_gives_settings_or_a_sentence(data: st.DataObject, kind: str) -> None:
    whole = photograph(kind, b"UNICODE\0" + PLAIN.encode("utf-16-be"))
    place = data.draw(st.integers(0, len(whole)))
    made = whole[:place] + data.draw(st.binary(max_size=9)) + whole[place + data.draw(st.integers(0, len(whole))) :]
    assert settings_or_sentence(made)


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
        (png_metadata.write(fakes.png(), SETTINGS)[:-20], "cut off"),
        (png_metadata.write(fakes.png(), SETTINGS)[:60], "cut off"),
        (file(struct.pack(">I4s", 2**32 - 1, b"tEXt")), "cut off"),
        (file(chunk(b"zTXt", b"parameters\0\0" + BOMB)), "unpacks to over 100 kB"),
        (file(chunk(b"iTXt", b"diptych\0\1\0\0\0" + BOMB)), "unpacks to over 100 kB"),
        (file(chunk(b"tEXt", b"parameters\0" + b"x" * 100_001)), "over 100 kB"),
        (file(chunk(b"zTXt", b"parameters\0\0not packed")), "text cannot be read"),
        (file(chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 99)[:-6])), "text cannot be read"),
        (file(chunk(b"iTXt", b"parameters\0")), "text cannot be read"),
        (file(chunk(b"iTXt", b"parameters\0\0\0\0\0\xff\xfe")), "text cannot be read"),
        (file(chunk(b"tEXt", b"parameters\0x")[:-1] + b"!"), "text cannot be read"),
        (file(chunk(b"tEXt", b"parameters\0x"), chunk(b"tEXt", b"parameters\0y")), "'parameters' twice"),
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
    text = png_metadata.as_json(SETTINGS).replace("7.5", "1e999")
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
    assert found.parameters == {"steps": 50, "guidance_scale": 1.0}
    assert len(found.notes) == 2


def test_a_model_without_a_negative_prompt_says_so(painters: None) -> None:
    found = fitting.fit(ImageSettings(negative_prompt="fog", model="sketcher"), "painter")
    assert found.parameters == {}
    assert found.notes == ("Sketcher takes no negative prompt; it is left out.",)
