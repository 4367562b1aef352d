"""Changes between two texts: nothing is lost on either side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core import text_diff
from core.text_diff import Change, changes

WORDS = st.lists(st.sampled_from(["a", "b", " ", "\n", "word", "é", "."]), max_size=30).map("".join)


def test_words_are_marked() -> None:
    assert changes("What is {{n}}?", "What was {{n}}!") == (
        Change("same", "What "),
        Change("removed", "is"),
        Change("added", "was"),
        Change("same", " {{n}}"),
        Change("removed", "?"),
        Change("added", "!"),
    )


@given(st.text(max_size=30) | WORDS, st.text(max_size=30) | WORDS)
def test_both_texts_can_be_read_from_the_changes(old: str, new: str) -> None:
    parts = changes(old, new)
    assert "".join(one.text for one in parts if one.kind != "added") == old
    assert "".join(one.text for one in parts if one.kind != "removed") == new


def test_long_texts_are_compared_by_lines() -> None:
    old = "".join(f"line {number} of many\n" for number in range(text_diff.MAX_PIECES))
    parts = changes(old, old.replace("line 7 of", "line seven of"))
    assert [one.kind for one in parts] == ["same", "removed", "added", "same"]
    assert parts[2].text == "line seven of many\n"
