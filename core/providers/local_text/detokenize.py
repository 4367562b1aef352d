"""Tokens into text, as they come: whole characters only, and nothing of a stop string.

Knows nothing of models; a decoder is any function from token ids to text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

UNFINISHED = "\ufffd"


class Letters:
    """Text of a growing list of tokens, a character at a time.

    Byte-level tokenizers cut characters in two. Decoding a cut one gives exactly one U+FFFD at the end, so that one
    is held back until the next token shows whether it was a character's beginning or really a stray byte.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._start = 0
        self._shown = ""

    def add(self, token: int) -> str:
        """The text that this token completes: '' while a character is unfinished."""
        self._ids.append(token)
        text = self._decode(self._ids[self._start :])
        whole = text.removesuffix(UNFINISHED)
        fresh = whole[len(self._shown) :]
        self._shown = whole
        if text == whole:
            # One token stays as context: some tokenizers write a first token without its leading blank.
            self._start = len(self._ids) - 1
            self._shown = self._decode(self._ids[self._start :])
        return fresh


class Gate:
    """Lets text through until a stop string comes, and never lets out what might be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.closed = False

    def add(self, text: str) -> str:
        """What of the text so far can be shown now. After `closed` nothing more can."""
        if not self._stops:
            return text
        held = self._held + text
        places = [place for place in (held.find(stop) for stop in self._stops) if place >= 0]
        if places:
            self.closed, self._held = True, ""
            return held[: min(places)]
        keep = max(_overlap(held, stop) for stop in self._stops)
        self._held = held[len(held) - keep :]
        return held[: len(held) - keep]

    def rest(self) -> str:
        """What was held back and turned out to be no stop string, once nothing more comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` with which `stop` begins."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
