"""Server-sent events are read as the HTML standard says, wherever the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.remote.sse import Event, UnknownLine, events

CASES: dict[str, tuple[bytes, list[Event | UnknownLine]]] = {
    "one event": (b"data: a\n\n", [Event("a")]),
    "no blank after the colon": (b"data:a\n\n", [Event("a")]),
    "one blank alone is taken away": (b"data:  a\n\n", [Event(" a")]),
    "carriage returns": (b"data: a\r\rdata: b\r\r", [Event("a"), Event("b")]),
    "both line ends": (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("a"), Event("b")]),
    "mixed line ends": (b"data: a\r\n\ndata: b\n\r\n", [Event("a"), Event("b")]),
    "many lines": (b"data: a\ndata: b\n\n", [Event("a\nb")]),
    "a name": (b"event: ping\ndata: {}\n\ndata: a\n\n", [Event("{}", "ping"), Event("a")]),
    "a name without data": (b"event: ping\n\ndata: a\n\n", [Event("a")]),
    "empty data": (b"data:\n\ndata\n\n", [Event(""), Event("")]),
    "comments": (b": hello\n\n:\n\ndata: a\n: more\ndata: b\n\n", [Event("a\nb")]),
    "ids and retry": (b"retry: 3000\n\nid: 1\ndata: a\n\nid\ndata: b\n\n", [Event("a"), Event("b")]),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
    "only the first mark is one": (
        b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n",
        [UnknownLine("\ufeffdata: a"), Event("b")],
    ),
    "a colon in the data": (b"data: a: b\n\n", [Event("a: b")]),
    "what other lines end at ends none": ("data: a\u2028b\u0085c\x0bd\n\n".encode(), [Event("a\u2028b\u0085c\x0bd")]),
    "bytes that are not UTF-8": (b"data: a\xffb\n\n", [Event("a\ufffdb")]),
    "a character that is cut off": (b"data: a\xe2\x82", [Event("a\ufffd")]),
    "an event that is cut off": (b"data: a\n\ndata: b", [Event("a"), Event("b")]),
    "a line that is none": (
        b'{"a": 1}\nerror: x\ndata: a\n\n',
        [UnknownLine('{"a": 1}'), UnknownLine("error: x"), Event("a")],
    ),
    "nothing": (b"", []),
    "blank lines": (b"\n\r\n\r\r\n", []),
}


@pytest.mark.parametrize("name", CASES)
def test_a_stream_is_read_as_the_standard_says(name: str) -> None:
    raw, expected = CASES[name]
    assert list(events([raw])) == expected
    assert list(events(raw[i : i + 1] for i in range(len(raw)))) == expected


@given(
    st.lists(st.sampled_from(sorted(CASES)).map(lambda name: CASES[name][0]) | st.binary(max_size=20), max_size=8).map(
        b"".join
    ),
    st.lists(st.integers(0, 60), max_size=10),
)
def test_where_the_bytes_are_cut_changes_nothing(raw: bytes, cuts: list[int]) -> None:
    at = sorted({0, *(cut for cut in cuts if cut < len(raw)), len(raw)})
    parts = [raw[start:end] for start, end in pairwise(at)]
    assert list(events(parts)) == list(events([raw]))


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n", codec="utf-8")), min_size=1, max_size=5))
def test_what_is_sent_arrives(lines: list[str]) -> None:
    raw = "".join(f"data: {line}\n" for line in lines).encode() + b"\n"
    assert list(events([raw])) == [Event("\n".join(lines))]


def test_a_line_of_many_parts_is_joined_once() -> None:
    parts = [b"data: ", *[b"x" * 1000] * 20_000, b"\n\n"]
    (event,) = events(parts)
    assert isinstance(event, Event)
    assert len(event.data) == 20_000_000
