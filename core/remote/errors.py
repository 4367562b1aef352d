"""What can go wrong with a server, as sentences that say what to do.

A server's own message is quoted, shortened, only where they name a parameter or a limit (400, 413, 429, 5xx as JSON);
never for a rejected key, which some servers repeat. Knows HTTP and no provider's SDK.
"""

from __future__ import annotations

import ast
import json
import math
import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

from core.catalog.servers import Server
from core.errors import KeyRefused, QuotaSpent, RemoteError, Unreachable
from core.remote.guarded_client import AddressForbidden, ResponseTooLarge
from core.remote.keys import redacted
from core.settings import Secret
from core.text import clean

MAX_QUOTED = 240
MAX_READ = 10_000
MAX_DEPTH = 4


def status_error(
    status: int, server: Server, model: str, *, message: str = "", retry_after: float | None = None
) -> RemoteError:
    """The error for an HTTP status that is not a success.

    Args:
        message: the server's own, already without keys (`server_message`).
        retry_after: seconds, as the server gave them.
    """
    name, quote = server.name, f" It says: {message}" if message else ""
    # Some answer 400 where others answer 401.
    if status in (401, 403) or (status == 400 and re.search(r"api key (not valid|expired|not found)", message, re.I)):
        return KeyRefused(
            f"{name} does not take this key ({status}). Check that it is right, active and allowed to use {model}."
        )
    if status == 402:
        return QuotaSpent(f"{name} has no credit left for this key (402). Add credit there, or use another key.{quote}")
    if status == 404:
        return RemoteError(_not_found(server, model))
    if status == 429:
        return QuotaSpent(
            f"{name} takes no more requests from this key for now (429).{_wait(retry_after)}{quote}", retry_after
        )
    if status == 413:
        return RemoteError(f"The prompt is too large for {name} (413). Shorten it, or send smaller images.{quote}")
    if status in (408, 504):
        return Unreachable(f"{name} took too long and gave up ({status}). Try again.")
    if status in (502, 503, 529):
        return Unreachable(f"{name} is overloaded or being mended ({status}).{_wait(retry_after)}{quote}")
    if 300 <= status < 400:
        return Unreachable(
            f"{name} sends us to another address ({status}); that is not followed, to keep your key. Check the URL."
        )
    if status >= 500:
        return Unreachable(f"{name} failed ({status}). Try again; if it stays so, choose another model.{quote}")
    return RemoteError(f"{name} does not take this request ({status}).{quote}")


def connection_error(error: BaseException, server: Server, *, begun: bool = False) -> RemoteError:
    """The error for a connection that could not be made, or broke; known by the names of the exceptions, whichever
    library raised them.

    Args:
        begun: part of the answer had come.
    """
    names = {kind.__name__ for cause in _causes(error) for kind in type(cause).__mro__}
    name = server.name
    if any(isinstance(cause, AddressForbidden) for cause in _causes(error)):
        return Unreachable("This address may not be called: a server of your own must be on the open internet.")
    if any(isinstance(cause, ResponseTooLarge) for cause in _causes(error)):
        return Unreachable(f"{name} sent more than an answer can hold; the rest was not read.")
    if names & {"ReadTimeout", "WriteTimeout"} or ("Timeout" in names and "ConnectTimeout" not in names):
        return Unreachable(
            f"{name} stopped sending. What came so far is lost to us; try again."
            if begun
            else f"{name} did not answer in time. Try again, or choose a quicker model."
        )
    if begun:
        return Unreachable(f"The connection to {name} broke in the middle of the answer. Try again.")
    if "SSLCertVerificationError" in names:
        return Unreachable(
            f"{name} shows a certificate that is not valid for its address; nothing was sent. Check the URL, and that "
            "no proxy stands in between."
        )
    if names & _PROTOCOL_ERRORS and "ConnectError" not in names:
        return Unreachable(f"{name} answered something that is not an answer. Check the URL; try again.")
    # The last two are what requests and urllib call it.
    if names & {"ConnectError", "ConnectTimeout", "gaierror", "SSLError", "ConnectionError"}:
        return Unreachable(f"{name} cannot be reached. {_hint(server)}")
    return Unreachable(f"Talking to {name} failed ({type(error).__name__}). Try again.")


