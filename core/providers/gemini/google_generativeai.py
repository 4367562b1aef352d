"""Gemini through google-generativeai, whose support has ended, for a deployment that asks for it.

The SDK keeps one key for the whole process, so it only ever carries the deployment's own. Its requests go out over our
guarded connection instead of its own, which would follow redirects with the key and read proxies from the environment.
It cannot say thinking levels, JSON schemas, seeds or pictures to be drawn.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import IntEnum
from threading import Lock
from typing import Any

import httpx2
import requests

from core.errors import InvalidInput, KeyRefused
from core.providers.gemini.errors import ApiError
from core.providers.gemini.request import GeminiRequest, Turn
from core.providers.gemini.response import Chunk
from core.remote.endpoint import Endpoint
from core.remote.guarded_client import GuardedClient
from core.remote.model import Prepared
from core.settings import DeploymentKey, Settings

with warnings.catch_warnings():
    # That its support has ended is known, and said above; the other is one of its parts on this Python's last year.
    warnings.filterwarnings("ignore", r"\s*All support for the `google.generativeai` package", FutureWarning)
    warnings.filterwarnings("ignore", r"You are using a Python version", FutureWarning)
    import google.generativeai as legacy
    from google.generativeai import client as legacy_client
    from google.generativeai import protos

_CONFIGURING = Lock()
"""Held from setting the process-wide key to the client that has taken it."""


VERSIONS = {"google-generativeai": legacy.__version__}


def check_key(endpoint: Endpoint) -> None:
    """Refuse a visitor's own key.

    Raises:
        KeyRefused: the key is not the deployment's.
    """
    if not isinstance(endpoint.key, DeploymentKey):
        raise KeyRefused(
            "This deployment calls Gemini with google-generativeai, which keeps one key for everybody and so only "
            "carries the deployment's own. Remove your key, or ask for gemini.sdk = google-genai in its secrets."
        )


def check(request: Prepared[GeminiRequest]) -> Prepared[GeminiRequest]:
    """The request without its seed, which every run has.

    Raises:
        InvalidInput: something else cannot be said, and was asked for.
    """
    body = request.body
    if body.draws:
        raise InvalidInput("This deployment's Gemini SDK (google-generativeai) draws no images. Choose a text model.")
    for name, words in _UNSAYABLE.items():
        if name in body.parameters:
            raise InvalidInput(f"This deployment's Gemini SDK (google-generativeai) takes no {words}")
    notes = (*request.notes, "The seed was not used by this SDK.")
    return replace(request, body=body.without(["seed"]), notes=notes)


_UNSAYABLE = {
    "thinking": "thinking level. Set 'Thinking' to default.",
    "json_schema": "JSON schema. Leave it empty.",
}


class SdkConnection:
    """Clients of the SDK, made when they are needed, on a guarded one."""

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        self._endpoint = endpoint
        self._guarded = endpoint.client(settings)
        self._options: dict[str, Any] = {"retry": None, "timeout": settings.run_seconds or None}

    def chunks(self, body: GeminiRequest) -> Iterator[Chunk]:
        name = body.model if "/" in body.model else f"models/{body.model}"
        request = protos.GenerateContentRequest(
            model=name,
            contents=[_content(turn) for turn in body.turns],
            generation_config=protos.GenerationConfig(**_config(body)),
            system_instruction=protos.Content(parts=[protos.Part(text=body.system)]) if body.system else None,
        )
        for chunk in self._client(legacy_client.get_default_generative_client).stream_generate_content(
            request, **self._options
        ):
            yield _chunk(chunk)

    def listing(self) -> Iterator[tuple[str, Iterable[str] | None]]:
        for model in self._client(legacy_client.get_default_model_client).list_models(page_size=1000, **self._options):
            yield model.name, model.supported_generation_methods

    def hang_up(self) -> None:
        self._guarded.hang_up()

    def close(self) -> None:
        self._guarded.close()

    def _client(self, make: Callable[[], Any]) -> Any:
        """A client that carries this connection's key, whatever is configured after it."""
        assert self._endpoint.key, "an endpoint of Gemini has a key"
        with _CONFIGURING:
            legacy_client.configure(
                api_key=self._endpoint.key.reveal(),
                transport="rest",
                client_options={"api_endpoint": self._endpoint.base_url},
            )
            client = make()
        _carried_by(self._guarded, client.transport._session)
        return client


