"""What local providers share: plain provenance, failures that are one request's own, files that are read or refused."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum, StrEnum
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.device import Device
from core.errors import InvalidInput, ModelRefused
from core.providers.local.failures import one_by_one
from core.providers.local.files import load
from core.providers.local.gumbel_noise import GumbelNoise
from core.providers.local.provenance import plain, provenance
from core.settings import Settings
from core.types import Event, Failed, Finished, Message, Output, Progress, Request
from tests.support import tiny_models

HERE = Device("cpu", "float32", 1, "a test")
PLAIN = (str, int, float, bool, type(None), list, dict)


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    TWO = 2


def types_in(value: object) -> set[type]:
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    keys = {type(key) for key in value} if isinstance(value, dict) else set()
    return {type(value)} | keys | {kind for entry in inner for kind in types_in(entry)}


@pytest.mark.parametrize(
    "value",
    [
        torch.__version__,
        Colour.RED,
        Number.TWO,
        numpy.float64(1.5),
        (1, (torch.__version__, None)),
        {Colour.RED: torch.__version__, "list": [True, 2.5, {"x": ()}]},
    ],
)
def test_a_plain_value_has_no_type_but_jsons(value: object) -> None:
    assert types_in(plain(value)) <= set(PLAIN)
    assert json.loads(json.dumps(plain(value))) == json.loads(json.dumps(value))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda some: st.lists(some)))
def test_what_is_plain_stays_as_it_is(value: object) -> None:
    assert plain(value) == value


@pytest.mark.parametrize("value", [torch.float32, torch.zeros(1), Path("/"), b"x", {1: 2}, {"a": {3}}, numpy.int64(3)])
def test_what_has_no_plain_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="plain"):
        plain(value)


@pytest.mark.parametrize("value", [math.nan, [math.inf]])
def test_a_number_that_json_has_not_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="finite"):
        plain(value)


def test_whoever_reads_a_provenance_imports_no_torch() -> None:
    spec = tiny_models.row(Path("tiny"))
    fields = provenance(spec, HERE, {"torch": torch.__version__}, batch_size=3, processor="AVX2")
    assert types_in(fields) <= set(PLAIN)
    assert b"torch_version" in pickle.dumps(torch.__version__)
    assert b"torch_version" not in pickle.dumps(fields)
    assert fields["versions"]["torch"] == str(torch.__version__)  # type: ignore[index, call-overload]
    assert (fields["batch_size"], fields["processor"], fields["source"]) == (3, "AVX2", "tiny")


def test_a_failure_ends_its_own_request_and_quotes_no_prompt() -> None:
    requests = [Request(messages=(Message("user", text),), parameters={}, seed=0) for text in ("secret", "bad", "good")]

    def answer(index: int, request: Request) -> Iterator[Event]:
        yield Progress(index, 0, 1)
        if index == 0:
            raise KeyError("secret")
        if index == 1:
            raise InvalidInput("Write something else.")
        yield Finished(index, Output(text="", finish="stop", prompt_tokens=0, output_tokens=0, seconds=0))

    events = [event for event in one_by_one(requests, answer) if not isinstance(event, Progress)]
    assert events[0] == Failed(0, "The model failed (KeyError). Try other settings or another model.")
    assert events[1] == Failed(1, "Write something else.", "InvalidInput")
    assert isinstance(events[2], Finished)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "does not fit into this machine's memory"),
        (ValueError("odd"), r"cannot be read \(ValueError\). Delete the folder"),
        (ModelRefused("It is another kind."), "It is another kind."),
    ],
)
def test_files_that_cannot_be_read_are_refused(error: Exception, sentence: str, tmp_path: Path) -> None:
    settings, spec = folder_of(tmp_path, "{}")

    def read(*args: object) -> None:
        raise error

    with pytest.raises(ModelRefused, match=sentence):
        load(spec, settings, lambda progress: None, read)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_files_that_bring_code_are_refused_before_they_are_read(name: str, tmp_path: Path) -> None:
    settings, spec = folder_of(tmp_path, "{}")
    (tmp_path / "tiny" / name).write_text('{"auto_map": {"AutoModel": "evil.Model"}}')
    with pytest.raises(ModelRefused, match="brings code of its own"):
        load(spec, settings, lambda progress: None, lambda *args: pytest.fail("it was read"))


def folder_of(models: Path, config: str):  # type: ignore[no-untyped-def]
    folder = models / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(config)
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).write_bytes(b"")
    return Settings(data=models / "data", models=models, offline=True), replace(tiny_models.row(folder))


@pytest.mark.parametrize("seed", [0, 2**53 + 1, 2**63 - 1])
def test_a_seed_of_any_size_has_noise_of_its_own(seed: int) -> None:
    noise = GumbelNoise(seed).draw(4, 50)
    assert (noise.shape, noise.dtype) == ((4, 50), torch.float64)
    assert torch.equal(noise, GumbelNoise(seed).draw(4, 50))
    assert not torch.equal(noise, GumbelNoise(seed ^ 1).draw(4, 50))
    assert torch.equal(noise.reshape(-1), GumbelNoise(seed).draw(200)), "the stream does not depend on the shape"


def test_the_noise_is_gumbels() -> None:
    """Its mean is Euler's constant and its variance pi squared by six; 100000 numbers, five standard errors."""
    noise = GumbelNoise(5).draw(100_000)
    assert float(noise.mean()) == pytest.approx(0.5772, abs=5 * 1.2826 / 316)
    assert float(noise.var()) == pytest.approx(math.pi**2 / 6, rel=0.05)
