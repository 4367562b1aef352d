"""Gemini through google-genai: text, pictures in and out, thinking, seeds and JSON answers.

A client is made with an explicit key, address and connection, because the SDK otherwise takes them from the
environment; its own retries, continuations and function calls are off, so that one request of ours is one request.
Knows no errors in words and no allowance; core.remote.google does.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from core.catalog.servers import Server, server
from core.errors import InvalidInput
from core.remote.endpoint import Door, door
from core.remote.google import GoogleModel, listed
from core.remote.google.answer import Piece
from core.remote.google.ask import Ask, Turn, name_checked
from core.remote.google.refusal import Refusal
from core.settings import Secrets, Settings
from core.types import ModelSpec

_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For the connections that the SDK prepares and we never use: it would read every root certificate for each."""


def open_model(spec: ModelSpec, settings: Settings, secrets: Secrets) -> GoogleModel:
    """A model of Gemini; nothing is sent yet.

    Raises:
        KeyRefused: there is no key under the server's id.
        UnknownModel: the name cannot be a model's.
    """
    name_checked(spec)
    way = door(server(spec.server), settings, secrets)
    return GoogleModel(
        spec, settings, way, connect=lambda: _Connection(way, settings), versions=_versions(), vet=_thinking_checked
    )


def list_models(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
    """Names of the models that generate, as Google orders them.

    Raises:
        KeyRefused, QuotaSpent, Unreachable, RemoteError: as for an answer.
    """
    way = door(server, settings, secrets)
    connection = _Connection(way, settings)
    try:
        return listed(connection.listing, way)
    finally:
        connection.close()


class _Connection:
    """A client of the SDK on a line of ours. The client is kept: one that is collected closes its connection."""

    def __init__(self, way: Door, settings: Settings) -> None:
        self._line = way.line(settings)
        hooks = self._line.client.event_hooks
        self._line.client.event_hooks = hooks | {"request": [*hooks["request"], self._timed]}
        self._client = genai.Client(
            api_key=_key(way),
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=way.base_url,
                api_version="v1beta",
                timeout=max(1, int(settings.run_seconds * 1000)),
                httpx_client=self._line.client,
                client_args={"verify": _TRUSTS_NOBODY},
                async_client_args={"verify": _TRUSTS_NOBODY, "ssl": _TRUSTS_NOBODY},
            ),
        )

    def pieces(self, ask: Ask) -> Iterator[Piece]:
        try:
            for chunk in self._client.models.generate_content_stream(
                model=ask.model, contents=[_content(turn) for turn in ask.turns], config=_config(ask)
            ):
                yield _piece(chunk)
        except errors.APIError as error:
            raise _refusal(error) from None

    def listing(self) -> Iterator[tuple[str, Iterable[str] | None]]:
        try:
            for model in self._client.models.list(config={"page_size": 1000}):
                yield model.name or "", model.supported_actions
        except errors.APIError as error:
            raise _refusal(error) from None

    def hang_up(self) -> None:
        self._line.hang_up()

    def close(self) -> None:
        self._line.close()

    def _timed(self, request: httpx2.Request) -> None:
        """The SDK's one timeout is for the server and the whole answer; the line's are for each step."""
        request.extensions["timeout"] = self._line.client.timeout.as_dict()


def _key(way: Door) -> str:
    """Never empty: the SDK would look for one in the environment."""
    assert way.key, "a door to Gemini has a key"
    return way.key.reveal()


def _versions() -> dict[str, str]:
    return {"google-genai": genai.__version__}


def _thinking_checked(ask: Ask) -> Ask:
    level = ask.parameters.get("thinking")
    if level is not None and str(level).upper() not in types.ThinkingLevel.__members__:
        raise InvalidInput(f"Gemini knows no thinking level '{str(level)[:20]}'. Choose another.")
    return ask


def _content(turn: Turn) -> types.Content:
    parts = [types.Part(inline_data=types.Blob(mime_type=kind, data=image)) for kind, image in turn.images]
    if turn.text or not parts:
        parts.append(types.Part(text=turn.text))
    return types.Content(role=turn.role, parts=parts)


def _config(ask: Ask) -> types.GenerateContentConfig:
    sent: dict[str, Any] = {_NAMES[name]: value for name, value in ask.parameters.items() if name in _NAMES}
    if "stop" in ask.parameters:
        sent["stop_sequences"] = list(ask.parameters["stop"])  # type: ignore[arg-type]
    if "thinking" in ask.parameters:
        level = types.ThinkingLevel[str(ask.parameters["thinking"]).upper()]
        sent["thinking_config"] = types.ThinkingConfig(thinking_level=level)
    if ask.schema is not None:
        sent |= {"response_mime_type": "application/json", "response_json_schema": ask.schema}
    if ask.draws:
        sent["response_modalities"] = ["TEXT", "IMAGE"]
    return types.GenerateContentConfig(
        system_instruction=ask.system or None,
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


def _piece(chunk: types.GenerateContentResponse) -> Piece:
    candidate = chunk.candidates[0] if chunk.candidates else None
    parts = (candidate.content.parts or []) if candidate and candidate.content else []
    usage, feedback = chunk.usage_metadata, chunk.prompt_feedback
    shown = [part for part in parts if not part.thought]
    reason = candidate.finish_reason if candidate else None
    block = feedback.block_reason if feedback else None
    return Piece(
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


def _refusal(error: errors.APIError) -> Refusal:
    headers = getattr(error.response, "headers", None) or {}
    return Refusal(error.code or 0, error.details, headers.get("retry-after"))