def _carried_by(guarded: GuardedClient, session: Any) -> None:
    """Take a session of requests off its own connections, and off proxies and passwords of the environment."""
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(guarded))


class _Adapter(requests.adapters.BaseAdapter):
    """Sends what requests prepared through a guarded client; raises ApiError for any status but 200, redirects too."""

    def __init__(self, guarded: GuardedClient) -> None:
        super().__init__()
        self._guarded = guarded

    def send(self, request: requests.PreparedRequest, *how: object, **named: object) -> requests.Response:
        """Timeouts, proxies and certificates of requests are not used; the guarded client has its own."""
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        client = self._guarded.http
        content = request.body if isinstance(request.body, bytes | str) else None
        built = client.build_request(request.method or "GET", request.url or "", headers=headers, content=content)
        answer = client.send(built, stream=True)
        if answer.status_code != 200:
            raise ApiError(answer.status_code, answer.read(), answer.headers.get("retry-after"))
        return _response(request, answer)

    def close(self) -> None:
        """The guarded client belongs to its connection."""


_OURS = {"accept-encoding", "content-length", "connection", "user-agent"}


def _response(request: requests.PreparedRequest, answer: httpx2.Response) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = answer.status_code, request.url or "", request
    response.headers = requests.structures.CaseInsensitiveDict(answer.headers)
    response.encoding = "utf-8"
    response.raw = _Raw(answer)
    return response


class _Raw:
    """The body of a response as requests reads it: in pieces as they come."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer

    def stream(self, chunk_size: int, decode_content: bool = True) -> Iterator[bytes]:
        yield from self._answer.iter_bytes()

    def close(self) -> None:
        self._answer.close()

    release_conn = close


def _content(turn: Turn) -> protos.Content:
    parts = [protos.Part(inline_data=protos.Blob(mime_type=kind, data=image)) for kind, image in turn.images]
    if turn.text or not parts:
        parts.append(protos.Part(text=turn.text))
    return protos.Content(role=turn.role, parts=parts)


def _config(body: GeminiRequest) -> Mapping[str, Any]:
    names = {"max_new_tokens": "max_output_tokens", "stop": "stop_sequences"}
    return {names.get(name, name): value for name, value in body.parameters.items()}


def _chunk(chunk: protos.GenerateContentResponse) -> Chunk:
    candidate = chunk.candidates[0] if chunk.candidates else None
    parts = candidate.content.parts if candidate else []
    ending = protos.Candidate.pb(candidate).finish_reason if candidate else 0
    blocked = protos.GenerateContentResponse.pb(chunk).prompt_feedback.block_reason
    usage = chunk.usage_metadata
    total = usage.total_token_count - usage.prompt_token_count
    counted = usage.total_token_count > 0
    return Chunk(
        text="".join(part.text for part in parts),
        finish=_name(protos.Candidate.FinishReason, ending),
        block=_name(protos.GenerateContentResponse.PromptFeedback.BlockReason, blocked),
        prompt=usage.prompt_token_count if counted else None,
        output=max(total, usage.candidates_token_count) if counted else None,
        thoughts=max(0, total - usage.candidates_token_count) if counted else 0,
        version=chunk.model_version,
        speaks=bool(candidate or counted or chunk.model_version or blocked),
        answers=candidate is not None,
    )


def _name(reasons: type[IntEnum], number: int) -> str:
    """The name of a reason; a number that is newer than this SDK stands for itself."""
    names = {int(reason): reason.name for reason in reasons}
    return names.get(number, f"REASON_{number}") if number else ""


connect = SdkConnection
