"""The SDK's exceptions, and the errors that a server sends inside a stream that began well, as errors for a person."""

from __future__ import annotations

from collections.abc import Mapping

from openai import APIConnectionError, APIError, APIStatusError

from core.errors import Blocked, DiptychError, RemoteError
from core.remote import errors
from core.remote.endpoint import Endpoint

_STATUS: Mapping[str, int] = {
    "rate_limit": 429,
    "insufficient_quota": 429,
    "quota": 429,
    "invalid_api_key": 401,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "context_length": 400,
    "invalid_request": 400,
    "overloaded": 503,
    "timeout": 504,
}
"""Statuses for the words by which servers name an error inside a stream; anything else is the server's own fault."""

_FILTERED = ("content_filter", "content_policy", "moderation")


_NO_SUCH_ROUTE = frozenset({404, 405, 501})


def error_from(error: Exception, endpoint: Endpoint, model: str | None, *, begun: bool = False) -> DiptychError:
    """The error for whatever an answer, or a list of models, ended with.

    Args:
        model: None: the list was asked for.
        begun: part of the answer had come.
    """
    if isinstance(error, DiptychError):
        return error
    if isinstance(error, APIStatusError):
        if model is None and error.status_code in _NO_SUCH_ROUTE:
            return _no_list(error.status_code, endpoint)
        wait = errors.retry_after_seconds(error.response.headers.get("retry-after"))
        return _status_error(error.status_code, error.body, endpoint, model or "its list of models", wait)
    if isinstance(error, APIError) and not isinstance(error, APIConnectionError):
        return error_in(error.body, endpoint, model or "its list of models")
    if isinstance(error, ValueError) and not begun:
        return errors.format_error(endpoint.server)
    return errors.connection_error(error, endpoint.server, begun=begun)


def error_in(body: object, endpoint: Endpoint, model: str) -> DiptychError:
    """The error for an `error` object, or text, inside a response whose status was 200."""
    body = {"error": body} if isinstance(body, str) else body
    return _status_error(_status_in(body), body, endpoint, model)


def code_of(body: object) -> str:
    """The words by which a server names an error, for a program: its code and type, in small letters."""
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    return f"{inner.get('code')} {inner.get('type')}".lower() if isinstance(inner, Mapping) else ""


def _no_list(status: int, endpoint: Endpoint) -> RemoteError:
    return RemoteError(
        f"{endpoint.server.name} gives no list of its models ({status}). "
        "Type the id of a model; if that is not answered either, check the URL."
    )


def _status_error(status: int, body: object, endpoint: Endpoint, model: str, wait: float | None = None) -> RemoteError:
    name = endpoint.server.name
    if status == 400 and any(word in code_of(body) for word in _FILTERED):
        return Blocked(f"{name} will not answer this prompt: its content filter caught it. Word it differently.")
    message = errors.server_message(body, [endpoint.key])
    return errors.status_error(status, endpoint.server, model, message=message, retry_after=wait)


def _status_in(body: object) -> int:
    code = code_of(body)
    number = code.partition(" ")[0]
    if number.isdecimal() and 400 <= int(number[:4]) < 600:
        return int(number)
    return next((status for word, status in _STATUS.items() if word in code), 500)
