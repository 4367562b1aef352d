"""What an editor changed of the inputs table reaches the rows that it was changed in, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.types import Check, Input
from core.ui.components.input_edits import CHECKS, cells, checks_from, checks_text, edited, needs_marks, with_ids

ROWS = tuple(Input(id=f"row-{n}", values={"a": f"a{n}", "b": f"b{n}"}) for n in (1, 2, 3))


def change(rows: tuple[Input, ...], names: tuple[str, ...], most: int = 600, **edits: Any) -> tuple[Input, ...]:
    return edited(rows, names, edits, rows, most)


def pairs(rows: tuple[Input, ...]) -> list[tuple[str, str]]:
    return [(row.values.get("a", ""), row.values.get("b", "")) for row in rows]


# Rows.


def test_values_without_a_column_stay_with_their_row_when_another_is_deleted() -> None:
    assert pairs(change(ROWS, ("a",), deleted_rows=[0])) == [("a2", "b2"), ("a3", "b3")]


def test_a_row_whose_shown_value_is_emptied_keeps_what_is_not_shown() -> None:
    rows = change(ROWS, ("a",), edited_rows={1: {"a": ""}})
    assert pairs(rows) == [("a1", "b1"), ("", "b2"), ("a3", "b3")]
    assert [row.id for row in rows] == ["row-1", "row-2", "row-3"]


def test_a_row_without_any_value_or_check_is_left_out() -> None:
    rows = change(ROWS, ("a", "b"), edited_rows={1: {"a": "", "b": None}}, added_rows=[{}, {"a": None}])
    assert pairs(rows) == [("a1", "b1"), ("a3", "b3")]
    assert len(change(ROWS, ("a", "b"), added_rows=[{CHECKS: "is-json"}])) == 4


def test_what_a_row_has_beside_its_cells_stays() -> None:
    row = Input(id="x", values={"a": "1"}, checks=(Check("is-json", weight=2.0),), group="g", threshold=0.5)
    (changed,) = change((row,), ("a",), edited_rows={"0": {"a": "2"}})
    assert changed == replace(row, values={"a": "2"})


def test_a_new_row_keeps_its_id_while_others_come_and_go() -> None:
    def added(before: tuple[Input, ...], *values: str) -> tuple[Input, ...]:
        return edited(ROWS, ("a",), {"added_rows": [{"a": value} for value in values]}, before, 600)

    first = added(ROWS, "x", "y", "z")
    x, y, z = (row.id for row in first[3:])
    assert len({x, y, z, "row-1", "row-2", "row-3"}) == 6
    assert [row.id for row in added(first, "x", "z")[3:]] == [x, z], "the middle one is deleted"
    assert [row.id for row in added(first, "x", "Y", "z")[3:]] == [x, y, z], "the middle one is changed"
    assert [row.id for row in added(first, "x", "y", "z", "w")[3:6]] == [x, y, z]


def test_ids_are_given_where_they_lack_or_are_there_twice() -> None:
    rows = with_ids([Input(id="x"), Input(), Input(id="x"), Input()])
    assert rows[0].id == "x"
    assert len({row.id for row in rows}) == 4
    assert all(row.id for row in rows)


class Unread(list[dict[str, Any]]):
    """Rows that may be counted and not be looked at."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        raise AssertionError("work was done before the refusal")


@pytest.mark.parametrize("count", [598, 2_000, 10_000])
def test_too_many_rows_are_refused_before_any_work(count: int) -> None:
    with pytest.raises(InvalidInput, match=f"would have {count + 3:,} rows; at most 600"):
        change(ROWS, ("a",), added_rows=Unread([{"a": "x"}] * count))
    assert len(change(ROWS, ("a",), most=603, added_rows=[{"a": "x"}] * 600)) == 603


# Checks.

LINES = ("contains-any:yes,no", r"regex:^\d{1,3}$", "is-json:name,age", 'contains-all:"1,000",in stock', "two words")


@pytest.mark.parametrize("line", LINES)
def test_a_check_is_one_line_whatever_is_in_it(line: str) -> None:
    assert checks_from(line) == Check.of(line)
    (row,) = change((Input(id="x", values={"a": "1"}),), ("a",), edited_rows={0: {CHECKS: line}})
    assert row.checks == Check.of(line)
    assert cells(row, ("a",)) == {"a": "1", CHECKS: line}, "as it is copied to another row"


def test_checks_stand_one_a_line() -> None:
    assert checks_from("\n".join(LINES) + "\r\n\n  \n") == Check.of(*LINES)
    assert checks_text(Check.of(*LINES)).replace(" \u23ce\n", "\n") == "\n".join(LINES)


def test_line_ends_that_were_typed_are_marked_so_that_copies_keep_them() -> None:
    assert needs_marks({"edited_rows": {"0": {CHECKS: "a\nb"}}})
    assert needs_marks({"added_rows": [{CHECKS: "a\nb"}]})
    assert not needs_marks({"edited_rows": {"0": {CHECKS: checks_text(Check.of("a", "b"))}, "1": {"a": "x\ny"}}})
    assert not needs_marks({"added_rows": [{CHECKS: "a"}, {CHECKS: None}, {}]})


def test_a_line_that_stood_there_keeps_its_weight_and_metric() -> None:
    before = (Check("is-json", weight=2.0, metric="form"), Check("contains:a"))
    assert checks_from("is-json\ncontains:b", before) == (before[0], Check("contains:b"))


@given(st.lists(st.text(alphabet="ab \n\t:,\u23ce\u2424", min_size=1).filter(str.strip), max_size=4))
def test_any_checks_come_back_from_their_cell_and_from_a_copy_of_it(lines: list[str]) -> None:
    checks = Check.of(*lines)
    cell = checks_text(checks)
    assert checks_from(cell, checks) == checks
    assert checks_from(cell) == checks, "in another row, too"
    assert checks_from(cell.replace("\n", " ")) == checks, "an editor copies line ends as blanks"
