"""Every server that speaks OpenAI's chat completions, through OpenAI's own SDK.

    request.py     a request as the server is sent it, and again without what it rejects
    stream.py      the chunks of an answer out of the bytes of its response
    response.py    what the chunks say, until it is an Output
    listing.py     the names of a server's models, and what its list says of them
    client.py      the SDK's client, with a key that was handed over and nothing of the environment's
    errors.py      the SDK's exceptions, and errors inside a stream, as sentences

Knows what such servers have in common; what one of them takes is said by its row in core/catalog/servers.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import openai

from core.catalog import servers
from core.catalog.servers import Server
from core.errors import DiptychError
from core.providers.openai_compatible.client import OpenAIConnection
from core.providers.openai_compatible.errors import error_from
from core.providers.openai_compatible.listing import names_in
from core.providers.openai_compatible.request import Body, prepared, without_rejected
from core.providers.openai_compatible.response import Response
from core.remote.endpoint import Endpoint, endpoint_for
from core.remote.model import Prepared, RemoteModel, list_names
from core.settings import Secrets, Settings
from core.types import ModelSpec, Request

__all__ = ["list_models", "open_model"]


def open_model(spec: ModelSpec, settings: Settings, secrets: Secrets) -> RemoteModel[Body, object]:
    """A model on its server; nothing is sent yet.

    Raises:
        KeyRefused: the server needs a key and there is none under its id.
        ModelRefused: this deployment does not allow the server.
        InvalidInput: the URL of a visitor's own server cannot be called.
    """
    server, _ = servers.parts(spec.id)
    endpoint = endpoint_for(server, settings, secrets)
    return RemoteModel(spec, settings, endpoint, ChatCompletions(spec, settings, endpoint))


def list_models(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
    """The names of the models that the server generates text with: OpenAI's newest first, others' in their order. A
    name says where the list knows better than the name itself whether the model sees images (core.catalog.servers).

    Raises:
        KeyRefused, QuotaSpent, Unreachable, RemoteError: the server did not answer with a list.
        ModelRefused, InvalidInput: as for `open_model`.
    """
    endpoint = endpoint_for(server, settings, secrets)
    return list_names(
        lambda: OpenAIConnection(endpoint, settings),
        lambda connection: names_in(connection.models(), server),
        lambda error: error_from(error, endpoint, None),
    )


class ChatCompletions:
    """OpenAI's language, as spoken to one model."""

    versions: Mapping[str, str] = {"openai": openai.__version__}

    def __init__(self, spec: ModelSpec, settings: Settings, endpoint: Endpoint) -> None:
        self._spec, self._settings, self._endpoint = spec, settings, endpoint

    def prepare(self, request: Request) -> Prepared[Body]:
        return prepared(request, self._spec, self._endpoint.server)

    def connect(self) -> OpenAIConnection:
        return OpenAIConnection(self._endpoint, self._settings)

    def reader(self) -> Response:
        return Response(self._endpoint)

    def without_rejected(self, prepared: Prepared[Body], error: Exception) -> Prepared[Body] | None:
        return without_rejected(prepared, error)

    def error(self, error: Exception, *, begun: bool) -> DiptychError:
        return error_from(error, self._endpoint, self._spec.source, begun=begun)

    def provenance(self, body: Body) -> Mapping[str, object]:
        return {}
