"""Gemini by either of its SDKs, against one fake server: the same requests, the same faults, the same sentences."""

from __future__ import annotations

import base64
import functools
import json
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpcore2
import pytest

from core import catalog
from core.catalog.servers import server
from core.errors import InvalidInput, KeyRefused, QuotaSpent, UnknownModel, Unreachable
from core.pictures import mime
from core.providers import Model, list_models, open_remote
from core.remote.endpoint import Endpoint
from core.remote.guarded_client import GuardedClient
from core.settings import DeploymentKey, Secret, Settings
from core.types import Delta, Event, Failed, Finished, Message, Output, Request, Value
from tests.support.fake_gemini import (
    Call,
    Chunk,
    FakeGemini,
    Plan,
    chunk,
    endless,
    model,
    refusal,
    silence,
    stall,
    stream,
    usage,
)

KEY = "QZ-deployment-key-1234567890"
NEW, OLD = "google-genai", "google-generativeai"
LITE = "gemini-3.5-flash-lite"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8

Seen = list[Event]


@pytest.fixture(scope="session", autouse=True)
def _one_set_of_certificates() -> Iterator[None]:
    """Reading the system's certificates for every connection would be most of this file's time; none is used here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        patch.setattr(httpcore2, "default_ssl_context", functools.cache(httpcore2.default_ssl_context))
        yield


class House:
    """A deployment with one SDK, one fake server and a key that counts."""

    def __init__(self, sdk: str, fake: FakeGemini, folder: Path) -> None:
        self.sdk, self.fake, self._folder = sdk, fake, folder
        self.asked, self.used = 0, 0
        self.seen: Seen = []

    @property
    def legacy(self) -> bool:
        return self.sdk == OLD

    def settings(self, **changes: object) -> Settings:
        row = {"data": self._folder, "base_urls": {"gemini": self.fake.url}, "gemini_sdk": self.sdk}
        return Settings(**(row | {"remote_read_seconds": 20.0} | changes))  # type: ignore[arg-type]

    def lent(self, key: str = KEY) -> dict[str, Secret]:
        return {"gemini": DeploymentKey(key, self._ask, self._use)}

    def open(self, name: str = LITE, key: str = KEY, **changes: object) -> Model:
        return open_remote(catalog.spec(f"gemini:{name}"), self.settings(**changes), self.lent(key))

    def answer(
        self,
        request: Request | None = None,
        name: str = LITE,
        stopped: Callable[[int], bool] = lambda i: False,
        **changes: object,
    ) -> Event:
        """The last event of one request on a fresh model, which must be its only final one."""
        opened = self.open(name, **changes)
        try:
            events = list(opened.generate([request or ask()], stopped))
        finally:
            opened.close()
        self.seen += events
        assert [isinstance(event, Finished | Failed) for event in events] == [False] * (len(events) - 1) + [True]
        return events[-1]

    def output(self, request: Request | None = None, **named: object) -> Output:
        event = self.answer(request, **named)  # type: ignore[arg-type]
        assert isinstance(event, Finished), event
        return event.output

    def failure(self, request: Request | None = None, **named: object) -> Failed:
        event = self.answer(request, **named)  # type: ignore[arg-type]
        assert isinstance(event, Failed), event
        return event

    def _ask(self) -> None:
        self.asked += 1

    def _use(self, tokens: int) -> None:
        self.used += tokens


@pytest.fixture
def fake() -> Iterator[FakeGemini]:
    with FakeGemini() as found:
        yield found


def _house(sdk: str, fake: FakeGemini, folder: Path, caplog: pytest.LogCaptureFixture) -> Iterator[House]:
    caplog.set_level(logging.DEBUG)
    found = House(sdk, fake, folder)
    yield found
    records = caplog.get_records("call")
    assert records or not fake.requests
    assert not [record for record in records if KEY in record.getMessage() + repr(vars(record))]
    assert KEY not in repr(found.seen)


@pytest.fixture(params=[NEW, OLD])
def house(
    request: pytest.FixtureRequest, fake: FakeGemini, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[House]:
    """Either SDK. Whatever a test makes it say, its key is in no event and in no log."""
    yield from _house(request.param, fake, tmp_path, caplog)


@pytest.fixture
def new(fake: FakeGemini, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[House]:
    yield from _house(NEW, fake, tmp_path, caplog)


@pytest.fixture
def old(fake: FakeGemini, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[House]:
    yield from _house(OLD, fake, tmp_path, caplog)


def ask(text: str = "Hi", *, seed: int = 7, chat: bool = True, **parameters: Value) -> Request:
    return Request(messages=(Message("user", text),), parameters=parameters, seed=seed, chat=chat)


def config(house: House, at: int = -1) -> Chunk:
    return house.fake.bodies[at].get("generationConfig", {})  # type: ignore[no-any-return]


# What goes out, and what comes back.


def test_an_answer_comes_piece_by_piece_and_counts(house: House) -> None:
    done = house.output()
    assert [event for event in house.seen if isinstance(event, Delta)] == [Delta(0, "Hello", 1), Delta(0, " there", 2)]
    assert (done.text, done.finish, done.prompt_tokens, done.output_tokens) == ("Hello there", "stop", 3, 2)
    assert done.first_token_seconds is not None
    assert done.provenance["model_version"] == "gemini-fake-001"
    assert done.provenance["versions"].keys() == {house.sdk}  # type: ignore[attr-defined]
    assert done.provenance["host"] == house.fake.url.removeprefix("http://")
    assert done.provenance["seed"] == (None if house.legacy else 7)
    assert (house.asked, house.used, house.fake.keys) == (1, 5, [KEY])


def test_a_talk_goes_out_in_googles_roles_on_v1beta(house: House) -> None:
    talk = (
        Message("system", "Be brief."),
        Message("user", "One?"),
        Message("assistant", "1"),
        Message("user", "Two?", (PNG,)),
        Message("assistant", "It is"),
    )
    house.output(Request(messages=talk, parameters={}, seed=1))
    body = house.fake.bodies[0]
    assert house.fake.requests[0].path.startswith(f"/v1beta/models/{LITE}:streamGenerateContent?")
    assert [one["role"] for one in body["contents"]] == ["user", "model", "user", "model"]
    assert body["systemInstruction"]["parts"][0]["text"] == "Be brief."
    image = body["contents"][2]["parts"][0]["inlineData"]
    assert image.get("mimeType", image.get("mime_type")) == "image/png"
    assert base64.b64decode(image["data"]) == PNG
    assert body["contents"][3]["parts"] == [{"text": "It is"}]


def test_parameters_go_out_under_googles_names(house: House) -> None:
    house.output(ask(temperature=0.5, top_p=0.25, top_k=4, max_new_tokens=9, stop=("a", "b"), thinking="default"))
    sent = config(house)
    assert sent.pop("seed", 7) == 7
    assert sent == {"temperature": 0.5, "topP": 0.25, "topK": 4, "maxOutputTokens": 9, "stopSequences": ["a", "b"]}


def test_without_chat_the_messages_are_one_text(house: House) -> None:
    talk = (Message("system", "A"), Message("user", "B"))
    house.output(Request(messages=talk, parameters={}, seed=0, chat=False))
    assert house.fake.bodies[0]["contents"] == [{"role": "user", "parts": [{"text": "A\n\nB"}]}]
    assert "systemInstruction" not in house.fake.bodies[0]


def test_text_that_is_cut_inside_a_character_arrives_whole(house: House) -> None:
    house.fake.plan(stream(chunk("naïve 日本 🦜"), chunk(" ende", "STOP", usage(1, 1)), split=1))
    assert house.output().text == "naïve 日本 🦜 ende"


def test_line_separators_in_an_answer_split_nothing(house: House) -> None:
    house.fake.plan(stream(chunk('a\u2028b\u2029c\u0085d "}{][\\'), chunk("", "STOP")))
    assert house.output().text == 'a\u2028b\u2029c\u0085d "}{][\\'


def test_broken_surrogates_are_mended_both_ways(house: House) -> None:
    house.output(ask("half \ud800 pair"))
    assert house.fake.bodies[0]["contents"][0]["parts"][0]["text"] == "half ? pair"


def test_a_model_takes_request_after_request(house: House) -> None:
    opened = house.open()
    house.fake.plan(stream(chunk("one", "STOP")), refusal(500, "INTERNAL"), stream(chunk("three", "STOP")))
    events = [event for event in opened.generate([ask()] * 3, lambda i: False) if not isinstance(event, Delta)]
    opened.close()
    assert [(event.index, type(event)) for event in events] == [(0, Finished), (1, Failed), (2, Finished)]


def test_thoughts_are_counted_and_not_shown(new: House) -> None:
    thought = chunk(parts=[{"text": "Hm.", "thought": True}], usage={"promptTokenCount": 3, "thoughtsTokenCount": 4})
    new.fake.plan(stream(thought, chunk("Yes", "STOP", usage(3, 2, 40))))
    done = new.output(ask(thinking="low"))
    assert (done.text, done.output_tokens, done.thought_tokens) == ("Yes", 42, 40)
    assert config(new)["thinkingConfig"] in ({"thinking_level": "LOW"}, {"thinkingLevel": "LOW"})
    assert new.used == 45


def test_the_old_sdk_knows_thoughts_by_what_is_left_of_the_total(old: House) -> None:
    old.fake.plan(stream(chunk("Yes", "STOP", usage(3, 2, 40))))
    done = old.output()
    assert (done.output_tokens, done.thought_tokens, old.used) == (42, 40, 45)


def test_a_schema_is_sent_as_json_schema(new: House) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    new.output(ask(json_schema=json.dumps(schema)))
    assert config(new)["responseMimeType"] == "application/json"
    assert config(new)["responseJsonSchema"] == schema


def test_a_model_that_draws_is_asked_for_images_and_gives_them(new: House) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAAAAAAAAAA=="}}
    fraud = {"inlineData": {"mimeType": "image/png", "data": "bm90IGFuIGltYWdl"}}
    new.fake.plan(stream(chunk(parts=[{"text": "Here:"}, image, fraud], finish="STOP")))
    done = new.output(name="gemini-3.1-flash-image")
    assert [mime(image) for image in done.images] == ["image/png"]
    assert done.notes[:1] == ("An image came in a form that cannot be shown.",)
    assert config(new)["responseModalities"] == ["TEXT", "IMAGE"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (ask(stop=tuple("abcdef")), "at most 5 stop strings; these are 6"),
        (Request(messages=(Message("system", "A"),), parameters={}, seed=0), "only a system message"),
        (Request(messages=(Message("user", "A", (b"GIF89a",)),), parameters={}, seed=0), "neither PNG nor JPEG"),
        (ask(json_schema="{"), "not JSON"),
        (ask(json_schema="[1]"), "must be an object"),
        (ask(json_schema='{"a": NaN}'), "not JSON"),
        (ask(json_schema="[" * 100_000), "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_asked_is_said_before_anything_is_sent(house: House, request_: Request, words: str) -> None:
    failed = house.failure(request_)
    assert (failed.kind, house.fake.requests, house.asked) == ("InvalidInput", [], 0)
    assert words in failed.error


@pytest.mark.parametrize("name", ["gemini/../secrets", "a?b", "a b", "models/../x", "a#b", "ü"])
def test_a_name_that_would_change_the_url_is_refused(house: House, name: str) -> None:
    spec = replace(catalog.spec(f"gemini:{LITE}"), source=name)
    with pytest.raises(UnknownModel, match="cannot be a model of Gemini"):
        open_remote(spec, house.settings(), house.lent())


@pytest.mark.parametrize(
    ("parameters", "name", "words"),
    [
        ({"thinking": "low"}, LITE, "no thinking level. Set 'Thinking' to default."),
        ({"json_schema": '{"type": "object"}'}, LITE, "no JSON schema"),
        ({}, "gemini-3.1-flash-image", "draws no images"),
    ],
)
def test_the_old_sdk_says_what_it_cannot_say(old: House, parameters: dict[str, Value], name: str, words: str) -> None:
    failed = old.failure(ask(**parameters), name=name)
    assert (failed.kind, old.fake.requests) == ("InvalidInput", [])
    assert words in failed.error


def test_the_old_sdk_notes_that_there_was_no_seed(old: House) -> None:
    assert old.output().notes == ("The seed was not used by this SDK.",)


def test_settings_that_a_model_does_not_take_are_noted(new: House) -> None:
    done = new.output(ask(temperature=0.5, min_p=0.1), name="gemini-4-hydrogen")
    assert done.notes == ("min_p and temperature were not used by this model",)
    assert config(new) == {"seed": 7}


# Asked again with less.

UNKNOWN = "Invalid JSON payload received. Unknown name \"{}\" at 'generation_config'."


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("temperature is not supported by this model", {"temperature"}),
        (UNKNOWN.format("topP"), {"topP"}),
        ("top_k must be between 1 and 64", {"topK"}),
        ("stopSequences is not enabled", {"stopSequences"}),
        ("Request contains an invalid argument.", {"temperature", "topP", "topK", "stopSequences", "seed"}),
    ],
)
def test_a_400_is_asked_once_more_without_what_it_names(house: House, message: str, gone: set[str]) -> None:
    house.fake.plan(refusal(400, "INVALID_ARGUMENT", message))
    done = house.output(ask(temperature=0.5, top_p=0.5, top_k=5, stop=("x",), max_new_tokens=9))
    assert len(house.fake.requests) == house.asked == 2
    assert set(config(house, 0)) - set(config(house, 1)) == gone - ({"seed"} if house.legacy else set())
    assert config(house, 1)["maxOutputTokens"] == 9
    if gone == {"temperature"}:
        assert "temperature was not used by this model" in done.notes
    assert any("not used by this model" in note for note in done.notes)


@pytest.mark.parametrize(
    ("parameters", "message", "kept"),
    [
        ({"thinking": "high"}, "Thinking level is not supported for this model.", {"seed"}),
        ({"json_schema": '{"type": "object"}'}, "response_json_schema: too deep", {"seed"}),
        ({"temperature": 0.5}, "seed is not supported", {"temperature"}),
    ],
)
def test_what_only_the_new_sdk_sends_is_left_out_too(
    new: House, parameters: dict[str, Value], message: str, kept: set[str]
) -> None:
    new.fake.plan(refusal(400, "INVALID_ARGUMENT", message))
    done = new.output(ask(**parameters))
    assert set(config(new)) == kept
    assert len(done.notes) == 1
    assert done.provenance["seed"] == (7 if "seed" in kept else None)


def test_a_400_that_stays_is_an_error_after_two_requests(house: House) -> None:
    house.fake.plan(*[refusal(400, "INVALID_ARGUMENT", "Nothing suits me.")] * 3)
    failed = house.failure(ask(temperature=0.5))
    assert (failed.kind, len(house.fake.requests), house.asked) == ("RemoteError", 2, 2)
    assert failed.error.startswith("Google Gemini does not take this request (400). It says: Nothing suits me. ([key])")


def test_a_400_without_anything_to_leave_out_is_asked_once(old: House) -> None:
    old.fake.plan(refusal(400, "INVALID_ARGUMENT", "Nothing suits me."))
    assert old.failure(ask(max_new_tokens=5)).kind == "RemoteError"
    assert len(old.fake.requests) == 1


def test_refused_parameters_are_left_out_one_by_one(house: House) -> None:
    messages = ["temperature is not supported", UNKNOWN.format("topP"), "top_k must be between 1 and 64"]
    house.fake.plan(*[refusal(400, "INVALID_ARGUMENT", message) for message in messages])
    done = house.output(ask(temperature=0.5, top_p=0.5, top_k=5, max_new_tokens=9))
    assert len(house.fake.requests) == house.asked == 4
    assert config(house, -1).keys() - {"seed"} == {"maxOutputTokens"}
    assert "temperature, top_p and top_k were not used by this model" in done.notes


def test_what_is_refused_again_ends_it(house: House) -> None:
    house.fake.plan(*[refusal(400, "INVALID_ARGUMENT", "temperature is not supported")] * 3)
    assert "temperature is not supported" in house.failure(ask(temperature=0.5, top_k=5)).error
    assert len(house.fake.requests) == 2


@pytest.mark.parametrize(
    "message",
    [
        "Invalid JSON schema: unrecognized type nonsense",
        "* GenerateContentRequest.generation_config.response_schema.properties: should be non-empty for OBJECT type",
    ],
)
def test_a_wrong_schema_is_an_error_to_show(new: House, message: str) -> None:
    new.fake.plan(refusal(400, "INVALID_ARGUMENT", message))
    assert message in new.failure(ask(json_schema='{"type": "nonsense"}', temperature=0.5)).error
    assert len(new.fake.requests) == 1


def test_a_schema_is_not_left_out_for_a_refusal_that_names_nothing(new: House) -> None:
    new.fake.plan(*[refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")] * 2)
    assert new.failure(ask(json_schema="{}", temperature=0.5)).kind == "RemoteError"
    assert [set(config(new, at)) - {"responseMimeType"} for at in (0, 1)] == [
        {"responseJsonSchema", "temperature", "seed"},
        {"responseJsonSchema"},
    ]


@pytest.mark.parametrize("status", ["INVALID_ARGUMENT", "FAILED_PRECONDITION"])
def test_a_model_without_system_instructions_is_told_in_the_first_users_turn(house: House, status: str) -> None:
    words = "Developer instruction is not enabled for models/gemma-3-27b-it"
    house.fake.plan(refusal(400, status, words))
    talk = (Message("system", "Be brief."), Message("user", "One?", (PNG,)), Message("assistant", "1"))
    done = house.output(Request(messages=(*talk, Message("user", "Two?")), parameters={"temperature": 0.5}, seed=1))
    first, second = house.fake.bodies
    assert first["systemInstruction"]["parts"][0]["text"] == "Be brief."
    assert "systemInstruction" not in second
    assert second["contents"][0]["parts"][-1] == {"text": "Be brief.\n\nOne?"}
    assert [one["role"] for one in second["contents"]] == ["user", "model", "user"]
    assert second["generationConfig"] == first["generationConfig"]
    assert not [note for note in done.notes if "not used by this model" in note]


def test_without_a_system_text_that_refusal_is_an_error(house: House) -> None:
    house.fake.plan(refusal(400, "INVALID_ARGUMENT", "Developer instruction is not enabled."))
    assert "Developer instruction" in house.failure(ask(temperature=0.5)).error
    assert len(house.fake.requests) == 1


def test_a_400_of_another_kind_is_not_asked_again(house: House) -> None:
    house.fake.plan(refusal(400, "FAILED_PRECONDITION", "User location is not supported."))
    assert "location" in house.failure(ask(temperature=0.5)).error
    assert len(house.fake.requests) == 1


def test_the_allowance_is_asked_before_every_request(house: House) -> None:
    def spent() -> None:
        raise QuotaSpent("Used up.", 60)

    opened = open_remote(
        catalog.spec(f"gemini:{LITE}"), house.settings(), {"gemini": DeploymentKey(KEY, spent, lambda tokens: None)}
    )
    assert list(opened.generate([ask()], lambda i: False)) == [Failed(0, "Used up.", "QuotaSpent")]
    assert house.fake.requests == []


# Faults: each has its sentence, exactly one end, and harms no neighbour.

RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
REVOKED = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


def whole(status: int, body: bytes, kind: str = "application/json") -> Plan:
    return lambda call: call.send(status, body, kind)


FAULTS: dict[str, tuple[Plan, str, str]] = {
    "401": (refusal(401, "UNAUTHENTICATED"), "KeyRefused", "does not take this key (401)"),
    "403": (refusal(403, "PERMISSION_DENIED"), "KeyRefused", "does not take this key (403)"),
    "revoked": (refusal(400, "INVALID_ARGUMENT", "No.", REVOKED), "KeyRefused", "does not take this key (400)"),
    "404": (refusal(404, "NOT_FOUND"), "RemoteError", f"has no model '{LITE}', or this key may not use it (404)"),
    "408": (refusal(408), "Unreachable", "took too long and gave up (408)"),
    "413": (refusal(413), "RemoteError", "The prompt is too large for Google Gemini (413)"),
    "429": (refusal(429, "RESOURCE_EXHAUSTED"), "QuotaSpent", "(429). Wait a little, or use another key or model."),
    "429 retry info": (refusal(429, "RESOURCE_EXHAUSTED", "No.", RETRY), "QuotaSpent", "Try again in 7 s."),
    "429 retry after": (refusal(429, "RESOURCE_EXHAUSTED", Retry_After="11"), "QuotaSpent", "Try again in 11 s."),
    "500": (refusal(500, "INTERNAL"), "Unreachable", "Google Gemini failed (500)"),
    "502 html": (whole(502, b"<html>Bad <b>Gateway</b></html>", "text/html"), "Unreachable", "being mended (502)"),
    "503": (refusal(503, "UNAVAILABLE", "Overloaded."), "Unreachable", "overloaded or being mended (503)"),
    "foreign json": (whole(200, b'{"hello": "world"}'), "Unreachable", "not in the form that was asked for"),
    "foreign text": (whole(200, b"hello", "text/plain"), "Unreachable", "not in the form that was asked for"),
    "foreign html": (whole(200, b"<html>{}</html>", "text/html"), "Unreachable", "not in the form that was asked for"),
    "nothing": (whole(200, b""), "Unreachable", "not in the form that was asked for"),
    "foreign chunks": (stream({"hello": 1}), "Unreachable", "not in the form that was asked for"),
    "no candidates": (stream({"candidates": [], "usageMetadata": usage(3, 0)}), "RemoteError", "with nothing in it"),
    "cut": (stream(chunk("Hel"), chunk("lo"), whole=False), "Unreachable", "broke in the middle of the answer"),
    "unfinished": (stream(chunk("Hel"), chunk("lo")), "Unreachable", "broke in the middle of the answer"),
    "prompt blocked": (
        stream({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage(3, 0)}),
        "Blocked",
        "does not answer this prompt: this content is prohibited (PROHIBITED_CONTENT). Change the prompt.",
    ),
    "answer blocked": (stream(chunk(None, "SAFETY")), "Blocked", "its safety filter objects (SAFETY)"),
    "recitation": (stream(chunk(None, "RECITATION")), "Blocked", "somebody's work word for word (RECITATION)"),
    "personal data": (stream(chunk(None, "SPII")), "Blocked", "personal data in it (SPII)"),
    "all thought": (
        stream(chunk(None, "MAX_TOKENS", usage(3, 0, 64))),
        "RemoteError",
        "spent its tokens on thinking before it wrote anything. Raise 'Max new tokens' or lower 'Thinking'.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence_in_its_cell(house: House, fault: str) -> None:
    plan, kind, words = FAULTS[fault]
    house.fake.plan(plan)
    failed = house.failure()
    assert (failed.index, failed.kind) == (0, kind)
    assert words in failed.error
    assert len(house.fake.requests) == 1
    assert house.output().text == "Hello there"


@pytest.mark.parametrize("reason", ["IMAGE_SAFETY", "NO_IMAGE", "UNEXPECTED_TOOL_CALL", "MODEL_ARMOR"])
def test_reasons_that_only_the_new_sdk_knows(new: House, reason: str) -> None:
    new.fake.plan(stream(chunk(None, reason)))
    failed = new.failure()
    assert failed.kind == "Blocked"
    assert f"({reason})" in failed.error


@pytest.mark.filterwarnings("ignore:BRAND_NEW is not a valid FinishReason")
def test_a_reason_that_is_newer_than_the_sdk_is_a_reason_all_the_same(house: House) -> None:
    house.fake.plan(stream(chunk(None, "BRAND_NEW")))
    assert house.failure().error.endswith(
        f"it does not explain this ({'REASON_99' if house.legacy else 'BRAND_NEW'}). Change the prompt or try again."
    )


def test_a_model_that_was_shut_down_has_a_successor(house: House) -> None:
    house.fake.plan(refusal(404, "NOT_FOUND"))
    failed = house.failure(name="gemini-2.0-flash")
    assert failed.error == "Google has shut down gemini-2.0-flash. Choose gemini-3.5-flash-lite, its successor."


def test_an_answer_at_its_limit_says_so(house: House) -> None:
    house.fake.plan(stream(chunk("Once upon", "MAX_TOKENS", usage(3, 2))))
    done = house.output()
    assert (done.text, done.finish) == ("Once upon", "length")


def test_an_answer_that_is_cut_by_a_filter_is_shown_with_a_note(house: House) -> None:
    house.fake.plan(stream(chunk("Once upon"), chunk(None, "SAFETY", usage(3, 2))))
    done = house.output()
    assert done.text == "Once upon"
    assert "The answer was cut: its safety filter objects (SAFETY)." in done.notes


def test_an_empty_answer_is_an_answer_with_a_note(house: House) -> None:
    house.fake.plan(stream(chunk(None, "STOP", usage(3, 0))))
    done = house.output()
    assert done.text == ""
    assert "The model ended without writing anything." in done.notes


def test_an_error_inside_a_stream_is_its_own_sentence(new: House) -> None:
    late: Chunk = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "Overloaded."}}
    new.fake.plan(stream(chunk("Hel"), late))
    failed = new.failure()
    assert (failed.kind, len(new.fake.requests)) == ("Unreachable", 1)
    assert "overloaded or being mended (503)" in failed.error


def test_a_server_that_is_not_there(house: House) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    failed = house.failure(base_urls={"gemini": f"http://127.0.0.1:{port}"})
    assert (failed.kind, "cannot be reached" in failed.error) == ("Unreachable", True)
    assert house.output().text == "Hello there"


@pytest.mark.parametrize(("plan", "words"), [(stall, "stopped sending"), (silence, "did not answer in time")])
def test_a_server_that_stalls_is_given_up(house: House, plan: Plan, words: str) -> None:
    house.fake.plan(plan)
    failed = house.failure(remote_read_seconds=0.3)
    assert (failed.kind, words in failed.error) == ("Unreachable", True)
    assert house.output().text == "Hello there"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(house: House, status: int) -> None:
    with FakeGemini() as other:
        house.fake.plan(lambda call: call.send(status, b"", Location=other.url + call.recorded.path))
        failed = house.failure()
        assert (failed.kind, f"({status}); that is not followed" in failed.error) == ("Unreachable", True)
        assert other.requests == []
    assert len(house.fake.requests) == 1
    assert house.output().text == "Hello there"


def test_a_body_without_end_is_not_read_to_its_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Endpoint, "client", lambda endpoint, settings: GuardedClient(endpoint.rule, read=20.0, max_bytes=100_000)
    )
    house.fake.plan(endless)
    failed = house.failure()
    assert (failed.kind, "more than an answer can hold" in failed.error) == ("Unreachable", True)
    assert house.output().text == "Hello there"


def test_the_environments_proxies_are_not_used(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    assert house.output().text == "Hello there"


# Stop.


def test_stop_while_nothing_arrives_keeps_what_there_is(house: House) -> None:
    house.fake.plan(stall)
    opened = house.open()
    stop = threading.Event()
    events: Seen = []
    for event in opened.generate([ask()], lambda i: stop.is_set()):
        events.append(event)
        if isinstance(event, Delta):
            asked_at = time.monotonic()
            stop.set()
    assert time.monotonic() - asked_at < 2
    assert isinstance(events[-1], Finished)
    assert (events[-1].output.text, events[-1].output.finish) == ("half", "cancelled")
    assert house.used == 4
    again = [event for event in opened.generate([ask()], lambda i: False) if isinstance(event, Finished)]
    assert [event.output.text for event in again] == ["Hello there"]
    opened.close()


def test_stop_before_the_first_byte(house: House) -> None:
    house.fake.plan(silence)
    began = time.monotonic()
    done = house.output(stopped=lambda i: house.fake.stalled.is_set())
    assert (done.text, done.finish) == ("", "cancelled")
    assert time.monotonic() - began < 8


def test_what_is_stopped_already_is_not_asked(house: House) -> None:
    assert house.output(stopped=lambda i: True).finish == "cancelled"
    assert house.fake.requests == []


def test_a_generation_that_is_dropped_lets_its_connection_go(house: House) -> None:
    house.fake.plan(stall)
    opened = house.open()
    events = opened.generate([ask()], lambda i: False)
    assert next(events) == Delta(0, "half", 1)
    events.close()  # type: ignore[attr-defined]
    assert [type(event) for event in opened.generate([ask()], lambda i: False)][-1] is Finished
    opened.close()


# Keys.


def rounds(opened: Model, times: int, name: str, texts: list[str]) -> None:
    for number in range(times):
        for event in opened.generate([ask(f"{name} {number}")], lambda i: False):
            texts.append(event.output.text if isinstance(event, Finished) else str(event))
    opened.close()


def together(*opened: tuple[str, Model], times: int) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {name: [] for name, _ in opened}
    threads = [threading.Thread(target=rounds, args=(one, times, name, texts[name])) for name, one in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    assert not any(thread.is_alive() for thread in threads)
    return texts


def echo(call: Call) -> None:
    """The last word of the prompt, without a Delta's worth of text more."""
    stream(chunk(call.recorded.body["contents"][0]["parts"][0]["text"], "STOP"))(call)


