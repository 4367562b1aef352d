"""OpenAI's client on a guarded line: the chunks of one answer, the list of one server's models.

The SDK fills what it is not told from the environment (key, organisation, project, URL, headers), whichever server it
is pointed at. Here it is told everything, so that a server only ever gets what was meant for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import httpx2
from openai import Omit, OpenAI, Stream

from core.errors import Unreachable
from core.providers.openai_compatible.request import Body
from core.remote import errors
from core.remote.endpoint import Door
from core.remote.guarded_client import Line

MAX_LISTED = 500
MAX_NAME = 120

_NO_KEY = "none"
_OTHER_MODELS = re.compile(
    r"embed|whisper|(^|[-_/])tts|dall-e|moderation|rerank|transcri|realtime|text-to-|gpt-image|sora|bge-", re.IGNORECASE
)


def client(way: Door, line: Line) -> OpenAI:
    """A client that sends this door's key, or a word that is none, and reads nothing of the environment."""
    made = OpenAI(
        api_key=way.key.reveal() if way.key else _NO_KEY,
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        base_url=way.base_url,
        max_retries=0,
        http_client=line.client,
    )
    made.organization = made.project = None
    # OPENAI_CUSTOM_HEADERS lands here, also over the key, and there is no argument that keeps it out.
    made._custom_headers = {}
    return made


def chunks(way: Door, line: Line, body: Body) -> Iterator[object]:
    """Every chunk of an answer as plain JSON values; the whole answer at once from a server that does not stream.

    Raises:
        openai.OpenAIError, ValueError: the server refused, broke off, or sent something else.
    """
    with client(way, line).post(
        "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
    ) as stream:
        if stream.response.headers.get("content-type", "").lower().startswith("application/json"):
            yield json.loads(stream.response.read())
        else:
            yield from stream


def listed(way: Door, line: Line) -> tuple[str, ...]:
    """The names of the server's models that generate text.

    Raises:
        openai.OpenAIError, ValueError: the server refused, broke off, or sent something else.
        Unreachable: what it sent is no list of models.
    """
    response = client(way, line).get("/models", cast_to=httpx2.Response, options={"headers": _headers(way)})
    found = json.loads(response.read())
    rows = found.get("data") if isinstance(found, Mapping) else found
    if not isinstance(rows, list):
        raise Unreachable(str(errors.foreign(way.server)))
    models = [row for row in rows if isinstance(row, Mapping) and _offered(row.get("id"))]
    if way.server.id == "openai":
        models.sort(key=_created, reverse=True)
    return tuple(dict.fromkeys(str(row["id"]) for row in models))[:MAX_LISTED]


def _headers(way: Door) -> dict[str, str | Omit]:
    """Anthropic's list is of its own interface, which names the key otherwise (platform.claude.com, List Models)."""
    if way.server.id != "anthropic" or not way.key:
        return {}
    return {"Authorization": Omit(), "x-api-key": way.key.reveal(), "anthropic-version": "2023-06-01"}


def _offered(name: object) -> bool:
    fits = isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= MAX_NAME
    return bool(fits) and not _OTHER_MODELS.search(str(name))


def _created(row: Mapping[str, object]) -> float:
    created = row.get("created")
    return float(created) if isinstance(created, int | float) else 0.0
