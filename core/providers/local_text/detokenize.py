"""Tokens into text, as they come: whole characters only, and nothing of a stop string.

Knows nothing of models; a decoder is any function from token ids to text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

UNFINISHED = "\ufffd"


class IncrementalDetokenizer:
    """The text of a growing list of tokens, whole characters at a time.

    Tokenizers cut characters in two. Byte-level ones decode a cut character to one U+FFFD, byte-fallback ones (Llama,
    Gemma) to one for each of its bytes, and those then also turn the whole characters before it in the same run of
    bytes into U+FFFD. So every U+FFFD at the end is held back until a token shows whether it was a character's
    beginning or really stray bytes, and text that was given out is never compared with a shorter decoding of it.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._context = 0  # decoding starts here: some tokenizers write a first token without its leading blank
        self._complete = 0  # the text of the tokens before this one is out, and ends with a whole character
        self._shown = ""  # of the text from _context on

    def add(self, token: int) -> str:
        """The text that this token completes: '' while a character is unfinished."""
        self._ids.append(token)
        text = self._decode(self._ids[self._context :])
        whole = text.rstrip(UNFINISHED)
        if not whole.startswith(self._shown):
            if whole != text:
                return ""
            # Stray bytes took the shown characters of their run along; without those in front they decode alone.
            self._context, self._shown = self._complete, ""
            whole = text = self._decode(self._ids[self._context :])
        fresh = whole[len(self._shown) :]
        self._shown = whole
        if fresh and whole == text:
            self._context, self._complete = self._complete, len(self._ids)
            self._shown = self._decode(self._ids[self._context :])
        return fresh


class StopStrings:
    """Lets text through until a stop string comes, and never lets out what might be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.reached = False

    def add(self, text: str) -> str:
        """What of the text so far can be shown now. Once a stop string is `reached`, nothing more can."""
        if not self._stops:
            return text
        held = self._held + text
        starts = [start for start in (held.find(stop) for stop in self._stops) if start >= 0]
        if starts:
            self.reached, self._held = True, ""
            return held[: min(starts)]
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