def test_two_visitors_with_two_keys_at_once(new: House) -> None:
    new.fake.default = echo
    keys = {"anna": "QZ-key-of-anna", "bert": "QZ-key-of-bert"}
    spec = catalog.spec(f"gemini:{LITE}")
    opened = [(name, open_remote(spec, new.settings(), {"gemini": Secret(key)})) for name, key in keys.items()]
    texts = together(*opened, times=200)
    assert len(new.fake.requests) == 400
    for one in new.fake.requests:
        name = one.body["contents"][0]["parts"][0]["text"].split()[0]
        assert one.key == keys[name]
    for name in keys:
        assert {f"{name} {number}" for number in range(200)} <= set(texts[name])


def test_the_old_sdks_clients_keep_the_key_they_were_made_with(old: House) -> None:
    old.fake.default = echo
    together(*[(name, old.open(key=f"QZ-key-of-{name}")) for name in ("anna", "bert")], times=10)
    assert len(old.fake.requests) == 20
    for one in old.fake.requests:
        name = one.body["contents"][0]["parts"][0]["text"].split()[0]
        assert one.key == f"QZ-key-of-{name}"


def test_the_old_sdk_carries_no_visitors_key(old: House) -> None:
    mine = {"gemini": Secret("QZ-visitor")}
    with pytest.raises(KeyRefused, match="only carries the deployment's own") as refused:
        open_remote(catalog.spec(f"gemini:{LITE}"), old.settings(), mine)
    with pytest.raises(KeyRefused, match="only carries the deployment's own"):
        list_models(server("gemini"), old.settings(), mine)
    assert "QZ-visitor" not in str(refused.value)
    assert old.fake.requests == []


