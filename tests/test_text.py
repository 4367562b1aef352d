"""Text that has to fit onto one line of a field, and comes back whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import escaped, unescaped


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nUser:", r"\nUser:"),
        ("\n", r"\n"),
        ("a\nb", r"a\nb"),
        ("\t\r\n", r"\t\r\n"),
        (r"\n", r"\\n"),
        (r"\d+", r"\d+"),
        ("\\", "\\"),
        ("\\\n", r"\\\n"),
        ("", ""),
    ],
)
def test_line_ends_are_written_as_escapes(text: str, line: str) -> None:
    assert escaped(text) == line
    assert unescaped(line) == text


@given(st.text(alphabet="\\nrt \n\r\tdu"))
def test_every_text_comes_back_from_one_line(text: str) -> None:
    assert "\n" not in escaped(text)
    assert unescaped(escaped(text)) == text
