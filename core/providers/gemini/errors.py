"""Why Gemini did not answer: its error objects as sentences, and what to leave out of a request that it rejected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from core.errors import DiptychError, KeyRefused, RemoteError
from core.providers.gemini.request import GeminiRequest
from core.remote.endpoint import Endpoint
from core.remote.errors import (
    connection_error,
    format_error,
    retry_after_seconds,
    server_message,
    status_error,
)
from core.remote.json_schema import is_schema_error
from core.remote.model import Prepared


class ApiError(Exception):
    """The server answered with an HTTP status that is not a success. Raised by either SDK's connection."""

    def __init__(self, status: int, body: object, retry_after: object = None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body
        self.retry_after = retry_after


def without_rejected(request: Prepared[GeminiRequest], error: Exception) -> Prepared[GeminiRequest] | None:
    """The request after a 400: less the optional parameters that it names, or less all of them but the schema, without
    which the answer would be another one; or with the system's text in the first user turn. None: it is no use."""
    if not isinstance(error, ApiError) or error.status != 400 or _key_invalid(error):
        return None
    body, message = request.body, str(_error(error.body).get("message", ""))
    if _NO_SYSTEM.search(message):
        return request.without(body.with_system_in_turn(), ["system"]) if body.system else None
    if _error(error.body).get("status") != "INVALID_ARGUMENT" or (body.schema and is_schema_error(message)):
        return None
    present = [name for name in body.parameters if name in _WIRE]
    named = [name for name in _WIRE if re.search(_WIRE[name], message, re.IGNORECASE)]
    rejected = [name for name in named if name in present]
    if not rejected and request.rejected & set(named):
        return None
    rejected = rejected or [name for name in present if name != "json_schema"]
    return request.without(body.without(rejected), rejected, rejected) if rejected else None


def error_from(error: Exception, endpoint: Endpoint, model: str, *, begun: bool) -> DiptychError:
    """The sentence for whatever an answer ended with.

    Args:
        begun: part of the answer had come.
    """
    if isinstance(error, DiptychError):
        return error
    if isinstance(error, ApiError):
        return _status_error(error, endpoint, model)
    unreadable = isinstance(error, ValueError | TypeError | AttributeError | LookupError)
    if not begun and (unreadable or type(error).__name__ in {"ParseError", "DecodeError"}):
        return format_error(endpoint.server)
    return connection_error(error, endpoint.server, begun=begun)


def list_error(error: Exception, endpoint: Endpoint) -> DiptychError:
    """The sentence for a list of models that did not come."""
    if isinstance(error, ApiError) and error.status == 404:
        return format_error(endpoint.server)
    return error_from(error, endpoint, "its models", begun=False)


def _status_error(error: ApiError, endpoint: Endpoint, model: str) -> RemoteError:
    """A revoked key is a 400 to Google, told apart by its reason."""
    server = endpoint.server
    if _key_invalid(error):
        return KeyRefused(
            f"{server.name} does not take this key ({error.status}). "
            f"Check that it is right, active and allowed to use {model}."
        )
    wait = retry_after_seconds(error.retry_after)
    for detail in _details(error):
        wait = retry_after_seconds(detail.get("retryDelay")) if wait is None else wait
    message = server_message(error.body, [endpoint.key])
    return status_error(error.status, server, model, message=message, retry_after=wait)


_WIRE = {
    "temperature": r"temperature",
    "top_p": r"top[ _-]?p\b",
    "top_k": r"top[ _-]?k\b",
    "seed": r"\bseed\b",
    "thinking": r"thinking",
    "stop": r"stop[ _-]?sequence",
    "json_schema": r"response[ _-]?(json[ _-]?)?schema|response[ _-]?mime",
}
"""Optional parameters, and how an error message names them."""


_NO_SYSTEM = re.compile(
    r"(developer|system)[ _-]?(instruction|prompt|message|role)s?\b[^.]{0,60}\b(not|un)[ -]?(be )?"
    r"(enabl|support|allow)",
    re.IGNORECASE,
)
"""Google of its Gemma models: "Developer instruction is not enabled for models/gemma-3-27b-it"."""


def _error(body: object) -> Mapping[str, object]:
    """The error object of a body, whether it came as bytes, as a list of one, or read."""
    try:
        document = json.loads(body) if isinstance(body, bytes | str) else body
    except (ValueError, RecursionError):
        return {}
    document = document[0] if isinstance(document, list) and document else document
    inner = document.get("error", document) if isinstance(document, Mapping) else {}
    return inner if isinstance(inner, Mapping) else {}


def _details(error: ApiError) -> list[Mapping[str, object]]:
    details = _error(error.body).get("details")
    return [one for one in details if isinstance(one, Mapping)] if isinstance(details, list) else []


def _key_invalid(error: ApiError) -> bool:
    return error.status == 400 and any(one.get("reason") == "API_KEY_INVALID" for one in _details(error))
