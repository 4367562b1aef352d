"""Streams of chat completions as servers really send them, read without a network: every form of them, cut, doubled,
reordered and oversized parts. Whatever comes, the end is an answer or one of our own errors, and no text is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import spec
from core.catalog.servers import server
from core.errors import Blocked, DiptychError, RemoteError, Unreachable
from core.providers.openai_compatible.errors import error_from
from core.providers.openai_compatible.response import Response
from core.providers.openai_compatible.stream import chunks_in, whole
from core.remote.address import anywhere
from core.remote.endpoint import Endpoint
from core.settings import Secret, Settings
from core.types import Output
from tests.support.fake_openai import DONE, chunk, delta, event, usage

VLLM = server("vllm")
KEY = "quite-private-0123456789"
ENDPOINT = Endpoint(VLLM, VLLM.base_url, Secret(KEY), anywhere)
SETTINGS = Settings(data=Path("unused"))
STOP = event(chunk(finish="stop"))


def read(parts: Iterable[bytes], *, document: bool = False) -> Output:
    """The answer in these bytes; raises what the provider would show for them."""
    response = Response(ENDPOINT)
    shown: list[str] = []
    try:
        for value in whole(b"".join(parts)) if document else chunks_in(parts):
            shown.append(response.read(value))
        shown.append(response.rest())
        response.finish()
    except Exception as error:
        raise error_from(error, ENDPOINT, "a-model", begun=response.begun) from None
    output = response.output.output(spec("vllm:a-model"), SETTINGS, {})
    assert "".join(shown) == output.text
    return output


def says(*parts: bytes) -> str:
    return read(parts).text


# --- the form of the stream


def other_choice(text: str | None = None, finish: str | None = None) -> bytes:
    """A chunk of a second answer, which was not asked for."""
    value = chunk(text, finish)
    value["choices"][0]["index"] = 1
    return event(value)


HELLO, WORLD = event(chunk("Hello")), event(chunk(" world."))
PLAIN = (HELLO, WORLD, STOP, event(usage()), DONE)

FORMS: dict[str, tuple[bytes, ...]] = {
    "plain": PLAIN,
    "a byte order mark": (b"\xef\xbb\xbf", *PLAIN),
    "retry first": (b"retry: 3000\n\n", *PLAIN),
    "retry and no blank line": (b"retry: 3000\n", *PLAIN),
    "ids": tuple(b"id: %d\n" % number + part for number, part in enumerate(PLAIN)),
    "ids alone": (b"id: 1\n\n", HELLO, b"id: 2\n\n", WORLD, b"id\n\n", STOP, DONE),
    "comments": (b": OPENROUTER PROCESSING\n\n", HELLO, b":\n\n: more\n", WORLD, STOP, b": bye\n\n", DONE),
    "fields in capitals": tuple(part.replace(b"data:", b"Data:") for part in PLAIN),
    "the last word in small letters": (HELLO, WORLD, STOP, b"data: [done]\n\n"),
    "the last word in quotes": (HELLO, WORLD, STOP, b'data: "[DONE]"\n\n'),
    "chunks in a list": (event([chunk("Hello"), chunk(" world.")]), STOP, DONE),
    "a list of parts": (event(delta(content=[{"type": "text", "text": "Hello"}, {"text": " world."}])), STOP, DONE),
    "content in an object": (event(delta(content={"type": "text", "text": "Hello"})), WORLD, STOP, DONE),
    "another choice beside ours": (HELLO, other_choice("Goodbye"), WORLD, other_choice(finish="length"), STOP, DONE),
    "empty data": (b"data:\n\n", HELLO, b"data: \n\n", WORLD, b"data\n\n", STOP, DONE),
    "a ping with empty data": (b"event: ping\ndata:\n\n", HELLO, b"event: ping\ndata: \n\n", WORLD, STOP, DONE),
    "a ping with words": (HELLO, b"event: ping\ndata: still here\n\n", WORLD, STOP, DONE),
    "a ping with JSON": (HELLO, b'event: ping\ndata: {"type": "ping"}\n\n', WORLD, STOP, DONE),
    "a ping with nothing": (HELLO, b"event: ping\n\n", WORLD, STOP, DONE),
    "names of events": tuple(b"event: message\n" + part for part in PLAIN),
    "CRLF": tuple(part.replace(b"\n", b"\r\n") for part in PLAIN),
    "CR": tuple(part.replace(b"\n", b"\r") for part in PLAIN),
    "no blank after the colon": tuple(part.replace(b"data: ", b"data:", 1) for part in PLAIN),
    "JSON over many lines": tuple(
        b"".join(b"data: " + line + b"\n" for line in json.dumps(value, indent=1).encode().split(b"\n")) + b"\n"
        for value in (chunk("Hello"), chunk(" world."), chunk(finish="stop"))
    ),
    "no blank line between": tuple(part.replace(b"\n\n", b"\n") for part in PLAIN),
    "no blank line at the end": (*PLAIN[:3], b"data: [DONE]"),
    "lines of JSON": tuple(
        json.dumps(value).encode() + b"\n" for value in (chunk("Hello"), chunk(" world."), chunk(finish="stop"))
    ),
    "nulls between": (HELLO, b"data: null\n\n", WORLD, b"data: []\n\n", STOP, DONE),
    "after the end": (*PLAIN, event(chunk("no more"))),
    "the message again": (HELLO, WORLD, event(chunk(choices=[{"message": {"content": "Hello world."}}])), STOP, DONE),
    "the message beside an empty delta": (
        HELLO,
        WORLD,
        event(chunk(choices=[{"delta": {}, "message": {"content": "Hello world."}, "finish_reason": "stop"}])),
        DONE,
    ),
    "only a message": (event(chunk(choices=[{"message": {"content": "Hello world."}, "finish_reason": "stop"}])), DONE),
    "only a message, twice": (
        *[event(chunk(choices=[{"delta": {}, "message": {"content": "Hello world."}, "finish_reason": "stop"}]))] * 2,
        DONE,
    ),
    "a message that grows": (
        *[event(chunk(choices=[{"message": {"content": text}}])) for text in ("Hello", "Hello wor", "Hello world.")],
        STOP,
        DONE,
    ),
    "a message beside each delta": (
        *[event(chunk(choices=[{"delta": {"content": t}, "message": {"content": t}}])) for t in ("Hello", " world.")],
        STOP,
        DONE,
    ),
    "a message with the rest": (HELLO, event(chunk(choices=[{"message": {"content": "Hello world."}}])), STOP, DONE),
    "old completions": (
        *[event(chunk(choices=[{"text": text, "finish_reason": None}])) for text in ("Hello", " world.")],
        STOP,
        DONE,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_good_stream_in_any_form_is_read(form: str) -> None:
    output = read(FORMS[form])
    assert (output.text, output.finish) == ("Hello world.", "stop")
    assert not [note for note in output.notes if "tokens" not in note]


@given(st.sampled_from(sorted(FORMS)), st.lists(st.integers(0, 2000), max_size=12))
def test_where_a_stream_is_cut_into_parts_changes_nothing(form: str, cuts: list[int]) -> None:
    raw = b"".join(FORMS[form])
    at = sorted({0, len(raw), *(cut % len(raw) for cut in cuts)})
    assert says(*(raw[start:end] for start, end in pairwise(at))) == "Hello world."


def test_a_closing_message_that_differs_is_noted() -> None:
    message = event(chunk(choices=[{"message": {"content": "Goodbye."}, "finish_reason": "stop"}]))
    output = read((HELLO, message, DONE))
    assert output.text == "Hello"
    assert "The server's closing message differs from what it streamed; what it streamed is kept." in output.notes


def test_a_document_that_is_a_stream_all_the_same_is_read() -> None:
    assert read(PLAIN, document=True).text == "Hello world."


def test_half_a_character_at_the_end_is_shown_as_broken() -> None:
    half = json.dumps(chunk("aXX")).replace("XX", "\\ud83d").encode()
    assert says(b"data: " + half + b"\n\n", STOP, DONE) == "a\ufffd"


# --- why an answer ends


@pytest.mark.parametrize("reason", [None, "", " "])
def test_a_last_word_without_a_reason_is_noted(reason: str | None) -> None:
    output = read((event(chunk("Hi", finish=reason)), DONE))
    assert output.text == "Hi"
    assert "The server did not say why the answer ended." in output.notes
    with pytest.raises(Unreachable, match="broke in the middle"):
        read((event(chunk("Hi", finish=reason)),))


@pytest.mark.parametrize("last", [b"data: [done]\n\n", b'data: "[DONE]"\n\n', b"[Done]\n"])
def test_a_last_word_in_another_spelling_is_one(last: bytes) -> None:
    assert says(HELLO, WORLD, last) == "Hello world."


@pytest.mark.parametrize("text", [None, "Well"])
@pytest.mark.parametrize(
    "reason",
    ["error", "abort", "aborted", "network_error", "insufficient_system_resource", "ABORT", "server_error", "timeout"],
)
def test_a_reason_that_is_a_fault_fails(reason: str, text: str | None) -> None:
    with pytest.raises(Unreachable, match="broke its answer off") as caught:
        read((event(chunk(text)), event(chunk(finish=reason)), DONE))
    assert reason == "error" or f"({reason.lower()})" in str(caught.value)


@pytest.mark.parametrize("reason", ["safety", "SAFETY", "sensitive", "content_filter", "refusal", "recitation"])
def test_a_filter_is_said(reason: str) -> None:
    assert "the server's content filter cut this answer short" in read((HELLO, event(chunk(finish=reason)), DONE)).notes
    with pytest.raises(Blocked, match="its content filter caught it"):
        read((event(chunk()), event(chunk(finish=reason)), DONE))


def test_an_unknown_reason_is_noted_and_without_text_is_a_fault() -> None:
    output = read((HELLO, event(chunk(finish="mystery")), DONE))
    assert (output.text, output.finish) == ("Hello", "stop")
    assert "The server gave an unknown reason for the end of the answer: mystery" in output.notes
    with pytest.raises(RemoteError, match=r"ended without writing anything \(mystery\)"):
        read((event(chunk(finish="mystery")), DONE))


def test_a_reason_cannot_carry_a_key_or_run_on() -> None:
    (note,) = [n for n in read((HELLO, event(chunk(finish=f"x{KEY}" + "y" * 9999)), DONE)).notes if "reason" in n]
    assert KEY not in note
    assert len(note) < 250


@pytest.mark.parametrize("reason", ["stop", "eos", "end_turn", "stop_sequence", "completed", "STOP"])
def test_an_end_by_itself_is_not_worth_a_note(reason: str) -> None:
    assert read((HELLO, event(chunk(finish=reason)), event(usage()), DONE)).notes == ()


# --- answers without text

CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
EMPTY = "The model ended without writing anything"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"content": None}, "."),
        ({"content": ""}, "."),
        (
            {"content": None, "reasoning_content": "Hm, so."},
            ": all of its text is thinking (reasoning_content, 7 characters), which is not the answer.",
        ),
        (
            {"content": None, "reasoning": "Hm."},
            ": all of its text is thinking (reasoning, 3 characters), which is not the answer.",
        ),
        (
            {"content": None, "tool_calls": [CALL]},
            ": it called a tool (get_weather), and there is none here.",
        ),
        (
            {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
            ": it called a tool (f), and there is none here.",
        ),
        ({"content": None, "tool_calls": [7, {"function": None}]}, ": it called a tool, and there is none here."),
    ],
)
@pytest.mark.parametrize("part", ["delta", "message"])
def test_an_empty_answer_says_where_its_text_went(part: str, fields: dict[str, object], where: str) -> None:
    output = read((event(chunk(choices=[{part: fields, "finish_reason": "stop"}])), DONE))
    assert output.text == ""
    assert f"{EMPTY}{where}" in output.notes


def test_an_answer_with_thinking_and_text_is_not_empty() -> None:
    output = read((event(delta(reasoning_content="Hm.")), HELLO, STOP, event(usage()), DONE))
    assert (output.text, output.notes) == ("Hello", ())


# --- errors inside a stream

ERRORS: dict[str, tuple[bytes, str]] = {
    "an error": (b'data: {"error": {"message": "out of memory"}}\n\n', "out of memory"),
    "an error that is a text": (b'data: {"error": "out of memory"}\n\n', "out of memory"),
    "an error event": (b'event: error\ndata: {"message": "out of memory"}\n\n', "out of memory"),
    "an error event with an error": (
        b'event: error\ndata: {"error": {"message": "out of memory"}}\n\n',
        "out of memory",
    ),
    "an error event with words": (b"event: error\ndata: out of memory\n\n", "out of memory"),
    "an error field": (b'error: {"code": 500, "message": "out of memory"}\n\n', "out of memory"),
    "an error field with words": (b"error: out of memory\n\n", "out of memory"),
    "an object that is an error": (
        b'data: {"object": "error", "message": "out of memory", "code": 500}\n\n',
        "out of memory",
    ),
    "a type that is an error": (b'data: {"type": "error", "error": {"message": "out of memory"}}\n\n', "out of memory"),
    "a detail": (b'data: {"detail": "out of memory"}\n\n', "out of memory"),
    "a list of details": (b'data: {"detail": [{"loc": ["body"], "msg": "out of memory"}]}\n\n', "out of memory"),
    "a message": (b'data: {"code": 1305, "message": "out of memory"}\n\n', "out of memory"),
    "a msg": (b'data: {"status": 500, "msg": "out of memory"}\n\n', "out of memory"),
    "errors": (b'data: {"errors": [{"message": "out of memory"}]}\n\n', "out of memory"),
    "inside a choice": (
        b'data: {"choices": [{"error": {"message": "out of memory"}, "finish_reason": "error"}]}\n\n',
        "out of memory",
    ),
    "JSON without data": (b'{"error": {"message": "out of memory"}}\n', "out of memory"),
    "JSON over many lines": (b'{\n  "error": {\n    "message": "out of memory"\n  }\n}\n', "out of memory"),
    "no blank line after it": (b'data: {"error": {"message": "out of memory"}}', "out of memory"),
    "no blank line before the end": (b'data: {"error": "out of memory"}\ndata: [DONE]\n\n', "out of memory"),
    "words": (b"data: [ERROR] out of memory\n\n", "[ERROR] out of memory"),
    "what Python prints": (b"data: {'error': 'out of memory'}\n\n", "out of memory"),
}


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("form", ERRORS)
def test_an_error_inside_a_stream_keeps_the_servers_words(form: str, begun: bool) -> None:
    raw, words = ERRORS[form]
    with pytest.raises(DiptychError) as caught:
        read([*([HELLO] if begun else []), raw])
    assert str(caught.value).endswith(f" It says: {words}"), caught.value


def test_a_number_says_what_kind_of_error_it_is() -> None:
    with pytest.raises(DiptychError, match=r"\(429\)"):
        read((HELLO, b'data: {"object": "error", "message": "slow down", "code": 429}\n\n'))


def test_text_about_errors_is_no_error() -> None:
    assert says(event(chunk('error: out of memory {"error": 1}')), STOP, DONE) == 'error: out of memory {"error": 1}'


def test_a_chunk_that_was_cut_is_not_quoted_as_the_servers_words() -> None:
    with pytest.raises(Unreachable, match="broke in the middle"):
        read((HELLO, b'data: {"choices": [{"delta": {"content": "an error of the'))


# --- counts


@pytest.mark.parametrize(
    "counts",
    [
        {"prompt_tokens": 0, "completion_tokens": 0},
        {},
        {"prompt_tokens": None},
        {"prompt_tokens": -1},
        {"total_tokens": 0},
        {"prompt_tokens": 10**30, "completion_tokens": 10**30},
        {"prompt_tokens": 1.5, "completion_tokens": "2"},
        {"prompt_tokens": True},
    ],
)
def test_counts_that_are_none_are_unknown(counts: dict[str, object]) -> None:
    output = read((HELLO, WORLD, STOP, event(chunk(choices=[], usage=counts)), DONE))
    assert (output.prompt_tokens, output.output_tokens, output.cost) == (None, 2, None)
    assert "The server did not say how many tokens this took; its pieces are counted." in output.notes


def test_counts_written_as_floats_are_read() -> None:
    counts = {"prompt_tokens": 7.0, "completion_tokens": 3.0}
    output = read((HELLO, WORLD, STOP, event(chunk(choices=[], usage=counts)), DONE))
    assert (output.prompt_tokens, output.output_tokens) == (7, 3)


def test_counts_on_every_chunk_are_not_lost_at_the_end() -> None:
    zeros, some = {"prompt_tokens": 0, "completion_tokens": 0}, {"prompt_tokens": 7, "completion_tokens": 2}
    rows = [chunk("a", usage=zeros), chunk("b", usage=some), chunk(finish="stop", usage=None)]
    output = read((*map(event, rows), event(chunk(choices=[], usage=zeros)), DONE))
    assert (output.prompt_tokens, output.output_tokens) == (7, 2)


# --- keys


def test_a_key_that_an_answer_quotes_is_left_out_of_it_and_of_its_tokens() -> None:
    parts = ["echo ", KEY[:3], KEY[3:9], f"{KEY[9:]} end"]
    rows = [
        chunk(choices=[{"delta": {"content": part}, "logprobs": {"content": [{"token": part, "logprob": -1}]}}])
        for part in parts
    ]
    output = read((*map(event, rows), STOP, DONE))
    assert output.text == "echo [key] end"
    assert KEY[3:9] not in repr(output)
    assert "The answer quoted the key that it was asked with; the key is left out." in output.notes


def test_a_key_that_is_cut_off_is_left_out_too() -> None:
    output = read((event(chunk(f"echo {KEY[:-2]}")), STOP, DONE))
    assert output.text == "echo [key]"


# --- anything at all

NAMES = ["choices", "delta", "message", "content", "finish_reason", "error", "usage", "logprobs", "token", "model"]
NAMES += ["tool_calls", "function", "name", "reasoning", "prompt_tokens", "completion_tokens_details", "text", "detail"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
GOOD = [HELLO, WORLD, STOP, DONE, event(usage()), b"\n", b"\r\n", b": c\n", b"id: 1\n", b"data:\n\n", b"event: ping\n"]
PART = (
    st.sampled_from(GOOD) | st.sampled_from(sorted(ERRORS)).map(lambda form: ERRORS[form][0]) | st.binary(max_size=30)
)
PART |= JSON.map(event) | JSON.map(lambda value: event(chunk(choices=[value])))


@given(st.lists(PART, max_size=8), st.booleans())
def test_whatever_comes_ends_in_an_answer_or_in_an_error_of_ours(parts: list[bytes], document: bool) -> None:
    with suppress(DiptychError):
        read(parts, document=document)


@pytest.mark.parametrize("cut", range(1, len(DONE) + 1))
def test_a_stream_that_is_cut_in_the_mark_of_its_end_is_as_whole_as_without_the_mark(cut: int) -> None:
    assert says(HELLO, STOP, DONE[:-cut]) == says(HELLO, STOP)
    if b"[DONE]" not in DONE[:-cut]:
        with pytest.raises(Unreachable):
            says(HELLO, DONE[:-cut])


@given(
    st.lists(st.sampled_from(["a", "bb", " c", "\n", "é", "世", "\U0001f600", "data: ", "[DONE]"]), min_size=1),
    st.data(),
)
def test_a_stream_that_ends_early_never_passes_for_a_whole_answer(texts: list[str], data: st.DataObject) -> None:
    raw = b"".join([*(event(chunk(text)) for text in texts), STOP, DONE])
    cut = data.draw(st.integers(0, len(raw)))
    whole_text = "".join(texts)
    try:
        assert says(raw[:cut], b"") == whole_text
    except DiptychError:
        assert cut < len(raw) - len(DONE)


@given(st.permutations([HELLO, WORLD, event(usage()), event(chunk("!"))]))
def test_reordered_parts_lose_no_text(parts: Sequence[bytes]) -> None:
    text = says(*parts, STOP, DONE)
    assert sorted(text) == sorted("Hello world.!")


def test_oversized_parts_arrive_whole() -> None:
    assert len(says(event(chunk("x" * 3_000_000)), STOP, DONE)) == 3_000_000
    assert len(says(*[event(chunk("xy"))] * 20_000, STOP, DONE)) == 40_000


def test_a_message_after_every_delta_takes_no_time() -> None:
    row = event(chunk(choices=[{"delta": {"content": "ab"}, "message": {"content": "ab"}}]))
    assert len(says(*[row] * 20_000, STOP, DONE)) == 40_000
