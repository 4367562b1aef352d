"""OpenAI's client on a guarded connection: the chunks of one answer, the list of one server's models.

The SDK fills what it is not told from the environment (key, organisation, project, URL, headers), whichever server it
is pointed at. Here it is told everything, so that a server only ever gets what was meant for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
from openai import Omit, OpenAI, Stream

from core.providers.openai_compatible.request import Body
from core.providers.openai_compatible.stream import chunks_in, whole
from core.remote.endpoint import Endpoint
from core.settings import Settings

_NO_KEY = "none"


class OpenAIConnection:
    """The SDK on one guarded client."""

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        self._endpoint = endpoint
        self._guarded = endpoint.client(settings)

    def chunks(self, body: Body) -> Iterator[object]:
        """Every chunk of an answer (core.providers.openai_compatible.stream), also from a server that does not stream.

        Raises:
            openai.OpenAIError, httpx2.HTTPError, ValueError: the server refused, broke off, or sent something else.
        """
        with _client(self._endpoint, self._guarded.http).post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
        ) as stream:
            # The SDK's own reader loses an error whose blank line is missing, and stops at events that carry no JSON.
            response = stream.response
            if response.headers.get("content-type", "").lower().startswith("application/json"):
                yield from whole(response.read())
            else:
                yield from chunks_in(response.iter_bytes())

    def models(self) -> object:
        """What the server answers to a request for its list of models, as JSON.

        Raises:
            openai.OpenAIError, ValueError: the server refused, broke off, or sent something else.
        """
        response = _client(self._endpoint, self._guarded.http).get(
            "/models", cast_to=httpx2.Response, options={"headers": _headers(self._endpoint)}
        )
        return json.loads(response.read())

    def hang_up(self) -> None:
        self._guarded.hang_up()

    def close(self) -> None:
        self._guarded.close()


def _client(endpoint: Endpoint, http: httpx2.Client) -> OpenAI:
    """A client that sends this endpoint's key, or a word that is none, and reads nothing of the environment."""
    client = OpenAI(
        api_key=endpoint.key.reveal() if endpoint.key else _NO_KEY,
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        base_url=endpoint.base_url,
        max_retries=0,
        http_client=http,
    )
    client.organization = client.project = None
    # OPENAI_CUSTOM_HEADERS lands here, also over the key, and there is no argument that keeps it out.
    client._custom_headers = {}
    return client


def _headers(endpoint: Endpoint) -> dict[str, str | Omit]:
    """Anthropic's list is of its own interface, which names the key otherwise (platform.claude.com, List Models)."""
    if endpoint.server.id != "anthropic" or not endpoint.key:
        return {}
    return {"Authorization": Omit(), "x-api-key": endpoint.key.reveal(), "anthropic-version": "2023-06-01"}
