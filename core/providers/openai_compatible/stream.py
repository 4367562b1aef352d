"""The chunks of an answer out of the bytes of its response, whatever a server does to the form of the stream.

A chunk is the JSON value of an event. An error in any form becomes {"error": ...}, and END follows the server's own
last word. Knows nothing of what a chunk says besides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from core.remote import sse

END = object()
"""The server said that the answer is whole: [DONE], or one JSON document that was not streamed."""

_DONE = re.compile(r'"?\[DONE\]', re.IGNORECASE)
_ERROR_EVENTS = frozenset({"error", "exception", "failed", "fail"})
_ERROR_WORDS = re.compile(r"error|exception|fail|denied|out of memory|timed? ?out|overload|unavailable|abort", re.I)
_ERROR_OBJECT = re.compile(r"""^\{\s*['"]?(error|errors|detail|message|msg)['"]?\s*:""")
"""An object that is not JSON, such as what Python prints of a dict; a chunk that was cut off does not begin so."""

_KEEP_ALIVE = frozenset({"ping", "heartbeat", "keepalive", "keep-alive", "keep_alive", "open", "status"})
_MAX_UNREAD = 100_000
"""Characters of lines that are no events, kept until the end in case they are one document."""


def chunks_in(parts: Iterable[bytes]) -> Iterator[object]:
    """Every chunk of a stream of server-sent events, or of lines of JSON.

    Raises:
        ValueError: an event is no JSON, and not the message of an error either.
    """
    unread: list[str] = []
    for event in sse.events(parts):
        chunks = _event(event) if isinstance(event, sse.Event) else _line(event.text)
        if chunks is None:
            unread.append(event.text if isinstance(event, sse.UnknownLine) else event.data)
            continue
        for chunk in chunks:
            yield chunk
            if chunk is END:
                return
    yield from _document("\n".join(unread)[:_MAX_UNREAD])


def whole(body: bytes) -> Iterator[object]:
    """The chunks of a response that says it is one JSON document, even where it is a stream all the same.

    Raises:
        ValueError: it is neither.
    """
    try:
        document = json.loads(body)
    except ValueError:
        yield from chunks_in([body])
        return
    yield document
    yield END


def _event(event: sse.Event) -> list[object]:
    data = event.data.strip()
    if data != "[DONE]" and "[DONE]".startswith(data):  # empty, or the mark of the end, cut off: no news
        return []
    chunks = _each_line(data)
    if event.name.lower() in _ERROR_EVENTS:
        return [_marked(data)] if chunks is None else [chunk if chunk is END else _marked(chunk) for chunk in chunks]
    if chunks is None and event.name.lower() in _KEEP_ALIVE:
        return []
    if chunks is None and (_ERROR_OBJECT if data.startswith("{") else _ERROR_WORDS).search(data):
        return [_marked(data)]
    if chunks is None:
        raise ValueError("an event that is no JSON")
    return chunks


def _each_line(data: str) -> list[object] | None:
    """One chunk, or several where the blank line between them is missing; None where the lines are none."""
    if _DONE.match(data):
        return [END]
    with suppress(ValueError):
        return [json.loads(data)]
    values: list[object] = []
    for line in filter(None, map(str.strip, data.split("\n"))):
        if _DONE.match(line):
            return [*values, END]
        try:
            values.append(json.loads(line))
        except ValueError:
            return None
    return values


def _line(text: str) -> list[object] | None:
    """A line without "data:": JSON by itself, or an error under a field of its own; None where it is neither."""
    text = text.strip()
    if _DONE.match(text):
        return [END]
    field, _, rest = text.partition(":")
    if field.strip().lower() in _ERROR_EVENTS:
        return [_marked(_json(rest) or rest.strip())] if rest.strip() else None
    value = _json(text) if text.startswith("{") else None
    return None if value is None else [value]


def _document(text: str) -> Iterator[object]:
    """What was no event, where all of it together is one JSON document after all."""
    value = _json(text)
    if isinstance(value, Mapping):
        yield value
        yield END


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _marked(value: object) -> object:
    """The value of an event that is called an error, as a chunk with an error in it."""
    return value if isinstance(value, Mapping) and value.get("error") else {"error": value}
