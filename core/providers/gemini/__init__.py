"""Gemini, through google-genai, or through google-generativeai where a deployment asks for it.

request.py               what Gemini is asked, in neither SDK's words, and again without what it rejects
response.py              what comes back chunk by chunk, and how an answer may end
errors.py                Google's error objects as sentences
google_genai.py          the request as a call of google-genai, the default
google_generativeai.py   the same of the legacy SDK, which only carries the deployment's own key
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Protocol, cast

from core.catalog.servers import Server, server
from core.errors import DiptychError
from core.providers.gemini.errors import error_from, list_error, without_rejected
from core.providers.gemini.request import GeminiRequest, check_name, prepared
from core.providers.gemini.response import Chunk, Response
from core.remote.endpoint import Endpoint, endpoint_for
from core.remote.model import Connection, Prepared, RemoteModel, list_names
from core.settings import Secrets, Settings
from core.types import ModelSpec, Request

__all__ = ["list_models", "open_model"]

MAX_LISTED, MAX_NAMES, MAX_NAME = 1000, 200, 120
"""Entries of a listing that are read, names that are kept, characters of a name."""

Entry = tuple[str, Iterable[str] | None]
"""One model of a listing: its name, and what can be done with it."""


class GeminiConnection(Connection[GeminiRequest, Chunk], Protocol):
    """Either SDK at work. Raises ApiError for an HTTP status that is not a success."""

    def listing(self) -> Iterable[Entry]: ...


class Sdk(Protocol):
    """What google_genai.py and google_generativeai.py have in common."""

    VERSIONS: Mapping[str, str]
    connect: Callable[[Endpoint, Settings], GeminiConnection]
    """Raises KeyRefused where this SDK may not carry the key."""
    check: Callable[[Prepared[GeminiRequest]], Prepared[GeminiRequest]]
    """What this SDK makes of a request. Raises InvalidInput for what it cannot say."""
    check_key: Callable[[Endpoint], None]


def open_model(spec: ModelSpec, settings: Settings, secrets: Secrets) -> RemoteModel[GeminiRequest, Chunk]:
    """A model of Gemini; nothing is sent yet.

    Raises:
        KeyRefused: there is no key under the server's id, or the SDK may not carry it.
        UnknownModel: the name cannot be a model's.
    """
    check_name(spec)
    sdk, endpoint = _sdk(settings), endpoint_for(server(spec.server), settings, secrets)
    sdk.check_key(endpoint)
    return RemoteModel(spec, settings, endpoint, Gemini(spec, settings, endpoint, sdk))


def list_models(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
    """Names of the models that generate, as Google orders them.

    Raises:
        KeyRefused, QuotaSpent, Unreachable, RemoteError: as for an answer.
    """
    sdk, endpoint = _sdk(settings), endpoint_for(server, settings, secrets)
    sdk.check_key(endpoint)
    return list_names(
        lambda: sdk.connect(endpoint, settings),
        lambda connection: generators(connection.listing()),
        lambda error: list_error(error, endpoint),
    )


class Gemini:
    """Google's language, as spoken to one model through one SDK."""

    def __init__(self, spec: ModelSpec, settings: Settings, endpoint: Endpoint, sdk: Sdk) -> None:
        self.versions = sdk.VERSIONS
        self._spec, self._settings, self._endpoint, self._sdk = spec, settings, endpoint, sdk

    def prepare(self, request: Request) -> Prepared[GeminiRequest]:
        return self._sdk.check(prepared(request, self._spec))

    def connect(self) -> GeminiConnection:
        return self._sdk.connect(self._endpoint, self._settings)

    def reader(self) -> Response:
        return Response(self._endpoint, self._spec)

    def without_rejected(self, prepared: Prepared[GeminiRequest], error: Exception) -> Prepared[GeminiRequest] | None:
        return without_rejected(prepared, error)

    def error(self, error: Exception, *, begun: bool) -> DiptychError:
        return error_from(error, self._endpoint, self._spec.source, begun=begun)

    def provenance(self, body: GeminiRequest) -> Mapping[str, object]:
        return {"seed": body.parameters.get("seed")}


def generators(listing: Iterable[Entry]) -> tuple[str, ...]:
    """Of the first entries of a listing, the names of models that generate."""
    names = dict.fromkeys(
        name.removeprefix("models/")
        for _, (name, actions) in zip(range(MAX_LISTED), listing, strict=False)
        if "generateContent" in (actions or ()) and len(name) <= MAX_NAME and name.isprintable() and name.strip()
    )
    return tuple(name for name in names if not _OTHER_KIND.search(name))[:MAX_NAMES]


_OTHER_KIND = re.compile(r"(?:^|-)(?:embedding|tts|live|aqa|native-audio)(?:-|$)")


def _sdk(settings: Settings) -> Sdk:
    """The module of the SDK that the deployment chose; the other one is never imported."""
    name = "google_generativeai" if settings.gemini_sdk == "google-generativeai" else "google_genai"
    return cast(Sdk, import_module(f"core.providers.gemini.{name}"))
