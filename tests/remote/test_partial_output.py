"""Answers on their way: read piece by piece, stopped at any moment, counted and priced honestly."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from queue import Empty

import pytest

from core.catalog import spec
from core.catalog.prices import TABLE, cost, price
from core.catalog.servers import SERVERS
from core.remote.cancellable import Cancellable
from core.remote.partial_output import PartialOutput, accepted, unused_note
from core.settings import Settings, settings
from core.types import Value
from tests.support.fakes import PATIENCE, until


class Stream:
    """Pieces for a Cancellable: the first `ready` come at once, then nothing until it is hung up."""

    def __init__(self, ready: int = 0, whole: bool = False, error: BaseException | None = None) -> None:
        self.opened, self.read, self.hung_up = threading.Event(), threading.Event(), threading.Event()
        self.over = threading.Event()
        self.hang_ups = 0
        self._ready, self._whole, self._error = ready, whole, error

    def __call__(self) -> Iterator[int]:
        self.opened.set()
        try:
            yield from range(self._ready)
            self.read.set()
            if self._error:
                raise self._error
            if not self._whole:
                assert self.hung_up.wait(PATIENCE)
                raise OSError("hung up")
        finally:
            self.over.set()

    def hang_up(self) -> None:
        self.hang_ups += 1
        self.hung_up.set()


def never() -> bool:
    return False


def test_pieces_come_in_order_and_nobody_hangs_up() -> None:
    stream = Stream(5, whole=True)
    watched = Cancellable(stream, never, stream.hang_up)
    assert list(watched) == [0, 1, 2, 3, 4]
    assert (watched.cancelled, stream.hang_ups) == (False, 0)


def test_an_empty_stream_is_an_empty_answer() -> None:
    stream = Stream(whole=True)
    assert list(Cancellable(stream, never, stream.hang_up)) == []
    assert stream.hang_ups == 0


@pytest.mark.parametrize("error", [ValueError("x"), Empty(), KeyboardInterrupt(), StopAsyncIteration(), MemoryError()])
def test_what_the_stream_raises_is_raised_after_its_pieces(error: BaseException) -> None:
    """The line is left alone: what was refused may be asked again on it."""
    stream = Stream(2, error=error)
    pieces = iter(Cancellable(stream, never, stream.hang_up))
    assert [next(pieces), next(pieces)] == [0, 1]
    with pytest.raises(type(error)) as caught:
        next(pieces)
    assert caught.value is error
    assert stream.hang_ups == 0


def test_a_stream_that_cannot_be_opened() -> None:
    def closed() -> Iterator[int]:
        raise OSError("refused")

    with pytest.raises(OSError, match="refused"):
        list(Cancellable(closed, never, lambda: None))


def test_who_has_stopped_before_asks_nothing() -> None:
    stream = Stream(3)
    watched = Cancellable(stream, lambda: True, stream.hang_up)
    assert list(watched) == []
    assert watched.cancelled
    assert not stream.opened.is_set()


def test_stopping_while_the_first_piece_is_awaited() -> None:
    stream = Stream()
    watched = Cancellable(stream, stream.read.is_set, stream.hang_up)
    assert list(watched) == []
    assert (watched.cancelled, stream.hang_ups) == (True, 1)
    assert stream.over.wait(PATIENCE), "the reading thread was not woken"


def test_stopping_between_pieces_keeps_what_came() -> None:
    stream = Stream(1_000)
    seen: list[int] = []
    watched = Cancellable(stream, lambda: len(seen) >= 3, stream.hang_up)
    for piece in watched:
        seen.append(piece)
    assert seen == [0, 1, 2]
    assert watched.cancelled
    assert stream.over.wait(PATIENCE)


def test_stopping_while_the_next_piece_is_awaited() -> None:
    stream, stop = Stream(2), threading.Event()
    seen: list[int] = []
    watched = Cancellable(stream, stop.is_set, stream.hang_up)
    reader = threading.Thread(target=lambda: seen.extend(watched))
    reader.start()
    assert stream.read.wait(PATIENCE)
    stop.set()
    reader.join(1.0)
    assert not reader.is_alive()
    assert watched.cancelled
    assert seen == [0, 1][: len(seen)]
    assert stream.over.wait(PATIENCE)


def test_who_stops_reading_hangs_up() -> None:
    stream = Stream(3)
    pieces = iter(Cancellable(stream, never, stream.hang_up))
    assert next(pieces) == 0
    pieces.close()  # type: ignore[attr-defined]
    assert stream.hang_ups == 1
    assert stream.over.wait(PATIENCE)


def test_who_fails_while_reading_hangs_up() -> None:
    stream = Stream(3)
    with pytest.raises(ZeroDivisionError):
        sum(1 // piece for piece in Cancellable(stream, never, stream.hang_up))
    until(lambda: stream.hang_ups == 1)


# --- replies

MODEL = spec("anthropic:claude-haiku-4-5")


@pytest.fixture
def chosen(tmp_path: Path) -> Callable[..., Settings]:
    return lambda **changes: replace(settings({"DIPTYCH_DATA": str(tmp_path)}), **changes)


def test_a_reply_adds_up(chosen: Callable[..., Settings]) -> None:
    reply = PartialOutput(
        prompt_tokens=2_000_000, output_tokens=1_000_000, thought_tokens=400, model_version="haiku-4.5"
    )
    for text in ("Hel", "", "lo"):
        reply.add(text)
    found = reply.output(MODEL, chosen(), {"host": "h"})
    assert (found.text, found.finish, found.thought_tokens) == ("Hello", "stop", 400)
    assert (found.prompt_tokens, found.output_tokens) == (2_000_000, 1_000_000)
    assert found.cost == pytest.approx(2 * 1.0 + 1 * 5.0)
    assert found.provenance == {"source": "claude-haiku-4-5", "model_version": "haiku-4.5", "host": "h"}
    assert found.first_token_seconds is not None
    assert 0 <= found.first_token_seconds <= found.seconds
    assert not found.notes


@pytest.mark.parametrize(("prompt", "output"), [(None, None), (10, None), (None, 10)])
def test_unknown_usage_is_not_priced(prompt: int | None, output: int | None, chosen: Callable[..., Settings]) -> None:
    reply = PartialOutput(prompt_tokens=prompt, output_tokens=output)
    reply.add("a")
    reply.add("b")
    found = reply.output(MODEL, chosen(prices={MODEL.id: (1.0, 1.0)}), {})
    assert found.cost is None
    assert found.output_tokens == (2 if output is None else output)
    assert [note for note in found.notes if "pieces are counted" in note] == list(found.notes)
    assert bool(found.notes) == (output is None)


def test_nothing_came(chosen: Callable[..., Settings]) -> None:
    found = PartialOutput(finish="cancelled").output(MODEL, chosen(), {})
    assert (found.text, found.output_tokens, found.first_token_seconds, found.notes) == ("", 0, None, ())
    assert found.cost is None


def test_a_note_is_said_once(chosen: Callable[..., Settings]) -> None:
    reply = PartialOutput(prompt_tokens=1, output_tokens=1)
    for sentence in ("one", "two", "one"):
        reply.note(sentence)
    assert reply.output(MODEL, chosen(), {}).notes == ("one", "two")
    assert reply.output(MODEL, chosen(), {}).notes == ("one", "two")


def test_replies_share_nothing() -> None:
    one, other = PartialOutput(), PartialOutput()
    one.note("mine")
    one.images.append(b"x")
    assert (other.notes, other.images, other.tokens) == ([], [], [])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["top_k"], "top_k was not used by this model"),
        (["min_p", "top_k"], "min_p and top_k were not used by this model"),
        (["a", "b", "c"], "a, b and c were not used by this model"),
    ],
)
def test_unused_parameters_are_named(names: list[str], said: str) -> None:
    assert unused_note(names) == said


ALL: dict[str, Value] = {
    "max_new_tokens": 64,
    "temperature": 0.0,
    "top_p": 0.9,
    "top_k": 40,
    "min_p": 0.1,
    "repetition_penalty": 1.2,
    "stop": ("\n",),
    "thinking": "low",
    "json_schema": '{"type": "object"}',
}


def test_what_a_model_takes_is_asked_and_the_rest_named() -> None:
    asked, left_out = accepted(ALL, spec("openai:gpt-6-luna"))
    assert set(asked) == {"max_new_tokens", "thinking", "json_schema"}
    assert left_out == ["min_p", "repetition_penalty", "stop", "temperature", "top_k", "top_p"]


def test_what_a_model_takes_and_ignores_is_named_too() -> None:
    asked, left_out = accepted(ALL, spec("gemini:gemini-4-hydrogen"))
    assert set(asked) == {"max_new_tokens", "stop", "thinking", "json_schema"}
    assert left_out == ["min_p", "repetition_penalty", "temperature", "top_k", "top_p"]


def test_neutral_values_are_not_worth_a_word() -> None:
    neutral: dict[str, Value] = {
        "top_k": 0,
        "top_p": 1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "stop": (),
        "thinking": "default",
        "json_schema": " \n",
        "temperature": None,
    }
    assert accepted(neutral, spec("openai:gpt-4.1-mini")) == ({}, [])


def test_a_temperature_of_nought_asks_for_something() -> None:
    assert accepted({"temperature": 0.0}, spec("openai:gpt-4.1-mini")) == ({"temperature": 0.0}, [])
    assert accepted({"temperature": 0.0}, spec("openai:gpt-6-luna")) == ({}, ["temperature"])


# --- prices


def test_every_row_is_a_price_with_its_source() -> None:
    for row in TABLE:
        assert 0 < row.input <= row.output <= 100
        assert row.source
        assert date(2026, 1, 1) <= date.fromisoformat(row.day) <= date.fromisoformat(row.until)
        assert row.pattern.split(":")[0] in {server.id for server in SERVERS}


def test_no_model_has_two_prices_on_one_day() -> None:
    """Rows of one pattern follow one another in time; no other pattern fits the same model."""
    for model in (f"{server.id}:{name}" for server in SERVERS for name in server.models):
        assert len({row.pattern for row in TABLE if re.fullmatch(row.pattern, model)}) <= 1, model
    for one, other in pairwise(TABLE):
        assert one.pattern != other.pattern or one.until < other.until


@pytest.mark.parametrize(
    ("model", "day", "found"),
    [
        ("gemini:gemini-4-argon", date(2026, 11, 30), (2.0, 10.0)),
        ("gemini:gemini-4-argon", date(2026, 12, 1), (4.0, 20.0)),
        ("gemini:gemini-3.8-flash", date(2026, 12, 31), (0.75, 3.75)),
        ("gemini:gemini-3.8-flash", date(2027, 1, 1), (1.5, 7.5)),
        ("gemini:gemini-3.5-flash", None, (1.5, 9.0)),
        ("gemini:gemini-3.5-flash-lite", None, (0.3, 2.5)),
        ("openai:gpt-6-luna", None, (0.1, 0.5)),
        ("openai:gpt-4o", None, (2.5, 10.0)),
        ("openai:gpt-4o-mini", None, (0.15, 0.6)),
        ("anthropic:claude-haiku-4-5-20251001", None, (1.0, 5.0)),
        ("anthropic:claude-haiku-5-5", None, (0.1, 0.5)),
        ("groq:openai/gpt-oss-120b", None, (0.15, 0.6)),
    ],
)
def test_list_prices(model: str, day: date | None, found: tuple[float, float]) -> None:
    assert price(model, {}, day) == found


@pytest.mark.parametrize(
    "model",
    [
        "openai:gpt-6-luna-pro",
        "openrouter:openai/gpt-6-luna",
        "xopenai:gpt-4o",
        "openai:gpt-4oo",
        "openai:gpt-4x1",
        "gemini:gemini-3x8-flash",
        "gemini:gemini-flash-latest",
        "custom:gpt-4o@https://host.example/v1",
        "tiny-text",
        "",
    ],
)
def test_what_is_not_known_has_no_price(model: str) -> None:
    assert price(model, {}) is None


def test_the_deployments_prices_win() -> None:
    own = {"openai:gpt-6-luna": (7.0, 8.0), "custom:m@https://host.example": (1.0, 0.0)}
    assert price("openai:gpt-6-luna", own) == (7.0, 8.0)
    assert cost(spec("custom:m@https://host.example"), 500_000, 10, own) == pytest.approx(0.5)


def test_a_server_on_this_machine_costs_nothing() -> None:
    assert cost(spec("ollama:llama3.2"), 1_000, 1_000, {}) == 0
    assert cost(spec("ollama:llama3.2"), 1_000_000, 0, {"ollama:llama3.2": (3.0, 0.0)}) == 3.0
    assert cost(spec("custom:m@http://localhost:8000/v1"), 1_000, 1_000, {}) is None
    assert cost(spec("openrouter:some/model"), 1_000, 1_000, {}) is None
