"""Gemini's streams through either SDK, read without a network: cut, doubled, reordered and oversized parts. Whatever
comes, the end is an answer or one of our own errors, and an answer that was cut never passes for a whole one."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.catalog import spec
from core.catalog.servers import server
from core.errors import DiptychError
from core.providers.gemini import google_genai, google_generativeai
from core.providers.gemini.errors import error_from
from core.providers.gemini.request import GeminiRequest, Turn
from core.providers.gemini.response import Response
from core.remote.address import anywhere
from core.remote.endpoint import Endpoint
from core.remote.guarded_client import GuardedClient
from core.settings import DeploymentKey, Settings
from core.types import Output
from tests.support.fake_gemini import Chunk, chunk, numbered, usage

LITE = spec("gemini:gemini-3.5-flash-lite")
KEY = "QZ-deployment-key-1234567890"
BODY = GeminiRequest(model="gemini-x", system="", turns=(Turn("user", "Hi"),), parameters={})
HELLO, WORLD, END = chunk("Hello"), chunk(" world."), chunk("", "STOP", usage(3, 2))
sdks = pytest.mark.parametrize("sdk", [google_genai, google_generativeai], ids=["google-genai", "google-generativeai"])
slowly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Canned(GuardedClient):
    """A guarded client that answers every request with these parts of a body."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        super().__init__(anywhere)
        self.http.close()
        self.http = httpx2.Client(
            transport=httpx2.MockTransport(
                lambda request: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter(parts))
            ),
            event_hooks={"request": [], "response": []},
        )


class CannedEndpoint(Endpoint):
    parts: Sequence[bytes] = ()

    def client(self, settings: Settings) -> GuardedClient:
        return Canned(self.parts)


def read(sdk: ModuleType, parts: Sequence[bytes]) -> Output:
    """The answer in these bytes; raises what the provider would show for them."""
    row = server("gemini")
    endpoint = CannedEndpoint(
        row, "http://127.0.0.1:1", DeploymentKey(KEY, lambda: None, lambda tokens: None), anywhere
    )
    object.__setattr__(endpoint, "parts", parts)
    response = Response(endpoint, LITE)
    connection = sdk.connect(endpoint, Settings(data=Path("unused")))
    try:
        for one in connection.chunks(BODY):
            response.read(one)
        response.rest()
        response.finish()
    except Exception as error:
        raise error_from(error, endpoint, "gemini-x", begun=response.begun) from None
    finally:
        connection.close()
    return response.output.output(LITE, Settings(data=Path("unused")), {})


def framed(sdk: ModuleType, chunks: Sequence[Chunk], *, closed: bool = True) -> bytes:
    """These chunks as this SDK's stream: events, or one JSON array."""
    if sdk is google_genai:
        return b"".join(b"data: " + json.dumps(one).encode() + b"\r\n\r\n" for one in chunks)
    return b"[" + b",\r\n".join(json.dumps(numbered(one)).encode() for one in chunks) + (b"]" if closed else b"")


@pytest.fixture(autouse=True)
def _unknown_enums_are_no_news() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* is not a valid .*")
        yield


@sdks
@slowly
@given(cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_where_a_stream_is_cut_into_parts_changes_nothing(sdk: ModuleType, cuts: list[int]) -> None:
    raw = framed(sdk, [HELLO, WORLD, END])
    at = sorted({0, len(raw), *(cut % len(raw) for cut in cuts)})
    parts = [raw[start:end] for start, end in pairwise(at)]
    assert read(sdk, parts).text == "Hello world."


@sdks
@slowly
@given(data=st.data())
def test_a_stream_that_ends_early_never_passes_for_a_whole_answer(sdk: ModuleType, data: st.DataObject) -> None:
    raw = framed(sdk, [HELLO, WORLD, END])
    cut = data.draw(st.integers(0, len(raw)))
    try:
        assert read(sdk, [raw[:cut]]).text == "Hello world."
    except DiptychError:
        assert cut < len(raw)


@sdks
@slowly
@given(chunks=st.permutations([HELLO, WORLD, chunk("!"), {"usageMetadata": usage(3, 1)}]))
def test_reordered_parts_lose_no_text(sdk: ModuleType, chunks: Sequence[Chunk]) -> None:
    assert sorted(read(sdk, [framed(sdk, [*chunks, END])]).text) == sorted("Hello world.!")


ODD: list[Chunk] = [
    {"candidates": []},
    {"candidates": [{}]},
    {"candidates": [{"content": {}}]},
    {"candidates": [{"content": {"parts": []}, "finishReason": "SAFETY"}]},
    {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]}}]},
    {"promptFeedback": {"blockReason": "SAFETY"}},
    {"usageMetadata": {}},
    {"error": {"code": 503, "status": "UNAVAILABLE", "message": "Overloaded."}},
    {"error": "no"},
    {"hello": 1},
    {},
]
PART = st.sampled_from([HELLO, WORLD, END, *ODD])


@sdks
@slowly
@given(chunks=st.lists(PART, max_size=6), closed=st.booleans(), noise=st.lists(st.binary(max_size=20), max_size=3))
def test_whatever_comes_ends_in_an_answer_or_in_an_error_of_ours(
    sdk: ModuleType, chunks: list[Chunk], closed: bool, noise: list[bytes]
) -> None:
    try:
        read(sdk, [framed(sdk, chunks, closed=closed), *noise])
    except DiptychError as error:
        assert KEY not in str(error)  # noqa: PT017


@sdks
def test_oversized_parts_arrive_whole(sdk: ModuleType) -> None:
    assert len(read(sdk, [framed(sdk, [chunk("x" * 1_000_000), END])]).text) == 1_000_000
