"""Lists of seeds as a person writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.experiment import seeds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("  ", ()),
        ("7", (7,)),
        ("1, 5, 99", (1, 5, 99)),
        ("99;5 1", (99, 5, 1)),
        ("10-14", (10, 11, 12, 13, 14)),
        ("10 - 12, 3", (10, 11, 12, 3)),
        ("10–11", (10, 11)),
        ("9223372036854775807", (2**63 - 1,)),
    ],
)
def test_read(text: str, found: tuple[int, ...]) -> None:
    assert seeds.read(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("one", "'one' in the list of seeds is no number"),
        ("1.5", "is no number"),
        ("-4", "is no number"),
        ("5, 5", "The seed 5 is listed twice"),
        ("1-3, 2", "The seed 2 is listed twice"),
        ("9-1", "must go up"),
        ("0-9999999999", "by at most 50"),
        (",".join(map(str, range(51))), "more than 50 seeds"),
        ("9223372036854775808", "from 0 to 9223372036854775807"),
    ],
)
def test_what_is_no_list_says_how_to_write_one(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        seeds.read(text)


@given(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 30), max_size=20, unique=True).map(tuple))
def test_there_and_back(listed: tuple[int, ...]) -> None:
    assert seeds.read(seeds.to_text(listed)) == listed


@given(st.text(max_size=60))
def test_any_text_is_a_list_or_a_sentence(text: str) -> None:
    try:
        told = f"{seeds.to_text(seeds.read(text))}."
    except InvalidInput as error:
        told = str(error)
    assert told.endswith(".")
