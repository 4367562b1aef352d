"""What the SDK raises, and what a server says inside a stream that began well, as errors for a person."""

from __future__ import annotations

from collections.abc import Mapping

from openai import APIConnectionError, APIError, APIStatusError

from core.errors import Blocked, DiptychError, RemoteError
from core.remote import errors
from core.remote.endpoint import Door

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


def trouble(error: Exception, way: Door, model: str, *, begun: bool = False) -> DiptychError:
    """The error for whatever an answer, or a list, ended with.

    Args:
        begun: part of the answer had come.
    """
    if isinstance(error, DiptychError):
        return error
    if isinstance(error, APIStatusError):
        wait = errors.seconds_in(error.response.headers.get("retry-after"))
        return _refused(error.status_code, error.body, way, model, wait)
    if isinstance(error, APIError) and not isinstance(error, APIConnectionError):
        return _refused(_status_of(error.body), error.body, way, model)
    if isinstance(error, ValueError) and not begun:
        return errors.foreign(way.server)
    return errors.broken(error, way.server, begun=begun)


def said(error: object, way: Door, model: str) -> DiptychError:
    """The error for an `error` object inside an answer whose status was 200."""
    return _refused(_status_of(error), error, way, model)


def code_of(body: object) -> str:
    """The words by which a server names an error, for a program: its code and type, in small letters."""
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    return f"{inner.get('code')} {inner.get('type')}".lower() if isinstance(inner, Mapping) else ""


def _refused(status: int, body: object, way: Door, model: str, wait: float | None = None) -> RemoteError:
    name = way.server.name
    if status == 400 and any(word in code_of(body) for word in _FILTERED):
        return Blocked(f"{name} will not answer this prompt: its content filter caught it. Word it differently.")
    return errors.refused(status, way.server, model, said=errors.quoted(body, [way.key]), retry_after=wait)


def _status_of(body: object) -> int:
    code = code_of(body)
    number = code.partition(" ")[0]
    if number.isdecimal() and 400 <= int(number[:4]) < 600:
        return int(number)
    return next((status for word, status in _STATUS.items() if word in code), 500)