@pytest.mark.parametrize("secrets", [{}, {"gemini": Secret("")}, {"openai": Secret("QZ-other")}])
def test_without_a_key_no_key_is_found_in_the_environment(
    house: House, secrets: dict[str, Secret], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "QZ-decoy")
    with pytest.raises(KeyRefused, match="There is no key for Google Gemini"):
        open_remote(catalog.spec(f"gemini:{LITE}"), house.settings(), secrets)
    assert house.fake.requests == []


@pytest.mark.parametrize("decoy", ["QZ-decoy", ""])
def test_a_key_in_the_environment_is_never_sent(house: House, decoy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.setenv(name, decoy)
    house.output()
    list_models(server("gemini"), house.settings(), house.lent())
    assert house.fake.keys == [KEY, KEY]
    assert not any("QZ-decoy" in json.dumps([one.headers, one.path]) for one in house.fake.requests)


def test_a_model_does_not_show_its_key(house: House) -> None:
    opened = house.open()
    list(opened.generate([ask()], lambda i: False))
    assert KEY not in repr(opened) + repr(vars(opened))
    opened.close()


@pytest.mark.parametrize("cut", [1, 9, len(KEY) - 1])
def test_a_key_that_an_answer_quotes_is_left_out(house: House, cut: int) -> None:
    house.fake.plan(stream(chunk("echo "), chunk(KEY[:cut]), chunk(KEY[cut:] + " end", "STOP", usage(3, 2))))
    done = house.output()
    assert done.text == "echo [key] end"
    assert "".join(event.text for event in house.seen if isinstance(event, Delta)) == done.text
    assert "The answer quoted the key that it was asked with; the key is left out." in done.notes


@pytest.mark.parametrize("counts", [None, usage(0, 0), {}])
def test_counts_that_are_none_are_unknown(house: House, counts: Chunk | None) -> None:
    house.fake.plan(stream(chunk("Hi"), chunk(" there", "STOP", counts)))
    done = house.output()
    assert (done.prompt_tokens, done.output_tokens, done.cost) == (None, 2, None)


# The list of models.


def test_the_list_has_what_generates(house: House) -> None:
    house.fake.models = [
        model(LITE, "generateContent", "countTokens"),
        model("gemini-embedding-001", "embedContent"),
        model("text-embedding-9", "generateContent"),
        model("gemini-9-flash-preview-tts", "generateContent"),
        model("gemini-9-live", "generateContent"),
        model("aqa", "generateContent"),
        model("x" * 121, "generateContent"),
        model("gemini\u202eevil", "generateContent"),
        model("gemini-3.1-flash-image", "generateContent"),
        model(LITE, "generateContent"),
    ]
    assert list_models(server("gemini"), house.settings(), house.lent()) == (LITE, "gemini-3.1-flash-image")
    assert re.fullmatch(r"/v1beta/models\?.*pageSize=1000.*", house.fake.requests[0].path)


def test_of_a_long_list_only_the_beginning_is_read(house: House) -> None:
    house.fake.models = [model(f"gemini-{number}", "generateContent") for number in range(3000)]
    assert list_models(server("gemini"), house.settings(), house.lent()) == tuple(f"gemini-{n}" for n in range(200))
    assert len(house.fake.requests) == 1


def test_the_pages_of_a_list_are_one(house: House) -> None:
    first = {"models": [model("one", "generateContent")], "nextPageToken": "5"}
    house.fake.plan(whole(200, json.dumps(first).encode()))
    house.fake.models = [model(name, "generateContent") for name in ("0", "1", "2", "3", "4", "two")]
    assert list_models(server("gemini"), house.settings(), house.lent()) == ("one", "two")


def test_an_empty_list_is_empty(house: House) -> None:
    assert list_models(server("gemini"), house.settings(), house.lent()) == ()


@pytest.mark.parametrize(
    ("plan", "error", "words"),
    [
        (refusal(400, "INVALID_ARGUMENT", "No.", REVOKED), KeyRefused, "does not take this key"),
        (refusal(401), KeyRefused, "does not take this key"),
        (refusal(429, "RESOURCE_EXHAUSTED", "No.", RETRY), QuotaSpent, "Try again in 7 s"),
        (whole(200, b"<html></html>", "text/html"), Unreachable, "not in the form"),
        (refusal(404), Unreachable, "not in the form"),
        (lambda call: call.hang_up(), Unreachable, "not an answer"),
    ],
    ids=["revoked", "401", "429", "html", "404", "cut"],
)
def test_a_list_that_does_not_come(house: House, plan: Plan, error: type[Exception], words: str) -> None:
    house.fake.plan(plan)
    with pytest.raises(error, match=words) as raised:
        list_models(server("gemini"), house.settings(), house.lent())
    assert KEY not in str(raised.value)
    assert len(house.fake.requests) == 1


def test_an_unknown_thinking_level_is_not_sent(new: House) -> None:
    failed = new.failure(ask(thinking="sideways"))
    assert (failed.kind, new.fake.requests) == (InvalidInput.__name__, [])
