"""Gemini through google-genai: text, pictures in and out, thinking, seeds and JSON answers.

A client is made with an explicit key, address and connection, because the SDK otherwise takes them from the
environment; its own retries, continuations and function calls are off, so that one request of ours is one request.
Knows no sentences and no allowance.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from core.errors import InvalidInput
from core.providers.gemini.errors import ApiError
from core.providers.gemini.request import GeminiRequest, Turn
from core.providers.gemini.response import Chunk
from core.remote.endpoint import Endpoint
from core.remote.model import Prepared
from core.settings import Settings

_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For the connections that the SDK prepares and we never use: it would read every root certificate for each."""


VERSIONS = {"google-genai": genai.__version__}


def check(request: Prepared[GeminiRequest]) -> Prepared[GeminiRequest]:
    """The request as it is.

    Raises:
        InvalidInput: its thinking level is not one of Gemini's.
    """
    level = request.body.parameters.get("thinking")
    if level is not None and str(level).upper() not in types.ThinkingLevel.__members__:
        raise InvalidInput(f"Gemini knows no thinking level '{str(level)[:20]}'. Choose another.")
    return request


def check_key(endpoint: Endpoint) -> None:
    """Any key will do."""


class SdkConnection:
    """A client of the SDK on a guarded one. The client is kept: one that is collected closes its connection."""

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        self._guarded = endpoint.client(settings)
        hooks = self._guarded.http.event_hooks
        self._guarded.http.event_hooks = hooks | {"request": [*hooks["request"], self._timed]}
        self._client = genai.Client(
            api_key=_key(endpoint),
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=endpoint.base_url,
                api_version="v1beta",
                timeout=max(1, int(settings.run_seconds * 1000)),
                httpx_client=self._guarded.http,
                client_args={"verify": _TRUSTS_NOBODY},
                async_client_args={"verify": _TRUSTS_NOBODY, "ssl": _TRUSTS_NOBODY},
            ),
        )

    def chunks(self, body: GeminiRequest) -> Iterator[Chunk]:
        try:
            for chunk in self._client.models.generate_content_stream(
                model=body.model, contents=[_content(turn) for turn in body.turns], config=_config(body)
            ):
                yield _chunk(chunk)
        except errors.APIError as error:
            raise _api_error(error) from None

    def listing(self) -> Iterator[tuple[str, Iterable[str] | None]]:
        try:
            for model in self._client.models.list(config={"page_size": 1000}):
                yield model.name or "", model.supported_actions
        except errors.APIError as error:
            raise _api_error(error) from None

    def hang_up(self) -> None:
        self._guarded.hang_up()

    def close(self) -> None:
        self._guarded.close()

    def _timed(self, request: httpx2.Request) -> None:
        """The SDK's one timeout is for the server and the whole answer; the guarded client's are for each step."""
        request.extensions["timeout"] = self._guarded.http.timeout.as_dict()


def _key(endpoint: Endpoint) -> str:
    """Never empty: the SDK would look for one in the environment."""
    assert endpoint.key, "an endpoint of Gemini has a key"
    return endpoint.key.reveal()


def _content(turn: Turn) -> types.Content:
    parts = [types.Part(inline_data=types.Blob(mime_type=kind, data=image)) for kind, image in turn.images]
    if turn.text or not parts:
        parts.append(types.Part(text=turn.text))
    return types.Content(role=turn.role, parts=parts)


def _config(body: GeminiRequest) -> types.GenerateContentConfig:
    sent: dict[str, Any] = {_NAMES[name]: value for name, value in body.parameters.items() if name in _NAMES}
    if "stop" in body.parameters:
        sent["stop_sequences"] = list(body.parameters["stop"])  # type: ignore[arg-type]
    if "thinking" in body.parameters:
        level = types.ThinkingLevel[str(body.parameters["thinking"]).upper()]
        sent["thinking_config"] = types.ThinkingConfig(thinking_level=level)
    if body.schema is not None:
        sent |= {"response_mime_type": "application/json", "response_json_schema": body.schema}
    if body.draws:
        sent["response_modalities"] = ["TEXT", "IMAGE"]
    return types.GenerateContentConfig(
        system_instruction=body.system or None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
        **sent,
    )


_NAMES = {
    "max_new_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
}


def _chunk(chunk: types.GenerateContentResponse) -> Chunk:
    candidate = chunk.candidates[0] if chunk.candidates else None
    parts = (candidate.content.parts or []) if candidate and candidate.content else []
    usage, feedback = chunk.usage_metadata, chunk.prompt_feedback
    shown = [part for part in parts if not part.thought]
    reason = candidate.finish_reason if candidate else None
    block = feedback.block_reason if feedback else None
    return Chunk(
        text="".join(part.text or "" for part in shown),
        images=tuple(part.inline_data.data for part in shown if part.inline_data and part.inline_data.data),
        finish="" if reason in (None, types.FinishReason.FINISH_REASON_UNSPECIFIED) else reason.name,
        block=block.name if block else "",
        prompt=usage.prompt_token_count if usage else None,
        output=_output_tokens(usage),
        thoughts=(usage.thoughts_token_count or 0) if usage else 0,
        version=chunk.model_version or "",
        speaks=any((chunk.candidates, usage, feedback, chunk.model_version, chunk.response_id)),
        answers=candidate is not None,
    )


def _output_tokens(usage: types.GenerateContentResponseUsageMetadata | None) -> int | None:
    """What is paid for as output: the answer and the thoughts before it."""
    if usage is None or (usage.candidates_token_count is None and usage.thoughts_token_count is None):
        return None
    return (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)


def _api_error(error: errors.APIError) -> ApiError:
    headers = getattr(error.response, "headers", None) or {}
    return ApiError(error.code or 0, error.details, headers.get("retry-after"))


connect = SdkConnection
