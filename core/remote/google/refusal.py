"""Why Gemini did not answer: its error objects as sentences, and what to leave out of a request that it refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from core.catalog.servers import Server
from core.errors import KeyRefused, RemoteError
from core.remote.errors import broken, foreign, quoted, refused, seconds_in
from core.remote.google.ask import Ask
from core.settings import Secret


class Refusal(Exception):
    """The server answered with an HTTP status that is not a success; a provider raises it, `error` words it."""

    def __init__(self, status: int, body: object, retry_after: object = None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body
        self.retry_after = retry_after


def lesser(ask: Ask, refusal: Refusal) -> Ask | None:
    """What to ask after a 400: less the optional parameters that it names, or less all of them; None: it is no use."""
    said = _error(refusal.body)
    optional = [name for name in ask.parameters if name in _WIRE]
    if refusal.status != 400 or said.get("status") != "INVALID_ARGUMENT" or _key_invalid(refusal) or not optional:
        return None
    message = str(said.get("message", ""))
    return ask.without([name for name in optional if re.search(_WIRE[name], message, re.IGNORECASE)] or optional)


def error(refusal: Refusal, server: Server, model: str, key: Secret | None) -> RemoteError:
    """The sentence for a refusal. A revoked key is a 400 to Google, told apart by its reason."""
    if _key_invalid(refusal):
        return KeyRefused(
            f"{server.name} does not take this key ({refusal.status}). "
            f"Check that it is right, active and allowed to use {model}."
        )
    wait = seconds_in(refusal.retry_after)
    for detail in _details(refusal):
        wait = seconds_in(detail.get("retryDelay")) if wait is None else wait
    return refused(refusal.status, server, model, said=quoted(refusal.body, [key]), retry_after=wait)


def fault(trouble: BaseException, server: Server, *, begun: bool) -> RemoteError:
    """The sentence for anything else that an SDK raised: a broken connection, or an answer that it cannot read."""
    unreadable = isinstance(trouble, ValueError | TypeError | AttributeError | LookupError)
    if not begun and (unreadable or type(trouble).__name__ in {"ParseError", "DecodeError"}):
        return foreign(server)
    return broken(trouble, server, begun=begun)


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


def _error(body: object) -> Mapping[str, object]:
    """The error object of a body, whether it came as bytes, as a list of one, or read."""
    try:
        found = json.loads(body) if isinstance(body, bytes | str) else body
    except (ValueError, RecursionError):
        return {}
    found = found[0] if isinstance(found, list) and found else found
    inner = found.get("error", found) if isinstance(found, Mapping) else {}
    return inner if isinstance(inner, Mapping) else {}


def _details(refusal: Refusal) -> list[Mapping[str, object]]:
    details = _error(refusal.body).get("details")
    return [one for one in details if isinstance(one, Mapping)] if isinstance(details, list) else []


def _key_invalid(refusal: Refusal) -> bool:
    return refusal.status == 400 and any(one.get("reason") == "API_KEY_INVALID" for one in _details(refusal))
