"""A key that an answer quotes is taken out of it, also where it comes in parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.remote.keys import MIN_CUT_KEY, REDACTED, KeyRedactor
from core.settings import Secret

KEY = "sk-aabaabaac-0123"


def shown(parts: list[str], *keys: str) -> str:
    redactor = KeyRedactor([Secret(key) for key in keys] or [Secret(KEY)])
    return "".join([*map(redactor.feed, parts), redactor.flush()])


def test_a_key_is_taken_out() -> None:
    assert shown([f"echo Bearer {KEY}!"]) == f"echo Bearer {REDACTED}!"


def test_a_key_in_parts_is_taken_out() -> None:
    assert shown([f"a{KEY[:5]}", KEY[5:6], f"{KEY[6:]}b"]) == f"a{REDACTED}b"
    assert shown(list(f"a{KEY}{KEY}b")) == f"a{REDACTED}{REDACTED}b"


def test_a_key_that_is_cut_off_at_the_end_is_taken_out_as_far_as_it_came() -> None:
    assert shown([f"a {KEY[:-1]}"]) == f"a {REDACTED}"
    assert shown([f"a {KEY[: MIN_CUT_KEY - 1]}"]) == f"a {KEY[: MIN_CUT_KEY - 1]}"


def test_what_is_no_key_comes_at_once() -> None:
    redactor = KeyRedactor([Secret(KEY)])
    assert [redactor.feed(text) for text in ("Hello", ", wor", "ld.")] == ["Hello", ", wor", "ld."]
    assert not redactor.has_redacted


def test_a_beginning_of_a_key_waits_for_its_end() -> None:
    redactor = KeyRedactor([Secret(KEY)])
    assert [redactor.feed("a sk"), redactor.feed("-lift"), redactor.flush()] == ["a ", "sk-lift", ""]


def test_an_example_that_looks_like_a_key_is_the_answers_own() -> None:
    assert shown(['api_key = "sk-your-key-here"']) == 'api_key = "sk-your-key-here"'


def test_without_a_key_nothing_is_held_back() -> None:
    redactor = KeyRedactor([None, Secret(""), Secret("abc")])
    assert redactor.feed("abc sk-") == "abc sk-"


@given(st.data())
def test_however_a_text_is_cut_no_key_is_in_it_and_nothing_else_is_lost(data: st.DataObject) -> None:
    keys = ["aabaab", "aab-aabaab"]
    text = "".join(data.draw(st.lists(st.sampled_from([*keys, "a", "aa", "b", "-", " ", "aab"]), max_size=12)))
    parts, rest = [], text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        parts.append(rest[:size])
        rest = rest[size:]
    result = shown(parts, *keys)
    assert not [key for key in keys if key in result]
    if not any(key in text for key in keys) and len(text) < MIN_CUT_KEY:
        assert result == text
