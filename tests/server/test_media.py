"""A file of a page that is being drawn anew is waited for; one that does not come is missing in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from core.ui.middleware import media
from core.ui.middleware.media import Media


def statuses(answers: Sequence[int], path: str = "/media/a.wav", requests: int = 1) -> tuple[list[int], list[int]]:
    """What clients get, asking together, from a server that answers so in turn, the last for ever; and what is left."""
    left = list(answers)
    got: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("", left.pop(0) if len(left) > 1 else left[0])(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            got.append(message["status"])

    async def ask() -> None:
        waiting = Media(app)
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        await asyncio.gather(*(waiting(scope, receive, send) for _ in range(requests)))

    asyncio.run(ask())
    return got, left


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(media, "SECONDS", 0.1)


@pytest.mark.parametrize("answers", [[200], [206], [404, 200], [404] * 3 + [206]])
def test_a_file_that_comes_back_is_sent(answers: list[int]) -> None:
    assert statuses(answers) == ([answers[-1]], answers[-1:])


def test_a_file_that_does_not_come_back_is_missing() -> None:
    assert statuses([404]) == ([404], [404])


@pytest.mark.parametrize("path", ["/app/static/logo.svg", "/media", "/media/a/b.wav"])
def test_other_files_are_not_waited_for(path: str) -> None:
    assert statuses([404, 200], path) == ([404], [200])


def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST", 2)
    got, _ = statuses([404] * 5 + [200], requests=3)
    assert sorted(got) == [200, 200, 404]
