"""Only plain values and the house's own cross between the worker and the server, by type."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import CATALOG
from core.settings import Secret, Settings
from core.types import Finished, Message, Output, Request, Token
from core.worker.messages import Event, Generate, Open, Opened, Stop
from core.worker.wire import pack, unpack

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(max_size=50),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


def finished(**provenance: object) -> Event:
    """A worker's last word on an answer."""
    output = Output(text="é", finish="stop", prompt_tokens=1, output_tokens=2, seconds=0.5, provenance=provenance)
    return Event(1, Finished(0, output))


@given(plain)
def test_plain_values_cross_as_they_are(value: object) -> None:
    assert unpack(pack(finished(value=value))) == finished(value=value)


@pytest.mark.parametrize("spec", CATALOG, ids=lambda spec: spec.id)
def test_every_model_and_a_request_cross(spec: object) -> None:
    request = Request(messages=(Message("user", "a", (b"png",)),), parameters={"stop": ("x",)}, seed=2**63 - 1)
    for order in (Open(1, spec), Generate(2, spec, (request,)), Stop(2), Opened(1, 16)):  # type: ignore[arg-type]
        assert unpack(pack(order)) == order


def test_settings_cross_without_keys(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, prices={"m": (1.0, 2.0)})
    assert unpack(pack(settings)) == settings
    with pytest.raises(TypeError):
        pack(Settings(data=tmp_path, secrets={"openai": Secret("sk-secret")}))


class Text(str):
    """Looks like text, as torch.__version__ does."""


class Number(float):
    pass


@dataclass
class Stranger:
    x: int = 1


@pytest.mark.parametrize(
    "value",
    [
        *(Text("2.13"), Number(1.0), numpy.float32(1.0), numpy.int64(1), numpy.zeros(2), Stranger(), OrderedDict(a=1)),
        *(Decimal(1), len, os.system, Stranger, Exception("private"), object(), range(3), 1j, lambda: None),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [{"a": (v,)}], lambda v: {"x": [v]}])
def test_a_value_of_another_type_is_refused_by_its_sender(value: object, wrap: object) -> None:
    with pytest.raises(TypeError) as refused:
        pack(finished(versions=wrap(value)))  # type: ignore[operator]
    assert "private" not in str(refused.value)


def test_a_token_of_a_librarys_number_is_refused() -> None:
    output = finished().event.output  # type: ignore[union-attr]
    with pytest.raises(TypeError, match="numpy"):
        pack(Event(1, Finished(0, replace(output, tokens=(Token("a", numpy.float64(-1)),)))))


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("echo harmful > harmful",)


@pytest.mark.parametrize(
    "value",
    [Harmful(), numpy.float32(1.0), Text("a"), OrderedDict(a=1), Path, Decimal(1), os.getcwd, Stranger()],
    ids=lambda value: type(value).__name__,
)
def test_what_names_another_type_is_refused_by_its_receiver(
    value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        unpack(pickle.dumps({"a": value}))
    assert not list(tmp_path.iterdir())


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with suppress(pickle.UnpicklingError):
        unpack(data)


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_damaged_message_is_refused(cut: int) -> None:
    whole = pack(finished(versions={"torch": "2.13"}))
    with pytest.raises(pickle.UnpicklingError):
        unpack(whole[: min(cut, len(whole) - 1)])
