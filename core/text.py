"""Text for people: cleaning and shortening it, and bytes, durations and money in words."""

from __future__ import annotations

import re


def in_words(count: int) -> str:
    """Bytes in decimal units, as file sizes are given: 2.6 GB, 548 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Seconds, roughly: 40 s, 6 min or 1.5 h."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def short(name: str, limit: int = 40) -> str:
    """A name that fits into a sentence: at most `limit` characters, the last an ellipsis where it was cut."""
    return name if len(name) <= limit else name[: limit - 1] + "…"


def clean(text: str) -> str:
    """Text without control characters but \\n and tabs; other line ends become \\n, each lone surrogate becomes '?'."""
    encodable = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    return _CONTROLS.sub("", encodable)


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def money(dollars: float | None) -> str:
    """US dollars in digits that suit the amount; None is an unknown price."""
    if dollars is None:
        return "price not known"
    return f"${dollars:.4f}" if dollars >= 0.0001 or dollars == 0 else "under $0.0001"


def escaped(text: str) -> str:
    """Text on one line, with \\n, \\r and \\t for line ends and tabs; `unescaped` is the inverse.

    A backslash is doubled where it would be read as part of one of them.
    """
    signs = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    plain = re.sub(r"\\(?=[nrt\\\n\r\t])", r"\\\\", text)
    return "".join(signs.get(character, character) for character in plain)


def unescaped(line: str) -> str:
    """Text from a line with \\n, \\r, \\t and \\\\ in it; a backslash before anything else is a backslash."""
    signs = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
    return re.sub(r"\\([nrt\\])", lambda match: signs[match[1]], line)
