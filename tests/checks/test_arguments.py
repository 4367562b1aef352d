"""How lists and numbers are read from a check's value."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.checks import arguments, check, numbers, parse
from core.errors import CheckError

LISTS = ("contains-any", "contains-all", "icontains-any", "icontains-all")


@pytest.mark.parametrize(
    ("argument", "items"),
    [
        ("a,b", ("a", "b")),
        (' a , "b, c" ', ("a", "b, c")),
        ('"1,000",in stock', ("1,000", "in stock")),
        ('"line\none",two', ("line\none", "two")),
        ('"say ""hi""",b', ('say "hi"', "b")),
        (r'"say \"hi\"",b', ('say "hi"', "b")),
        (r'"a\\b","c\d"', (r"a\b", r"c\d")),
        ('5" pipe,6" pipe', ('5" pipe', '6" pipe')),
        ("a,,b, ,", ("a", "b")),
        ('"",a', ("", "a")),
        ('" ",a', (" ", "a")),
        ("it's,don't", ("it's", "don't")),
        ("“x, y”", ("“x", "y”")),
    ],
)
def test_quotes_keep_an_item_whole(argument: str, items: tuple[str, ...]) -> None:
    assert arguments.items(argument) == items
    for name in LISTS:
        assert parse(f"not-{name}:{argument}").argument == items


@pytest.mark.parametrize("argument", ['"a', 'a,"b', '"a"b', '"a" b,c', '"a\\"', '"""', ' "x', "", " , ,"])
def test_a_list_that_is_not_closed_or_empty_is_refused(argument: str) -> None:
    for name in LISTS:
        with pytest.raises(CheckError, match=r"(quote|needs values).*like this"):
            parse(f"{name}:{argument}")


def test_the_reported_lists() -> None:
    assert check('contains-all:"1,000",in stock', "We have 1,000 units in stock").passed
    assert not check('not-contains-any:"x, y"', "x, y").passed
    assert check('is-json:"first, last",age', '{"first, last": 1, "age": 2}').passed
    assert not check('is-json:"first, last",age', '{"first": 1, "last": 1, "age": 2}').passed


@given(st.lists(st.text(st.one_of(st.characters(), st.sampled_from(',"\\ \n\t'))), min_size=1, max_size=6))
def test_any_items_survive_being_written_as_a_list(items: list[str]) -> None:
    assert arguments.items(arguments.as_items(items)) == tuple(items)


@given(st.text(st.one_of(st.characters(), st.sampled_from(',"\\ \n')), max_size=40))
def test_any_text_is_a_list_or_a_sentence(argument: str) -> None:
    try:
        items = arguments.items(argument)
    except ValueError:
        with pytest.raises(CheckError, match="like this"):
            parse(f"contains-any:{argument}")
    else:
        assert arguments.items(arguments.as_items(items)) == items


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", "0.5"), ("-.5", "-0.5"), ("so it is .5.", "0.5"), ("(.25)", "0.25"), ("$.99", "0.99"),
        ("1.5e3", "1500"), ("1.5E+3", "1500"), ("2e-3", "0.002"), ("-1e3", "-1000"), ("1e5.", "100000"),
        ("1 234", "1234"), ("1\u00a0234", "1234"), ("1\u202f234 567", "567"), ("1\u202f234\u202f567", "1234567"),
        ("1\u2009234.5", "1234.5"), ("1'234", "1234"), ("1\u2019234\u2019567.8", "1234567.8"), ("1_000", "1000"),
        ("12,34,567", "1234567"), ("1,23,45,678.9", "12345678.9"), ("1,234,567", "1234567"),
        (r"\boxed{70{,}000}", "70000"), (r"$1\,234$", "1234"), (r"\boxed{-3{,}000.5}", "-3000.5"),
        ("1.234,56", "1234.56"), ("1.234.567,8", "1234567.8"), ("3,14", "14"), ("1.234", "1.234"),
        ("1,2,3", "3"), ("in 2024 100 people", "100"), ("10-3", "3"), ("(5,-3)", "-3"), ("= \u22123", "-3"),
        ("\u20133", "-3"), ("5\u20133", "3"), ("-$1,234.50", "-1234.50"), ("$-5", "-5"), ("88%", "88"),
        ("v1.2.3", "3"), ("x1e5y", "5"), ("007", "7"), ("0,123", "123"), ("\u0661\u0662", "12"), ("1,234,56", "56"),
    ],
)  # fmt: skip
def test_the_last_number_however_it_is_written(text: str, value: str) -> None:
    last = numbers.last_number(text)
    assert last is not None
    assert last[0] == Decimal(value)
    assert check(f"number:{value}", text).passed
    assert not check(f"not-number:{value}", text).passed


@pytest.mark.parametrize(
    "spelling", [".5", "1 234", "1\u202f234", "1'234", "12,34,567", "1.5e3", "\u22123", "+7", "70{,}000"]
)
def test_a_number_is_looked_for_in_any_spelling(spelling: str) -> None:
    value = numbers.number(spelling)
    assert value is not None
    assert check(f"number:{spelling}", f"it is {value:f}").passed
    assert check(f"number:{spelling}", f"it is {spelling.lstrip('+')}").passed


@pytest.mark.parametrize(
    "text", ["", "none", ".", "-", "e5", "--", ",", "1,2,3", "1 2", "a1", "1a", "nan", "inf", "1e", "0x1f"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert numbers.number(text) is None


SEPARATORS = st.sampled_from([",", " ", "'", "_", "\u2019", "\u00a0", "\u2009", "\u202f", "{,}"])


@given(st.integers(-(10**15), 10**15), SEPARATORS, st.sampled_from(["", " apples.", "!", "\n"]))
def test_a_grouped_number_is_read_back(value: int, separator: str, after: str) -> None:
    assert numbers.last_number(f"so {value:,}{after}".replace(",", separator)) is not None
    assert numbers.last_number(f"so {value:,}{after}".replace(",", separator))[0] == value  # type: ignore[index]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float_is_read_back(value: float) -> None:
    assert float(numbers.number(repr(value)) or 0) == value
    last = numbers.last_number(f"x = {value!r}.")
    assert last is not None
    assert float(last[0]) == value


@given(st.text(st.sampled_from("0123456789.,'_ -+eE{}\\$\u00a0\u202f\u2019\u2212x\n"), max_size=60))
def test_any_text_has_a_last_number_or_none(text: str) -> None:
    last = numbers.last_number(text)
    assert last is None or last[0].is_finite()
    numbers.number(text)


@pytest.mark.parametrize(
    ("argument", "limits"),
    [("5", (5, 5)), ("3-5", (3, 5)), (" 3 - 5 ", (3, 5)), ('{"min": 3, "max": 5}', (3, 5)), ('{"max": 5}', (0, 5))],
)
def test_word_counts(argument: str, limits: tuple[int, int]) -> None:
    assert parse(f"word-count:{argument}").argument == limits


@pytest.mark.parametrize(
    "argument", ["", "five", "5-3", "-1", "{}", '{"min": "3"}', '{"min": 1, "mx": 2}', '{"min": true}', "[1]"]
)
def test_word_counts_that_are_none(argument: str) -> None:
    with pytest.raises(CheckError, match="like this: word-count:3-5"):
        parse(f"word-count:{argument}")
