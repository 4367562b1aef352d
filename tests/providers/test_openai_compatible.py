"""Every server that speaks OpenAI's language: what is sent, what comes back, and what each fault gives."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core import catalog
from core.allowance import Allowance
from core.catalog import servers
from core.errors import InvalidInput, KeyRefused, ModelRefused, RemoteError, Unreachable
from core.providers import Model, list_models, open_remote
from core.remote import guarded_client
from core.settings import Secret, Settings
from core.types import Delta, Event, Failed, Finished, Message, Output, Request, Token, Value
from tests.support import fake_openai as fake
from tests.support.fakes import PATIENCE, until

KEY = "quite-private-0123456789"
MODEL = "openai:gpt-4o-mini"
HELLO = (Message("user", "Say hello."),)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


OPEN: list[Model] = []


def never(index: int) -> bool:
    return False


def request(*messages: Message, chat: bool = True, seed: int = 5, **parameters: Value) -> Request:
    return Request(messages=messages or HELLO, parameters=parameters, seed=seed, chat=chat)


def settings_for(server: fake.Server, model: str = MODEL, **changes: Any) -> Settings:
    moved = {model.partition(":")[0]: server.url}
    return Settings(**({"data": Path("unused"), "base_urls": moved, "remote_read_seconds": PATIENCE} | changes))


def opened(server: fake.Server, model: str = MODEL, key: str = KEY, **changes: Any) -> Model:
    settings = settings_for(server, model, **changes)
    return kept(open_remote(catalog.spec(model), settings, {model.partition(":")[0]: Secret(key)} if key else {}))


def kept(model: Model) -> Model:
    """Closed when the test ends."""
    OPEN.append(model)
    return model


def events(model: Model, asked: Request, stopped: Callable[[int], bool] = never) -> list[Event]:
    """All events of one request, of which the last alone ends it."""
    found = list(model.generate([asked], stopped))
    assert [isinstance(event, Finished | Failed) for event in found] == [False] * (len(found) - 1) + [True]
    assert all(event.index == 0 for event in found)
    return found


def answer(model: Model, asked: Request | None = None, stopped: Callable[[int], bool] = never) -> Output:
    found = events(model, asked or request(), stopped)
    assert isinstance(found[-1], Finished), found[-1]
    deltas = [event for event in found if isinstance(event, Delta)]
    assert "".join(delta.text for delta in deltas) == found[-1].output.text
    return found[-1].output


def failure(model: Model, asked: Request | None = None) -> Failed:
    last = events(model, asked or request())[-1]
    assert isinstance(last, Failed), last
    return last


@pytest.fixture
def server() -> Iterator[fake.Server]:
    with fake.running() as running:
        yield running


@pytest.fixture(autouse=True, scope="module")
def _certificates_are_read_once() -> Iterator[None]:
    """Reading all authorities takes longer than any answer here, and no fake shows a certificate."""
    context = httpx2.create_ssl_context(trust_env=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx2, "create_ssl_context", lambda **how: context)
        yield


@pytest.fixture(autouse=True)
def _models_are_closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture(autouse=True)
def _no_key_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert KEY not in "".join(f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records)


# What is sent


def test_an_answer_streams(server: fake.Server) -> None:
    model = opened(server)
    found = events(model, request())
    assert [(event.text, event.tokens) for event in found[:-1] if isinstance(event, Delta)] == [
        ("Hello", 1),
        (", ", 2),
        ("world.", 3),
    ]
    last = found[-1]
    assert isinstance(last, Finished)
    output = last.output
    assert (output.text, output.finish, output.notes) == ("Hello, world.", "stop", ())
    assert (output.prompt_tokens, output.output_tokens, output.thought_tokens) == (7, 3, 1)
    assert output.first_token_seconds is not None
    assert 0 < output.first_token_seconds <= output.seconds < PATIENCE
    assert output.provenance["model_version"] == "fake-2026-11-01"
    assert output.provenance["system_fingerprint"] == "fp_1"
    assert output.provenance["host"] == server.url.split("/")[2]
    assert set(output.provenance["versions"]) == {"openai"}  # type: ignore[call-overload]
    assert KEY not in repr(output) + repr(model)
    assert model.max_batch == 1


def test_what_is_asked_is_sent(server: fake.Server) -> None:
    asked = request(
        Message("system", "Be kind."),
        *HELLO,
        max_new_tokens=20,
        temperature=0.0,
        top_p=0.5,
        stop=("END", "\n"),
        json_schema='{"type": "object"}',
        top_k=0,
    )
    output = answer(opened(server), asked)
    (sent,) = server.requests
    assert (sent.path, sent.key) == ("/v1/chat/completions", KEY)
    assert sent.headers["accept-encoding"] == "identity"
    assert sent.body == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Say hello."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 20,
        "temperature": 0.0,
        "top_p": 0.5,
        "stop": ["END", "\n"],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": False},
        },
        "seed": 5,
        "logprobs": True,
    }
    assert output.notes == ()


@pytest.mark.parametrize(
    ("model", "sent", "unsent"),
    [
        ("openai:gpt-5-mini", {"max_completion_tokens", "seed", "reasoning_effort"}, {"logprobs", "temperature"}),
        ("mistral:mistral-small-latest", {"max_tokens", "random_seed", "temperature"}, {"seed", "logprobs"}),
        ("anthropic:claude-haiku-4-5", {"max_tokens", "temperature"}, {"seed", "random_seed", "logprobs"}),
        ("vllm:anything", {"max_tokens", "seed", "top_k", "min_p", "repetition_penalty"}, {"reasoning_effort"}),
        ("ollama:llama3.2", {"max_tokens", "seed"}, {"top_k", "min_p", "logprobs"}),
    ],
)
def test_every_server_is_sent_what_it_takes(server: fake.Server, model: str, sent: set[str], unsent: set[str]) -> None:
    values: dict[str, Value] = {"top_k": 9, "min_p": 0.1, "repetition_penalty": 1.1, "thinking": "low"}
    answer(opened(server, model), request(max_new_tokens=9, temperature=0.5, **values))
    names = set(server.requests[0].body)
    assert sent <= names
    assert not unsent & names


def test_what_a_model_does_not_take_is_said(server: fake.Server) -> None:
    output = answer(opened(server), request(top_k=4, min_p=0.1, thinking="default"))
    assert output.notes == ("min_p and top_k were not used by this model",)


def test_a_server_on_this_machine_needs_no_key(server: fake.Server) -> None:
    answer(opened(server, "ollama:llama3.2", key=""))
    assert server.requests[0].key == "none"


def test_a_plain_continuation_is_sent_as_a_message(server: fake.Server) -> None:
    output = answer(opened(server), request(Message("system", "One."), Message("user", "Two"), chat=False))
    assert server.requests[0].body["messages"] == [{"role": "user", "content": "One.\n\nTwo"}]
    assert output.notes == ("sent as a message: this server has no plain continuation",)


def test_the_beginning_of_an_answer_is_sent_as_the_assistants(server: fake.Server) -> None:
    answer(opened(server), request(*HELLO, Message("assistant", "Hel")))
    assert server.requests[0].body["messages"][-1] == {"role": "assistant", "content": "Hel"}


@pytest.mark.parametrize(
    ("kind", "image"),
    [
        ("png", PNG),
        ("jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 8),
        ("webp", b"RIFF\0\0\0\0WEBPVP8 "),
    ],
)
def test_images_are_sent_as_data(server: fake.Server, kind: str, image: bytes) -> None:
    answer(opened(server), request(Message("user", "What is it?", (image,))))
    text, sent = server.requests[0].body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert sent["image_url"]["url"] == f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        ("openai:gpt-3.5-turbo", request(Message("user", "?", (PNG,))), "gpt-3.5-turbo does not see images."),
        (MODEL, request(Message("user", "?", (b"%PDF-1.7",))), "neither PNG, JPEG nor WebP"),
        (MODEL, request(json_schema="{"), "The JSON schema must be a JSON object"),
        (MODEL, request(json_schema="[1]"), "The JSON schema must be a JSON object"),
        (MODEL, request(json_schema="[" * 100_000), "The JSON schema must be a JSON object"),
    ],
)
def test_what_cannot_be_asked_is_not_sent(server: fake.Server, model: str, asked: Request, words: str) -> None:
    found = failure(opened(server, model), asked)
    assert words in found.error
    assert found.kind == "InvalidInput"
    assert server.requests == []


def test_broken_characters_do_not_keep_a_prompt_from_being_sent(server: fake.Server) -> None:
    answer(opened(server), request(Message("user", "a\ud800b\0")))
    assert server.requests[0].body["messages"][0]["content"] == "a?b"


# What comes back


def test_probabilities_of_tokens_are_kept(server: fake.Server) -> None:
    rows = [{"token": "Hi", "logprob": -0.5}, {"token": "bytes:\\xe2\\x80", "logprob": -1}, {"token": "!"}, None]
    first = fake.chunk("Hi")
    first["choices"][0]["logprobs"] = {"content": rows}
    server.plans = [fake.streams(*map(fake.event, [first, fake.chunk(finish="stop")]), fake.DONE)]
    assert answer(opened(server)).tokens == (Token("Hi", -0.5), Token("", -1.0))


def test_what_a_model_thinks_is_not_its_answer(server: fake.Server) -> None:
    rows = [
        fake.delta(reasoning="Hm."),
        fake.delta(reasoning_content="Hm."),
        fake.delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]),
        fake.delta(content=[{"type": "text", "text": "Yes."}]),
        fake.chunk(finish="stop"),
    ]
    server.plans = [fake.streams(*map(fake.event, rows), fake.DONE)]
    output = answer(opened(server))
    assert output.text == "Yes."
    assert output.output_tokens == 1


@pytest.mark.parametrize("finish", ["length", "max_tokens", "model_length"])
def test_a_cut_answer_says_so(server: fake.Server, finish: str) -> None:
    server.plans = [fake.says("Once upon", finish=finish)]
    assert answer(opened(server)).finish == "length"


def test_thinking_that_used_up_the_budget(server: fake.Server) -> None:
    server.plans = [fake.says(finish="length")]
    assert failure(opened(server)).error == (
        "OpenAI used up all its tokens thinking and had none left to answer. "
        "Raise 'Max new tokens', or let it think less."
    )


def test_a_filter_that_leaves_nothing(server: fake.Server) -> None:
    server.plans = [fake.says(finish="content_filter")]
    found = failure(opened(server))
    assert found.kind == "Blocked"
    assert found.error == "OpenAI does not show its answer: its content filter caught it. Word it differently."


def test_a_filter_that_leaves_some(server: fake.Server) -> None:
    server.plans = [fake.says("Well", finish="content_filter")]
    output = answer(opened(server))
    assert output.text == "Well"
    assert output.notes == ("the server's content filter cut this answer short",)


def test_a_filter_on_the_prompt(server: fake.Server) -> None:
    server.plans = [fake.refuses(400, {"error": {"message": "filtered", "code": "content_filter"}})]
    assert failure(opened(server)).kind == "Blocked"
    assert len(server.requests) == 1


def test_an_answer_that_was_not_counted(server: fake.Server) -> None:
    server.plans = [fake.says("a", "b", counted=False)]
    output = answer(opened(server))
    assert output.output_tokens == 2
    assert output.cost is None
    assert output.notes == ("The server did not say how many tokens this took; its pieces are counted.",)


def test_a_server_that_does_not_stream(server: fake.Server) -> None:
    message = {"role": "assistant", "content": "All at once."}
    body = {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": fake.USAGE}
    server.plans = [fake.answers(body)]
    output = answer(opened(server))
    assert (output.text, output.finish, output.output_tokens) == ("All at once.", "stop", 3)


def test_a_stream_without_a_last_word_but_with_a_reason(server: fake.Server) -> None:
    whole = [fake.event(fake.chunk("Hi")), fake.event(fake.chunk(finish="stop"))]
    server.plans = [fake.streams(*whole), fake.streams(*whole, end=False), fake.resets(*whole)]
    model = opened(server)
    assert [answer(model).text for _ in range(3)] == ["Hi"] * 3


@pytest.mark.parametrize("reason", [None, "", " "])
def test_a_stream_with_a_last_word_and_no_reason_is_whole(server: fake.Server, reason: str | None) -> None:
    parts = [fake.event(fake.chunk(text, finish=reason)) for text in ("Hi", "!")]
    server.plans = [fake.streams(*parts, fake.DONE), fake.streams(*parts)]
    model = opened(server)
    output = answer(model)
    assert (output.text, output.finish) == ("Hi!", "stop")
    assert "The server did not say why the answer ended." in output.notes
    assert failure(model).error == BROKE, "without a last word it may have been cut"


def test_empty_and_odd_chunks_do_no_harm(server: fake.Server) -> None:
    rows: list[object] = [
        fake.chunk(choices=[]),
        fake.chunk(choices=[{"index": 0, "delta": None}]),
        fake.chunk(choices=[None]),
        fake.chunk(choices=[{"delta": {"content": 7}}]),
        fake.chunk(choices=[{"delta": {"content": "Hi"}, "logprobs": {"content": 3}}], usage={"prompt_tokens": "x"}),
        fake.chunk(model=9, system_fingerprint=[]),
        [],
        "text",
        None,
        fake.chunk(finish="stop"),
    ]
    server.plans = [fake.streams(b": a comment\n\n", *map(fake.event, rows), fake.DONE)]
    assert answer(opened(server)).text == "Hi"


def test_characters_cut_on_their_way_are_whole(server: fake.Server) -> None:
    text = "Grüße, 世界 \U0001f600\u2028\u0085."
    raw = fake.event(fake.chunk(text))
    halves = [json.dumps(fake.chunk("XX")).replace("XX", half).encode() for half in ("\\ud83d", "\\ude00")]
    end = fake.event(fake.chunk(finish="stop"))
    server.plans = [
        fake.streams(*(raw[i : i + 1] for i in range(len(raw))), end, fake.DONE),
        fake.streams(*(b"data: " + half + b"\r\n\r\n" for half in halves), end, fake.DONE),
        fake.streams(b"data: " + halves[0] + b"\n\n", fake.event(fake.chunk("!")), end, fake.DONE),
    ]
    model = opened(server)
    assert [answer(model).text for _ in range(3)] == [text, "\U0001f600", "\ufffd!"]


def test_a_huge_piece_arrives_whole(server: fake.Server) -> None:
    server.plans = [fake.says("x" * 3_000_000)]
    assert len(answer(opened(server)).text) == 3_000_000


# What goes wrong: each with its sentence, and the next request is answered

SAYS = " It says: No, not with [key]."
UNREACHABLE, REMOTE, QUOTA, REFUSED = "Unreachable", "RemoteError", "QuotaSpent", "KeyRefused"
FOREIGN = "OpenAI answered, but not in the form that was asked for. Check that its URL is right."
NOT_AN_ANSWER = "OpenAI answered something that is not an answer. Check the URL; try again."
BROKE = "The connection to OpenAI broke in the middle of the answer. Try again."
HTML = "<html><body>Bad gateway KEY</body></html>"
HALF = fake.event(fake.chunk("Half"))

FAULTS: dict[str, tuple[fake.Plan, str, str]] = {
    "401": (
        fake.refuses(401),
        REFUSED,
        "OpenAI does not take this key (401). Check that it is right, active and allowed to use gpt-4o-mini.",
    ),
    "403": (
        fake.refuses(403),
        REFUSED,
        "OpenAI does not take this key (403). Check that it is right, active and allowed to use gpt-4o-mini.",
    ),
    "404": (
        fake.refuses(404),
        REMOTE,
        "OpenAI has no model 'gpt-4o-mini', or this key may not use it (404). Choose one from its list.",
    ),
    "408": (fake.refuses(408), UNREACHABLE, "OpenAI took too long and gave up (408). Try again."),
    "413": (
        fake.refuses(413),
        REMOTE,
        "The prompt is too large for OpenAI (413). Shorten it, or send smaller images." + SAYS,
    ),
    "429": (
        fake.refuses(429),
        QUOTA,
        "OpenAI takes no more requests from this key for now (429). Wait a little, or use another key or model." + SAYS,
    ),
    "429 with a wait": (
        fake.refuses(429, retry_after="7"),
        QUOTA,
        "OpenAI takes no more requests from this key for now (429). Try again in 7 s." + SAYS,
    ),
    "500": (
        fake.refuses(500),
        UNREACHABLE,
        "OpenAI failed (500). Try again; if it stays so, choose another model." + SAYS,
    ),
    "HTML 502": (fake.refuses(502, HTML, "text/html"), UNREACHABLE, "OpenAI is overloaded or being mended (502)."),
    "503": (fake.refuses(503), UNREACHABLE, "OpenAI is overloaded or being mended (503)."),
    "reset": (lambda on, asked: on.reset(), UNREACHABLE, NOT_AN_ANSWER),
    "cut before a head": (lambda on, asked: on.cut(), UNREACHABLE, NOT_AN_ANSWER),
    "headers without end": (fake.endless_headers(), UNREACHABLE, NOT_AN_ANSWER),
    "cut": (fake.streams(HALF, end=False), UNREACHABLE, BROKE),
    "reset in the middle": (fake.resets(HALF), UNREACHABLE, BROKE),
    "a good-bye in the middle": (fake.streams(HALF), UNREACHABLE, BROKE),
    "invalid JSON in the middle": (fake.streams(HALF, b"data: {oops\n\n"), UNREACHABLE, BROKE),
    "invalid UTF-8 in the middle": (fake.streams(HALF, b'data: {"\xff\xfe"}\n\n'), UNREACHABLE, BROKE),
    "invalid JSON": (fake.streams(b"data: {oops\n\n"), UNREACHABLE, FOREIGN),
    "foreign chunks": (fake.streams(fake.event({"a": 1}), fake.DONE), UNREACHABLE, FOREIGN),
    "no choices": (fake.streams(fake.event(fake.chunk(choices=None)), fake.DONE), UNREACHABLE, FOREIGN),
    "only empty choices": (fake.streams(fake.event(fake.usage()), fake.DONE), UNREACHABLE, FOREIGN),
    "foreign JSON": (fake.answers({"status": "ok"}), UNREACHABLE, FOREIGN),
    "a list": (fake.answers([1, 2]), UNREACHABLE, FOREIGN),
    "choices that are null": (fake.answers({"choices": None}), UNREACHABLE, FOREIGN),
    "empty JSON": (fake.answers(""), UNREACHABLE, FOREIGN),
    "empty": (fake.answers("", "text/event-stream"), UNREACHABLE, FOREIGN),
    "HTML": (fake.answers(HTML, "text/html"), UNREACHABLE, FOREIGN),
    "deep JSON": (
        fake.answers("[" * 200_000),
        UNREACHABLE,
        "Talking to OpenAI failed (RecursionError). Try again.",
    ),
    "an error inside a stream": (
        fake.streams(HALF, fake.event({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})),
        QUOTA,
        "OpenAI takes no more requests from this key for now (429). "
        "Wait a little, or use another key or model. It says: slow down",
    ),
    "an error of unknown kind inside a stream": (
        fake.streams(fake.event({"error": "the cat sat on it"})),
        UNREACHABLE,
        "OpenAI failed (500). Try again; if it stays so, choose another model. It says: the cat sat on it",
    ),
    "a numbered error inside a stream": (
        fake.streams(fake.event({"error": {"message": "late", "code": 504}})),
        UNREACHABLE,
        "OpenAI took too long and gave up (504). Try again.",
    ),
    "an error instead of an answer": (
        fake.answers({"error": {"message": "bad key", "code": "invalid_api_key"}}),
        REFUSED,
        "OpenAI does not take this key (401). Check that it is right, active and allowed to use this model.",
    ),
    "400": (fake.refuses(400), REMOTE, "OpenAI does not take this request (400)." + SAYS),
    "422": (
        fake.refuses(422, {"detail": [{"loc": ["body", "messages"], "msg": "no KEY"}]}),
        REMOTE,
        "OpenAI does not take this request (422). It says: no [key]",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_sentence(server: fake.Server, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    plan, kind, sentence = FAULTS[name]
    twice = name in ("400", "422")
    server.plans = [plan] * (2 if twice else 1) + [fake.says("Next.")]
    model = opened(server)
    found = failure(model)
    assert found.kind == kind
    assert found.error.startswith(sentence) if sentence.endswith((" (502).", " (503).")) else found.error == sentence
    assert KEY not in repr(found) + "".join(capsys.readouterr())
    assert answer(model).text == "Next."
    assert len(server.requests) == (3 if twice else 2), "nothing is asked twice behind the visitor's back"


def test_every_request_has_its_own_end(server: fake.Server) -> None:
    server.plans = [fake.says("One."), fake.refuses(500), fake.streams(HALF, end=False), fake.says("Four.")]
    ends = [event for event in opened(server).generate([request()] * 4, never) if isinstance(event, Finished | Failed)]
    assert [(event.index, type(event)) for event in ends] == [(0, Finished), (1, Failed), (2, Failed), (3, Finished)]


@pytest.mark.parametrize(
    ("model", "hint"), [(MODEL, "Check your network connection"), ("ollama:llama3.2", "Is it started?")]
)
def test_nobody_is_there(server: fake.Server, model: str, hint: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    moved = {model.partition(":")[0]: f"http://127.0.0.1:{port}/v1"}
    found = failure(opened(server, model, base_urls=moved))
    assert found.kind == "Unreachable"
    assert "cannot be reached" in found.error
    assert hint in found.error


@pytest.mark.parametrize(
    ("plan", "words"),
    [(fake.stalls(), "did not answer in time"), (fake.stalls(HALF), "stopped sending. What came so far is lost")],
)
def test_a_server_that_falls_silent(server: fake.Server, plan: fake.Plan, words: str) -> None:
    server.plans = [plan, fake.says("Next.")]
    model = opened(server, remote_read_seconds=0.3)
    began = time.monotonic()
    found = failure(model)
    assert time.monotonic() - began < 3
    assert (found.kind, words in found.error) == ("Unreachable", True), found
    assert answer(model).text == "Next."


def test_silence_after_the_reason_loses_nothing(server: fake.Server) -> None:
    server.plans = [fake.stalls(HALF, fake.event(fake.chunk(finish="stop")))]
    assert answer(opened(server, remote_read_seconds=0.3)).text == "Half"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server: fake.Server, status: int) -> None:
    with fake.running() as other:
        server.plans = [fake.redirects(status, other.url + "/chat/completions"), fake.says("Next.")]
        model = opened(server)
        found = failure(model)
        assert other.requests == []
    assert found.kind == "Unreachable"
    assert f"({status}); that is not followed" in found.error
    assert answer(model).text == "Next."


@pytest.mark.parametrize("part", [fake.event(fake.delta()), b"x" * 10_000, b": comment\n" * 1000])
def test_a_body_without_end_is_cut(server: fake.Server, monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    monkeypatch.setattr(
        guarded_client.GuardedClient.__init__, "__kwdefaults__", {"connect": 5.0, "read": 120.0, "max_bytes": 200_000}
    )
    server.plans = [fake.endless_body(part), fake.says("Next.")]
    model = opened(server)
    found = failure(model)
    assert found.error == "OpenAI sent more than an answer can hold; the rest was not read."
    assert answer(model).text == "Next."


# What a server refuses is left out, once


def refusal(message: str, param: str | None = None) -> dict[str, object]:
    return {"error": {"message": message + " KEY", "type": "invalid_request_error", "param": param, "code": None}}


@pytest.mark.parametrize(
    ("name", "body", "note"),
    [
        ("temperature", refusal("'temperature' does not support 0.5.", "temperature"), "temperature was"),
        ("temperature", refusal("Invalid value for temperature."), "temperature was"),
        ("top_p", refusal("`temperature` and `top_p` cannot both be specified."), "top_p was"),
        ("stop", refusal("Array too long: at most 4.", "stop"), "stop was"),
        ("response_format", refusal("No schemas here.", "response_format"), "json_schema was"),
        ("seed", {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, "the seed was"),
        ("logprobs", refusal("logprobs are not supported"), ""),
        ("stream_options", refusal("Unrecognized request argument: stream_options"), ""),
    ],
)
def test_what_is_refused_by_name_is_left_out(
    server: fake.Server, name: str, body: dict[str, object], note: str
) -> None:
    server.plans = [fake.refusing(name, body)]
    asked = request(max_new_tokens=9, temperature=0.5, top_p=0.5, stop=("a",), json_schema="{}")
    output = answer(opened(server), asked)
    first, second = server.requests
    assert set(first.body) - set(second.body) == {name}
    assert all(second.body[key] == first.body[key] for key in second.body)
    assert output.notes == ((f"{note} not used by this model",) if note else ())


@pytest.mark.parametrize(
    ("model", "refused", "taken"),
    [
        (MODEL, "max_completion_tokens", "max_tokens"),
        ("vllm:anything", "max_tokens", "max_completion_tokens"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_the_limit_is_called_by_its_other_name(
    server: fake.Server, model: str, refused: str, taken: str, named: bool
) -> None:
    body = refusal(f"Unsupported parameter: '{refused}'. Use '{taken}' instead.", refused if named else None)
    server.plans = [fake.refusing(refused, body)]
    output = answer(opened(server, model), request(max_new_tokens=9, temperature=0.5))
    first, second = server.requests
    assert first.body[refused] == second.body[taken] == 9
    assert refused not in second.body
    assert second.body["temperature"] == 0.5
    assert output.notes == ()


def test_a_limit_that_is_too_high_is_not_asked_twice(server: fake.Server) -> None:
    server.plans = [fake.refuses(400, refusal("max_completion_tokens is too large: 9. At most 4.", None))]
    found = failure(opened(server), request(max_new_tokens=9))
    assert "max_completion_tokens is too large" in found.error
    assert len(server.requests) == 1


def test_a_prompt_that_is_too_long_is_not_asked_twice(server: fake.Server) -> None:
    body = {"error": {"message": "The maximum is 8 tokens.", "code": "context_length_exceeded"}}
    server.plans = [fake.refuses(400, body)]
    assert "The maximum is 8 tokens." in failure(opened(server)).error
    assert len(server.requests) == 1


def test_who_refuses_without_a_name_is_asked_for_the_plainest(server: fake.Server) -> None:
    server.plans = [fake.refuses(400, refusal("Bad request.")), fake.says("Fine.")]
    output = answer(opened(server), request(max_new_tokens=9, temperature=0.5, top_p=0.5))
    assert set(server.requests[1].body) == {"model", "messages", "stream", "max_completion_tokens"}
    assert output.notes == ("temperature, top_p and the seed were not used by this model",)


SETTINGS: dict[str, Value] = {"max_new_tokens": 9, "temperature": 0.5, "top_p": 0.5, "stop": ("x",), "top_k": 4}


def refusing_one_by_one(*names: str) -> fake.Plan:
    """Refuses the first of these parameters that a request has, by its name, and answers what has none of them."""

    def plan(on: fake.Conversation, asked: fake.Asked) -> None:
        name = next((name for name in names if name in asked.body), None)
        body = refusal(f"Unsupported parameter: '{name}' is not supported with this model.", name)
        (fake.refuses(400, body) if name else fake.says("Fine."))(on, asked)

    return plan


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (("max_tokens", "temperature", "top_p"), "temperature and top_p were"),
        (("temperature", "max_tokens", "seed"), "temperature and the seed were"),
        (("stream_options", "logprobs", "seed"), "the seed was"),
        (
            ("top_k", "stop", "max_tokens", "seed", "logprobs", "temperature", "top_p", "stream_options"),
            "top_k, stop, the seed, temperature and top_p were",
        ),
    ],
)
def test_refused_parameters_are_left_out_one_by_one(server: fake.Server, names: tuple[str, ...], note: str) -> None:
    server.plans = [refusing_one_by_one(*names)]
    output = answer(opened(server, "vllm:m"), request(**SETTINGS))
    assert len(server.requests) == len(names) + 1
    last = server.requests[-1].body
    assert not set(names) & set(last)
    assert last["max_completion_tokens" if "max_tokens" in names else "max_tokens"] == 9
    assert output.notes == (f"{note} not used by this model",)


def test_a_server_that_takes_neither_name_of_the_limit_is_not_asked_for_ever(server: fake.Server) -> None:
    server.plans = [refusing_one_by_one("max_tokens", "max_completion_tokens")]
    found = failure(opened(server, "vllm:m"), request(max_new_tokens=9))
    assert "'max_completion_tokens' is not supported" in found.error
    assert len(server.requests) == 2


def test_a_parameter_that_was_left_out_and_is_refused_again_ends_it(server: fake.Server) -> None:
    server.plans = [fake.refuses(400, refusal("temperature is not supported", "temperature"))]
    found = failure(opened(server, "vllm:m"), request(**SETTINGS))
    assert "temperature is not supported" in found.error
    assert len(server.requests) == 2


def test_a_server_that_does_not_stream_is_asked_for_all_at_once(server: fake.Server) -> None:
    message = {"model": "m", "choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}]}
    organisation = "Your organization must be verified to stream this model."
    server.plans = [fake.refuses(400, refusal(organisation, "stream")), fake.answers(message)]
    assert answer(opened(server)).text == "All at once."
    assert not {"stream", "stream_options"} & set(server.requests[1].body)


SCHEMA_FAULTS = [
    "JSON schema error at #: unrecognized type nonsense",
    "Invalid schema for response_format 'answer': 'nonsense' is not valid under any of the given schemas",
    "Invalid schema for response_format 'x': In context=(), 'additionalProperties' is required to be supplied",
    "Grammar error: Unimplemented keys: ['minLength']",
    "failed to parse grammar",
    "Failed to convert the output schema to a grammar",
    "The provided JSON schema is not valid: unresolvable $ref",
]


@pytest.mark.parametrize("words", SCHEMA_FAULTS)
@pytest.mark.parametrize("param", [None, "response_format", "response_format.json_schema"])
def test_a_wrong_schema_is_an_error_to_show(server: fake.Server, words: str, param: str | None) -> None:
    server.plans = [fake.refuses(400, refusal(words, param)), fake.says("A free answer.")]
    found = failure(opened(server, "vllm:m"), request(json_schema='{"type": "nonsense"}', temperature=0.5))
    assert words in found.error
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "words",
    [
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "This model does not support response format `json_schema`.",
        "'json_schema' is not one of ['json_object', 'text'] - 'response_format.type'",
        "This response_format type is unavailable now",
    ],
)
def test_a_server_that_takes_no_schema_answers_without_one_and_that_is_noted(server: fake.Server, words: str) -> None:
    server.plans = [fake.refusing("response_format", refusal(words, "response_format"))]
    output = answer(opened(server, "vllm:m"), request(json_schema="{}", temperature=0.5))
    assert server.requests[-1].body["temperature"] == 0.5
    assert output.notes == ("json_schema was not used by this model",)


def test_a_schema_is_not_left_out_for_a_refusal_that_names_nothing(server: fake.Server) -> None:
    server.plans = [fake.refuses(400, refusal("Bad request."))]
    found = failure(opened(server, "vllm:m"), request(json_schema="{}", temperature=0.5))
    assert "Bad request." in found.error
    assert [("response_format" in sent.body) for sent in server.requests] == [True, True]


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "{'error': '/chat/completions: Invalid model name passed in model=x'}"}},
        {"error": "{'error': '/chat/completions: Invalid model name passed in model=x'}"},
        "{'error': '/chat/completions: Invalid model name passed in model=x'}",
        {"error": {"message": "{broken /chat/completions: Invalid model name passed in model=x"}},
        {"detail": {"error": "[/chat/completions: Invalid model name passed in model=x"}},
    ],
)
def test_words_that_are_no_json_are_kept(server: fake.Server, body: object) -> None:
    server.plans = [fake.refuses(400, body)]
    assert "/chat/completions: Invalid model name passed in model=x" in failure(opened(server)).error


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    "words",
    [
        "System role not supported",
        "Jinja Exception: System role not supported",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Conversation roles: only user and assistant roles are supported!",
        "This model does not support system messages: unsupported system prompt",
    ],
)
def test_a_model_without_a_system_role_is_told_in_the_first_users_turn(
    server: fake.Server, status: int, words: str
) -> None:
    server.plans = [fake.refuses(status, refusal(words)), fake.says("Fine.")]
    messages = (Message("system", "Be kind."), *HELLO, Message("assistant", "Hel"))
    assert answer(opened(server), request(*messages, temperature=0.5)).notes == ()
    first, second = (sent.body for sent in server.requests)
    assert second["messages"] == [
        {"role": "user", "content": "Be kind.\n\nSay hello."},
        {"role": "assistant", "content": "Hel"},
    ]
    assert {name: value for name, value in second.items() if name != "messages"} == {
        name: value for name, value in first.items() if name != "messages"
    }


def test_a_system_text_goes_before_an_image_too(server: fake.Server) -> None:
    server.plans = [fake.refuses(400, refusal("System role not supported")), fake.says("Fine.")]
    answer(opened(server), request(Message("system", "Be kind."), Message("user", "What?", (PNG,))))
    (message,) = server.requests[1].body["messages"]
    assert [part.get("text") for part in message["content"]] == ["Be kind.", "What?", None]


def test_without_a_system_message_there_is_nothing_to_put_elsewhere(server: fake.Server) -> None:
    server.plans = [fake.refuses(500, refusal("System role not supported"))]
    assert "System role not supported" in failure(opened(server)).error
    assert len(server.requests) == 1


def test_who_refuses_everything_gives_a_plain_error(server: fake.Server) -> None:
    server.plans = [fake.refuses(400, refusal("I do not like KEY."))]
    found = failure(opened(server), request(temperature=0.5))
    assert found.error == "OpenAI does not take this request (400). It says: I do not like [key]. [key]"
    assert len(server.requests) == 2


# Stopping


@pytest.mark.parametrize("plan", [fake.stalls(), fake.stalls(HALF), fake.endless_headers(0.05)])
def test_stop_does_not_wait_for_the_server(server: fake.Server, plan: fake.Plan) -> None:
    server.plans = [plan, fake.says("Next.")]
    model = opened(server)
    pressed = threading.Event()
    found: list[Event] = []

    def read() -> None:
        found.extend(events(model, request(), lambda index: pressed.is_set()))

    reading = threading.Thread(target=read)
    reading.start()
    until(lambda: len(server.requests) == 1)
    began = time.monotonic()
    pressed.set()
    reading.join(PATIENCE)
    assert time.monotonic() - began < 2
    last = found[-1]
    assert isinstance(last, Finished)
    assert last.output.finish == "cancelled"
    assert answer(model).text == "Next."


def test_stop_keeps_what_has_come(server: fake.Server) -> None:
    server.plans = [fake.stalls(HALF)]
    come: list[Event] = []
    for event in opened(server).generate([request()], lambda index: bool(come)):
        come.append(event)
    last = come[-1]
    assert isinstance(last, Finished)
    assert (last.output.text, last.output.finish, last.output.output_tokens) == ("Half", "cancelled", 1)


def test_counts_of_a_stopped_answer_are_unknown(server: fake.Server) -> None:
    server.plans = [fake.stalls(HALF)]
    come: list[Event] = []
    for event in opened(server).generate([request()], lambda index: bool(come)):
        come.append(event)
    assert isinstance(come[-1], Finished)
    assert come[-1].output.prompt_tokens is None
    assert come[-1].output.cost is None


def test_stopped_before_it_began(server: fake.Server) -> None:
    output = answer(opened(server), stopped=lambda index: True)
    assert (output.text, output.finish) == ("", "cancelled")


def test_an_answer_that_nobody_reads_is_hung_up(server: fake.Server) -> None:
    gone = threading.Event()

    def plan(on: fake.Conversation, asked: fake.Asked) -> None:
        on.start()
        on.push(HALF)
        on.connection.settimeout(PATIENCE)
        if on.connection.recv(1) == b"":
            gone.set()

    server.plans = [plan]
    reading = opened(server).generate([request()], never)
    assert isinstance(next(reading), Delta)
    reading.close()  # type: ignore[attr-defined]
    assert gone.wait(PATIENCE)


# Keys


@pytest.fixture
def decoys(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake.Server]:
    """An environment in which everything points elsewhere."""
    with fake.running() as other:
        for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "HF_TOKEN"):
            monkeypatch.setenv(name, "decoy-" + name)
        monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", "decoy")
        monkeypatch.setenv("OPENAI_BASE_URL", other.url)
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-More: decoy\nAuthorization: Bearer decoy")
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, other.url.removesuffix("/v1"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        yield other


@pytest.mark.parametrize(("model", "key"), [(MODEL, KEY), ("ollama:llama3.2", "")])
def test_nothing_of_the_environment_is_sent(server: fake.Server, decoys: fake.Server, model: str, key: str) -> None:
    answer(opened(server, model, key))
    row = servers.server(model.partition(":")[0])
    server.plans = [fake.answers({"data": []})]
    list_models(row, settings_for(server, model), {row.id: Secret(key)} if key else {})
    assert len(server.requests) == 2
    for sent in server.requests:
        assert sent.headers["authorization"] == f"Bearer {key or 'none'}"
        assert "decoy" not in repr(sent)
        assert not [name for name in sent.headers if name.startswith("openai-")]
    assert decoys.requests == []


def test_a_key_of_the_environment_does_not_stand_in(server: fake.Server, decoys: fake.Server) -> None:
    for secrets in ({}, {"mistral": Secret(KEY)}, {"openai": Secret("")}):
        with pytest.raises(KeyRefused, match="There is no key for OpenAI"):
            open_remote(catalog.spec(MODEL), settings_for(server), secrets)
    assert server.requests == decoys.requests == []


def test_two_visitors_at_once_send_each_their_own_key(server: fake.Server) -> None:
    server.plans = [fake.echoes]
    count = 200
    wrong: list[object] = []

    def visit(name: str) -> None:
        asked = [request(Message("user", f"{name}-{i}")) for i in range(count)]
        for event in opened(server, key=f"key-of-{name}").generate(asked, never):
            if isinstance(event, Failed) or (
                isinstance(event, Finished) and event.output.text != f"{name}-{event.index}"
            ):
                wrong.append(event)

    visitors = [threading.Thread(target=visit, args=(name,)) for name in ("ann", "bob")]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(60)
    assert wrong == []
    assert len(server.requests) == 2 * count
    for sent in server.requests:
        assert sent.key == "key-of-" + sent.body["messages"][0]["content"].partition("-")[0]


def test_a_lent_key_counts_every_request_and_token(server: fake.Server) -> None:
    allowance = Allowance(4, 1000)
    lent = allowance.lend("ann", {"openai": Secret(KEY)})
    model = kept(open_remote(catalog.spec(MODEL), settings_for(server), lent))
    server.plans = [fake.says("Hi"), fake.refusing("temperature", refusal("no", "temperature"))]
    answer(model)
    assert allowance.left("ann").requests == 3
    assert allowance.left("ann").tokens == 990
    answer(model, request(temperature=0.5))
    assert allowance.left("ann").requests == 1
    server.plans = [fake.streams(*[HALF] * 5, end=False)]
    failure(model, request(Message("user", "x" * 400)))
    assert allowance.left("ann").tokens == 980 - 100 - 5
    found = failure(model)
    assert found.kind == "QuotaSpent"
    assert "4 requests an hour" in found.error
    assert len(server.requests) == 4


@pytest.mark.parametrize("cut", [1, 6, len(KEY) - 1])
def test_a_key_that_an_answer_quotes_is_left_out(server: fake.Server, cut: int) -> None:
    server.plans = [fake.says("echo Bearer ", KEY[:cut], KEY[cut:], " end")]
    model = opened(server)
    found = events(model, request())
    assert KEY not in repr(found) + "".join(event.text for event in found if isinstance(event, Delta))
    output = answer(model)
    assert output.text == "echo Bearer [key] end"
    assert "The answer quoted the key that it was asked with; the key is left out." in output.notes


def test_a_key_in_an_answer_that_is_stopped_is_left_out(server: fake.Server) -> None:
    server.plans = [fake.stalls(fake.event(fake.chunk(f"echo {KEY[:-1]}")))]
    come: list[Event] = []
    for event in opened(server).generate([request()], lambda index: bool(come)):
        come.append(event)
    assert KEY[:12] not in repr(come)


def test_another_model_that_answers_is_named(server: fake.Server) -> None:
    rows = [fake.chunk("Hi", model="smollm2"), fake.chunk(finish="stop", model="smollm2")]
    server.plans = [fake.streams(*map(fake.event, rows))]
    assert answer(opened(server, "llamacpp:no-such-model")).provenance["model_version"] == "smollm2"


# Servers that visitors name

OWN = "custom:mine@https://llm.example.com/v1"


def custom(model: str, secret: Secret | None = None, **changes: Any) -> Model:
    spec = catalog.spec(model)
    assert spec.key is not None
    settings = Settings(**({"data": Path("unused"), "custom_servers": True} | changes))
    return kept(open_remote(spec, settings, {spec.key: secret} if secret else {}))


def test_a_server_of_ones_own_needs_leave_and_a_key() -> None:
    assert custom(OWN, Secret(KEY)).max_batch == 1
    with pytest.raises(ModelRefused, match="allows no servers of your own"):
        custom(OWN, Secret(KEY), custom_servers=False)
    with pytest.raises(KeyRefused, match="There is no key"):
        custom(OWN)
    lent = Allowance(9, 9).lend("ann", {"any": Secret(KEY)})["any"]
    with pytest.raises(ModelRefused, match="a key of your own"):
        custom(OWN, lent)


def test_a_server_of_ones_own_is_spoken_to_safely(server: fake.Server) -> None:
    at = f"custom:mine@{server.url}"
    with pytest.raises(InvalidInput, match="https://"):
        custom(at, Secret(KEY))
    with pytest.raises(InvalidInput, match="https://"):
        custom("custom:mine@http://llm.example.com/v1", Secret(KEY), local=True)
    inward = failure(custom(at.replace("http:", "https:"), Secret(KEY)))
    assert inward.error == "This address may not be called: a server of your own must be on the open internet."
    assert server.requests == []
    assert answer(custom(at, Secret(KEY), local=True)).text == "Hello, world."
    assert server.requests[0].key == KEY


# Lists


def listed(server: fake.Server, body: object, name: str = "openai") -> tuple[str, ...]:
    server.plans = [fake.answers(body)]
    return list_models(servers.server(name), settings_for(server, name), {name: Secret(KEY)})


def rows(*names: object) -> list[dict[str, object]]:
    return [{"id": name, "object": "model", "created": i} for i, name in enumerate(names)]


def test_the_newest_of_openais_models_come_first(server: fake.Server) -> None:
    assert listed(server, {"data": rows("old", "new")}) == ("new", "old")
    assert (server.requests[0].path, server.requests[0].key) == ("/v1/models", KEY)


def test_other_servers_keep_their_order(server: fake.Server) -> None:
    assert listed(server, {"data": rows("b", "a", "b")}, "groq") == ("b", "a")
    assert listed(server, rows("b", "a"), "groq") == ("b", "a")


def test_only_models_that_generate_text_are_listed(server: fake.Server) -> None:
    odd = rows("x" * 121, "a\nb", "", "  ", 7, None, "\u202e", "gpt-x")
    others = rows("text-embedding-3-small", "whisper-1", "tts-1-hd", "gpt-4o-mini-tts", "dall-e-3", "omni-moderation")
    more = rows("bge-reranker-v2", "nomic-embed-text", "butts-7b")
    assert listed(server, {"data": [*odd, "text", *others, *more]}, "groq") == ("gpt-x", "butts-7b")


def test_a_list_without_end_is_cut(server: fake.Server) -> None:
    assert len(listed(server, {"data": rows(*(f"m{i}" for i in range(10_000)))}, "groq")) == 500


def test_anthropics_list_is_asked_for_in_its_own_way(server: fake.Server) -> None:
    assert listed(server, {"data": rows("claude-x")}, "anthropic") == ("claude-x",)
    headers = server.requests[0].headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in headers


@pytest.mark.parametrize("body", [{"data": None}, {"models": []}, 7, "not JSON", ""])
def test_what_is_no_list_is_said_to_be_none(server: fake.Server, body: object) -> None:
    with pytest.raises(Unreachable, match="not in the form that was asked for"):
        listed(server, body)


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("body", [{"detail": "Not Found"}, "<html>no</html>", ""])
def test_a_server_without_a_list_is_said_to_have_none(server: fake.Server, status: int, body: object) -> None:
    server.plans = [fake.refuses(status, body)]
    with pytest.raises(RemoteError) as found:
        list_models(servers.server("openai"), settings_for(server), {"openai": Secret(KEY)})
    assert str(found.value) == (
        f"OpenAI gives no list of its models ({status}). "
        "Type the id of a model; if that is not answered either, check the URL."
    )


SAYS_IT_SEES: dict[str, dict[str, object]] = {
    "OpenRouter": {"architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]}},
    "OpenRouter, before": {"architecture": {"modality": "text+image->text"}},
    "xAI": {"input_modalities": ["text", "image"]},
    "GitHub": {"supported_input_modalities": ["text", "image", "audio"]},
    "models.dev": {"modalities": {"input": ["text", "image"], "output": ["text"]}},
    "Mistral": {"capabilities": {"completion_chat": True, "vision": True}},
    "Anthropic": {"capabilities": {"image_input": {"supported": True}}},
    "Copilot": {"capabilities": {"supports": {"vision": True}}},
    "Ollama": {"capabilities": ["completion", "vision"]},
    "llama.cpp": {"capabilities": ["completion", "multimodal"]},
    "litellm": {"model_info": {"supports_vision": True}},
    "Fireworks": {"supports_image_input": True},
    "LM Studio": {"type": "vlm"},
}
SAYS_IT_DOES_NOT: dict[str, dict[str, object]] = {
    "OpenRouter": {"architecture": {"input_modalities": ["text"]}},
    "OpenRouter, before": {"architecture": {"modality": "text->text+image"}},
    "Mistral": {"capabilities": {"completion_chat": True, "vision": False}},
    "Anthropic": {"capabilities": {"image_input": {"supported": False}}},
    "litellm": {"supports_vision": False},
}
SAYS_NOTHING: dict[str, dict[str, object]] = {
    "OpenAI": {"owned_by": "library"},
    "llama.cpp": {"capabilities": ["completion"], "meta": {"n_ctx": 4096}},
    "odd": {"architecture": 7, "capabilities": None, "input_modalities": {}, "modalities": "text", "type": ["x"]},
}


@pytest.mark.parametrize("how", SAYS_IT_SEES)
def test_what_a_list_says_of_a_models_eyes_counts(server: fake.Server, how: str) -> None:
    data = [{"id": "llava"} | SAYS_IT_SEES[how], {"id": "own-model"} | SAYS_IT_SEES[how]]
    names = listed(server, {"data": data}, "openrouter")
    assert names == ("llava", "own-model#vision")
    assert all(catalog.spec(f"openrouter:{name}").sees for name in names)


@pytest.mark.parametrize("how", SAYS_IT_DOES_NOT)
def test_what_a_list_says_against_it_counts_too(server: fake.Server, how: str) -> None:
    data = [{"id": "llava"} | SAYS_IT_DOES_NOT[how], {"id": "own-model"} | SAYS_IT_DOES_NOT[how]]
    assert listed(server, {"data": data}, "openrouter") == ("llava#text", "own-model")


@pytest.mark.parametrize("how", SAYS_NOTHING)
def test_a_list_that_says_nothing_leaves_the_name(server: fake.Server, how: str) -> None:
    data = [{"id": "llava"} | SAYS_NOTHING[how], {"id": "own-model"} | SAYS_NOTHING[how]]
    assert listed(server, {"data": data}, "openrouter") == ("llava", "own-model")


def test_llamacpp_says_it_beside_openais_list(server: fake.Server) -> None:
    beside = [{"name": "m.gguf", "model": "m.gguf", "capabilities": ["completion", "multimodal"]}, 7]
    assert listed(server, {"models": beside, "data": rows("m.gguf", "n.gguf")}, "llamacpp") == (
        "m.gguf#vision",
        "n.gguf",
    )


def test_an_image_is_sent_to_a_model_that_is_said_to_see(server: fake.Server) -> None:
    answer(opened(server, "openrouter:own-model#vision"), request(Message("user", "What is it?", (PNG,))))
    assert server.requests[0].body["model"] == "own-model"
    assert server.requests[0].body["messages"][0]["content"][1]["type"] == "image_url"


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_a_list_that_is_refused(server: fake.Server, status: int) -> None:
    server.plans = [fake.refuses(status)]
    with pytest.raises(RemoteError, match=f"({status})") as found:
        list_models(servers.server("openai"), settings_for(server), {"openai": Secret(KEY)})
    assert KEY not in str(found.value) + repr(found.value.__context__) + repr(found.value.__cause__)
