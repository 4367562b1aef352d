"""Keys stay hidden, and whatever goes wrong becomes a sentence that says what to do."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import traceback
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import httpcore2
import httpx2
import pytest

from core.catalog.servers import custom, server
from core.errors import InvalidInput, KeyRefused, QuotaSpent, RemoteError, Unreachable
from core.remote.errors import (
    MAX_QUOTED,
    connection_error,
    format_error,
    retry_after_seconds,
    server_message,
    status_error,
)
from core.remote.guarded_client import AddressForbidden, ResponseTooLarge
from core.remote.keys import MAX_KEY, key_for, key_from, redacted
from core.settings import DeploymentKey, Secret, settings

GEMINI, OPENAI, OLLAMA = server("gemini"), server("openai"), server("ollama")
KEY = "AQ.Ab8RN6-very-secret-0123456789"

# --- keys


@pytest.mark.parametrize("typed", ["", " ", "\n\t ", "\u2003"])
def test_an_empty_key_is_asked_for(typed: str) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        key_from(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "sk-good\nX-Evil: 1",
        "sk-good\r\nHost: evil",
        "sk-go od",
        "sk-go\tod",
        "sk-göod",
        "sk-good\u200b",
        "sk-good\x00",
        "sk-\ud800",
        "sk-" + "g" * 100_000,
        "g" * (MAX_KEY + 1),
    ],
)
def test_what_is_no_key_is_refused_without_a_word_of_it(typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        key_from(typed)
    assert "sk-" not in str(caught.value)
    assert "ggg" not in str(caught.value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("typed", [KEY, f"  {KEY}\n", "x", "k" * MAX_KEY])
def test_a_key_is_what_was_typed_without_the_blanks_round_it(typed: str) -> None:
    assert key_from(typed).reveal() == typed.strip()


def test_a_key_is_found_under_its_own_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    mine = Secret("mine")
    assert key_for(OPENAI, {"openai": mine, "gemini": Secret("other")}) is mine
    with pytest.raises(KeyRefused, match="OpenAI"):
        key_for(OPENAI, {"gemini": Secret("other"), "OpenAI": mine, "": mine})
    assert key_for(OLLAMA, {"openai": mine}) is None
    assert key_for(OLLAMA, {"ollama": mine}) is mine


def test_used_keys_are_hidden_wherever_they_stand() -> None:
    odd = Secret("odd+key/with=signs")
    said = f"bad key odd+key/with=signs, odd+key/with=signs! ({KEY})"
    assert redacted(said, [odd, None, Secret("")]) == "bad key [key], [key]! ([key])"


@pytest.mark.parametrize("order", [1, -1])
def test_a_key_that_begins_with_another_is_hidden_whole(order: int) -> None:
    keys = [Secret("abcdef"), Secret("abcdef-and-more")][::order]
    assert redacted("it was abcdef-and-more", keys) == "it was [key]"


@pytest.mark.parametrize(
    "key",
    [
        "sk-abcdef0123456789",
        "sk-proj-ab_cd-0123456789",
        "sk-ant-api03-abcdef",
        "hf_abcdefghijkl",
        "gsk_abcdefghijkl",
        "AIzaSyA-abcdefghijk",
        "AQ.Ab8RN6-abcdefgh",
        "Bearer whatever.it-is",
        "bearer whatever.it-is",
    ],
)
def test_whatever_looks_like_a_key_is_hidden(key: str) -> None:
    for said in (key, f"key {key} is bad", f'{{"key": "{key}"}}', f"({key})", f"x={key}&y=1"):
        assert key.split()[-1] not in redacted(said, [])
        assert "[key]" in redacted(said, [])
    assert "abc" not in redacted("https://host.example/v1?key=abcdef&alt=sse", [])


@pytest.mark.parametrize("said", ["a risk-adjusted answer", "task-specific", "ask me", "gpt-4.1 and claude-haiku-5-5"])
def test_words_are_not_taken_for_keys(said: str) -> None:
    assert redacted(said, [Secret("abc")]) == said


def lent(value: str) -> DeploymentKey:
    return DeploymentKey(value, lambda: None, lambda tokens: None)


@pytest.mark.parametrize("make", [Secret, lent])
def test_a_secret_shows_itself_nowhere(make: Callable[[str], Secret], tmp_path: Path) -> None:
    secret = make(KEY)
    chosen = settings({"DIPTYCH_DATA": str(tmp_path)}, {"providers": {"gemini": {"api_key": KEY}}})
    shown = [f"{secret}", f"{secret!s}", f"{secret!r}", "%s %r" % (secret, secret), str([secret]), repr(chosen)]  # noqa: UP031
    shown += [json.dumps({"key": secret}, default=str), str({"a": secret}), f"{(secret,)}"]
    assert not [one for one in shown if KEY in one or "secret-0" in one]
    for thing in (secret, {"gemini": secret}, chosen):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="not pickled") as caught:
                pickle.dumps(thing, protocol)
            assert KEY not in str(caught.value)
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(secret)


def test_a_traceback_with_locals_does_not_show_a_secret() -> None:
    secret = Secret(KEY)

    def fails(given: Secret) -> None:
        raise ValueError("something else")

    try:
        fails(secret)
    except ValueError:
        kind, error, trace = sys.exc_info()
    shown = "".join(traceback.TracebackException(kind, error, trace, capture_locals=True).format())  # type: ignore[arg-type]
    assert "given = Secret('***')" in shown
    assert KEY not in shown.replace(f"KEY = {KEY!r}", "")


# --- statuses


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (301, Unreachable, "not followed"),
        (307, Unreachable, "not followed"),
        (400, RemoteError, "does not take this request"),
        (401, KeyRefused, "does not take this key"),
        (402, QuotaSpent, "no credit left"),
        (403, KeyRefused, "allowed to use m"),
        (404, RemoteError, "has no model 'm'"),
        (408, Unreachable, "took too long"),
        (409, RemoteError, "does not take this request"),
        (413, RemoteError, "too large"),
        (418, RemoteError, "does not take this request"),
        (422, RemoteError, "does not take this request"),
        (429, QuotaSpent, "no more requests"),
        (500, Unreachable, "failed"),
        (502, Unreachable, "overloaded"),
        (503, Unreachable, "overloaded"),
        (504, Unreachable, "took too long"),
        (529, Unreachable, "overloaded"),
        (599, Unreachable, "failed"),
    ],
)
def test_every_status_has_its_sentence(status: int, kind: type[RemoteError], words: str) -> None:
    error = status_error(status, OPENAI, "m")
    assert type(error) is kind
    assert words in str(error)
    assert "OpenAI" in str(error)
    assert str(error).endswith((".", "!"))
    if status != 404:
        assert str(status) in str(error)


@pytest.mark.parametrize("status", [400, 413, 429, 500, 502, 503])
def test_the_servers_own_words_are_quoted_where_they_help(status: int) -> None:
    assert "It says: max_tokens is 8192" in str(status_error(status, OPENAI, "m", message="max_tokens is 8192"))


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_they_are_not_where_a_key_was_refused(status: int) -> None:
    assert "sk-abc" not in str(status_error(status, OPENAI, "m", message="Incorrect API key provided: sk-abc***xyz"))


@pytest.mark.parametrize(
    "said", ["API key not valid. Please pass a valid API key.", "API key expired. Please renew the API key."]
)
def test_google_refuses_a_key_with_400(said: str) -> None:
    error = status_error(400, GEMINI, "gemini-3.8-flash", message=said)
    assert type(error) is KeyRefused
    assert "does not take this key" in str(error)


@pytest.mark.parametrize(("after", "words"), [(7.0, "7 s"), (6.2, "7 s"), (0.0, "1 s"), (None, "Wait a little")])
def test_how_long_to_wait(after: float | None, words: str) -> None:
    for status in (429, 503):
        error = status_error(status, OPENAI, "m", retry_after=after)
        assert words in str(error)
    assert status_error(429, OPENAI, "m", retry_after=after).retry_after == after  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("gone", "successor"),
    [
        ("gemini-2.0-flash", "gemini-3.5-flash-lite"),
        ("gemini-2.0-flash-lite", "gemini-3.5-flash-lite"),
        ("models/gemini-1.5-pro", "gemini-3.5-flash-lite"),
        ("gemini-2.5-pro", "gemini-3.8-flash"),
        ("gemini-2.5-flash", "gemini-3.5-flash-lite"),
        ("gemini-2.5-flash-image", "gemini-3.1-flash-image"),
        ("gemini-3-pro-preview", "gemini-3.8-flash"),
        ("gemini-3-pro-image-preview", "gemini-3-pro-image"),
        ("gemini-3.1-flash-image-preview", "gemini-3.1-flash-image"),
        ("imagen-4.0-generate-001", "gemini-3.1-flash-image"),
    ],
)
def test_what_google_shut_down_has_a_successor(gone: str, successor: str) -> None:
    said = str(status_error(404, GEMINI, gone))
    assert f"Choose {successor}, its successor" in said
    assert gone in said
    assert "successor" not in str(status_error(404, server("openrouter"), gone))


@pytest.mark.parametrize("model", ["gemini-2.5-flash-lite", "gemini-9", "gemini-10-flash", "m"])
def test_what_still_lives_has_none(model: str) -> None:
    assert "has no model" in str(status_error(404, GEMINI, model))


def test_a_successor_is_not_gone_itself() -> None:
    assert not [new for _, new in GEMINI.successors if "successor" in str(status_error(404, GEMINI, new))]


def test_a_name_without_end_is_shortened() -> None:
    for row in (GEMINI, OPENAI):
        assert len(str(status_error(404, row, "gemini-2.0-" + "x" * 10_000))) < 250


# --- quotes


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "stop is too long", "type": "invalid_request_error"}},
        {"error": "stop is too long"},
        {"message": "stop is too long"},
        {"detail": "stop is too long"},
        {"detail": [{"loc": ["body", "stop"], "msg": "stop is too long"}]},
        {"error": None, "message": "stop is too long"},
        [{"error": {"code": 400, "message": "stop is too long"}}],
        '{"error": {"message": "stop is too long"}}',
        b'{"error": {"message": "stop is too long"}}',
        bytearray(b'[{"error": {"message": "stop\\nis\\ttoo  long"}}]'),
        "stop is too long",
        "  stop is too long \r\n",
        "stop is\x1b too\x07 long",
    ],
)
def test_a_message_is_found_in_every_shape(body: object) -> None:
    assert server_message(body, []) == "stop is too long"


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        b"",
        17,
        [],
        {},
        {"error": None},
        {"error": {}},
        {"error": {"message": None}},
        {"error": {"message": 17}},
        "{not json",
        "[" * 200_000,
        '{"error":' * 100_000,
        "<html><h1>502 Bad Gateway</h1></html>",
        "  <!DOCTYPE html><p>no</p>",
        "<h1>Forbidden</h1>",
        {"error": {"message": "<!doctype html><script>alert(1)</script>"}},
        b"\xff\xfe<html>\x00",
    ],
)
def test_what_is_no_message_is_not_quoted(body: object) -> None:
    assert server_message(body, []) == ""


def test_a_message_nested_without_end_is_not_followed() -> None:
    body: dict[str, object] = {"message": "deep"}
    for _ in range(100_000):
        body = {"error": body}
    assert server_message(body, []) == ""
    while isinstance(body := body.pop("error", None), dict):  # type: ignore[assignment]
        pass


def test_keys_in_a_message_are_hidden() -> None:
    said = server_message({"error": {"message": f"key odd-key-77 and {KEY} are bad"}}, [Secret("odd-key-77"), None])
    assert said == "key [key] and [key] are bad"


def test_a_key_at_the_cut_is_hidden_before_it_is_cut() -> None:
    key = Secret("Z" * 100)
    for before in range(MAX_QUOTED - 110, MAX_QUOTED + 10):
        assert "ZZ" not in server_message("a " * (before // 2) + key.reveal(), [key])


def test_a_long_message_is_cut_to_one_line() -> None:
    said = server_message("word\n" * 1_000_000, [])
    assert len(said) == MAX_QUOTED
    assert said.endswith("…")
    assert "\n" not in said


# --- waiting


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("7s", 7.0),
        ("0.25s", 0.25),
        ("0", 0.0),
        (7, 7.0),
        (1.5, 1.5),
        (None, None),
        ("", None),
        ("soon", None),
        ("-7", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("9" * 400, None),
        ("\u0667", None),
        ("7 s", None),
        (b"7", None),
        ([], None),
        ("x" * 1_000_000, None),
        ("Mon, 99 Foo 9999 99:99:99 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ],
)
def test_seconds_to_wait(text: object, seconds: float | None) -> None:
    assert retry_after_seconds(text) == seconds


def test_a_date_to_wait_for() -> None:
    now = 1_795_000_000.0
    assert retry_after_seconds(formatdate(now + 90, usegmt=True), now) == 90
    assert retry_after_seconds(formatdate(now - 90, usegmt=True), now) == 0
    assert 0 < (retry_after_seconds(formatdate(usegmt=True, timeval=None)) or 1) < 60


# --- broken connections


def named(name: str, *bases: type[Exception]) -> Exception:
    """An exception of another library, known by its name only."""
    return type(name, bases or (Exception,), {})("quoting a prompt and sk-abcdefghijk")


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words", "midway"),
    [
        (AddressForbidden("10.0.0.1"), "may not be called", "may not be called"),
        (ResponseTooLarge("100"), "more than an answer can hold", "more than an answer can hold"),
        (httpx2.ReadTimeout("t"), "did not answer in time", "stopped sending"),
        (httpx2.WriteTimeout("t"), "did not answer in time", "stopped sending"),
        (httpx2.ConnectTimeout("t"), "cannot be reached", "broke in the middle"),
        (httpx2.ConnectError("c"), "cannot be reached", "broke in the middle"),
        (httpx2.ReadError("r"), "not an answer", "broke in the middle"),
        (httpx2.RemoteProtocolError("p"), "not an answer", "broke in the middle"),
        (caused(httpx2.ReadError("r"), ConnectionResetError()), "not an answer", "broke in the middle"),
        (caused(httpx2.ConnectError("c"), ConnectionRefusedError()), "cannot be reached", "broke in the middle"),
        (caused(httpx2.ConnectError("c"), ConnectionResetError()), "cannot be reached", "broke in the middle"),
        (caused(httpx2.ConnectError("c"), PermissionError(1, "no")), "cannot be reached", "broke in the middle"),
        (caused(httpx2.ConnectError("c"), httpcore2.ConnectError("c")), "cannot be reached", "broke in the middle"),
        (caused(named("APITimeoutError"), httpx2.ReadTimeout("t")), "did not answer in time", "stopped sending"),
        (caused(named("APITimeoutError"), httpx2.ConnectTimeout("t")), "cannot be reached", "broke in the middle"),
        (caused(named("APIConnectionError"), AddressForbidden("x")), "may not be called", "may not be called"),
        (named("ReadTimeout", named("Timeout").__class__), "did not answer in time", "stopped sending"),
        (named("ConnectTimeout", named("Timeout").__class__), "cannot be reached", "broke in the middle"),
        (named("ConnectionError"), "cannot be reached", "broke in the middle"),
        (caused(named("ConnectionError"), named("ProtocolError")), "not an answer", "broke in the middle"),
        (named("ChunkedEncodingError"), "not an answer", "broke in the middle"),
        (json.JSONDecodeError("x", "{", 0), "not an answer", "broke in the middle"),
        (named("SSLCertVerificationError"), "certificate that is not valid", "broke in the middle"),
        (named("SSLError"), "cannot be reached", "broke in the middle"),
        (named("Surprise"), "Talking to OpenAI failed (Surprise)", "broke in the middle"),
        (caused(named("Forbidden"), ValueError("403 of another library")), "failed (Forbidden)", "broke in the middle"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_break_has_its_sentence(error: Exception, words: str, midway: str) -> None:
    for begun, expected in ((False, words), (True, midway)):
        found = connection_error(error, OPENAI, begun=begun)
        assert type(found) is Unreachable
        assert expected in str(found)
        assert "sk-abc" not in str(found)
        assert "prompt" not in str(found)


def test_a_server_on_this_machine_may_not_be_started() -> None:
    assert "Is it started?" in str(connection_error(httpx2.ConnectError("c"), OLLAMA))
    assert "network connection" in str(connection_error(httpx2.ConnectError("c"), OPENAI))


def test_causes_in_a_circle_come_to_an_end() -> None:
    one, other = named("One"), named("Other")
    one.__cause__, other.__cause__ = other, one
    assert "One" in str(connection_error(one, OPENAI))


def test_a_foreign_answer() -> None:
    assert "not in the form" in str(format_error(custom("https://host.example")))
    assert type(format_error(OPENAI)) is Unreachable
