"""Server-sent events out of the bytes of a response, as the WHATWG's HTML standard reads them (9.2.6, Interpreting an
event stream), wherever the bytes are cut.

In three things it is more lenient than a browser: an event that the end of the stream cuts off is given, and so is a
line whose field the standard does not know, which a browser drops; fields are known in any case of their letters.
Knows nothing of what the data mean.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_LINE_END = re.compile(r"\r\n|\n|\r")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Event:
    """Data, its lines joined by line feeds, under an event's name: "message" where the server gave none."""

    data: str
    name: str = "message"


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """A whole line whose field the standard does not know, such as JSON without "data:" before it."""

    text: str


def events(parts: Iterable[bytes]) -> Iterator[Event | UnknownLine]:
    """Every event that has data, in order. Comments, ids and retry times are skipped."""
    pending = _Pending()
    for line in _lines(_decoded(parts)):
        if not line:
            yield from pending.dispatch()
        elif not pending.take(line):
            yield UnknownLine(line)
    yield from pending.dispatch()


@dataclass(slots=True)
class _Pending:
    """An event whose blank line has not come yet."""

    name: str = ""
    data: list[str] = field(default_factory=list)

    def take(self, line: str) -> bool:
        """Read one line that is not blank; whether the standard knows its field."""
        name, _, value = line.partition(":")
        name = name.lower()
        value = value.removeprefix(" ")
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self.name = value
        return name in ("", "data", "event", "id", "retry")

    def dispatch(self) -> Iterator[Event]:
        if self.data:
            yield Event("\n".join(self.data), self.name or "message")
        self.name, self.data = "", []


def _decoded(parts: Iterable[bytes]) -> Iterator[str]:
    """The text of the bytes without a byte order mark; what is not UTF-8 becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    begun = False
    for part in parts:
        if text := decoder.decode(part):
            yield text if begun else text.removeprefix(_BOM)
            begun = True
    yield decoder.decode(b"", final=True)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Lines that end in CRLF, LF or CR, also where a text ends between CR and LF; the last one may have no end."""
    begun: list[str] = []
    after_cr = False
    for text in texts:
        if not text:
            continue
        text = text.removeprefix("\n") if after_cr else text
        after_cr = text.endswith("\r")
        *ended, rest = _LINE_END.split(text)
        for line in ended:
            yield "".join([*begun, line])
            begun = []
        if rest:
            begun.append(rest)
    if begun:
        yield "".join(begun)