_PROTOCOL_ERRORS = {
    "RemoteProtocolError",
    "ReadError",
    "WriteError",
    "ConnectionResetError",
    "ProtocolError",
    "ChunkedEncodingError",
    "JSONDecodeError",
    "DecodingError",
}


def format_error(server: Server) -> RemoteError:
    """The error for a success that is not what was asked for."""
    return Unreachable(f"{server.name} answered, but not in the form that was asked for. Check that its URL is right.")


def server_message(body: object, keys: Iterable[Secret | None]) -> str:
    """A server's own message out of the body of its error, shortened, on one line, without keys; '' for HTML."""
    message = " ".join(clean(_message(body, MAX_DEPTH)).split())[:MAX_READ]
    if message.startswith("<") or "<html" in message.lower() or "<!doctype" in message.lower():
        return ""
    line = redacted(message, keys)
    return line if len(line) <= MAX_QUOTED else line[: MAX_QUOTED - 1] + "…"


def retry_after_seconds(text: object, now: float | None = None) -> float | None:
    """Seconds from a Retry-After header, a number or a date, or Google's retryDelay ("7s"); None for anything else.

    Args:
        now: Unix time, where it is not that of the clock.
    """
    words = str(text).strip()[:64]
    number = re.fullmatch(r"(\d+(?:\.\d+)?)s?", words, re.ASCII)
    try:
        seconds = (
            float(number[1])
            if number
            else parsedate_to_datetime(words).timestamp() - (time.time() if now is None else now)
        )
    except (ValueError, OverflowError, OSError):
        return None
    return max(0.0, seconds) if seconds < 1e6 else None


def _message(body: object, depth: int) -> str:
    """The message inside an error's body, looked for a few levels deep: a hostile one may nest without end."""
    if isinstance(body, bytes | bytearray):
        body = bytes(body).decode("utf-8", "replace")
    if isinstance(body, str):
        parsed = _parsed(body) if body.lstrip()[:1] in ("{", "[") else None
        if parsed is None:
            # A whole body of broken JSON says nothing to a person; inside a body such a text is the server's message.
            return body if depth < MAX_DEPTH or body.lstrip()[:1] not in ("{", "[") else ""
        body = parsed
    if isinstance(body, str):
        return body
    if isinstance(body, list) and body and depth:
        return _message(body[0], depth - 1)
    if isinstance(body, Mapping) and depth:
        inner = next((body[name] for name in _MESSAGE_FIELDS if body.get(name)), "")
        return _message(inner, depth - 1)
    return ""


_MESSAGE_FIELDS = ("error", "errors", "message", "detail", "msg", "error_message", "error_msg", "errorMessage")
"""Where servers put the message of an error: OpenAI and Google the first and third, FastAPI the fourth and fifth."""


def _parsed(text: str) -> object:
    """JSON, or what Python prints of a dict, as some proxies send it; None where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip()) if len(text) <= MAX_READ else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _not_found(server: Server, model: str) -> str:
    bare = model.rsplit("/", 1)[-1]
    successor = next((name for pattern, name in server.successors if re.match(pattern, bare)), None)
    if successor:
        return f"{server.maker} has shut down {model[:80]}. Choose {successor}, its successor."
    return f"{server.name} has no model '{model[:80]}', or this key may not use it (404). Choose one from its list."


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return " Wait a little, or use another key or model."
    return f" Try again in {max(1, math.ceil(seconds))} s."


def _hint(server: Server) -> str:
    if server.local:
        return "Is it started?"
    return "Check your network connection; on a server without internet, use the built-in models."


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    seen = 0
    while error is not None and seen < 8:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1
