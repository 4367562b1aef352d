"""The inputs table on the page: rows keep what is theirs, a prompt that cannot be read hides nothing, and a large paste
is refused before any work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from streamlit.elements.widgets import data_editor
from streamlit.testing.v1 import AppTest

from core.examples import STEP_BY_STEP
from core.types import Check, Input, Variant
from tests.support.visits import PLAYGROUND, Visit, by_label, edit_table, fill, on_page, said

THREE = tuple(Input(id=f"r{n}", values={"a": f"a{n}", "b": f"b{n}"}) for n in (1, 2, 3))
BOTH = replace(STEP_BY_STEP, variants=(Variant(name="A", user="{{a}} and {{b}}"),), inputs=THREE)


def table(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value


def write(app: AppTest, prompt: str) -> None:
    by_label(app.text_area, "Prompt A").set_value(prompt).run()


def values() -> list[dict[str, str]]:
    return [dict(row.values) for row in on_page("playground").inputs]


def test_values_stay_with_their_row_while_columns_and_rows_come_and_go(visit: Visit) -> None:
    fill(BOTH)
    app = visit(PLAYGROUND)
    write(app, "{{a}}")
    edit_table(app, deleted_rows=[0])
    write(app, "{{a}} and {{b}}")
    assert list(table(app)["b"]) == ["b2", "b3"]
    assert values() == [{"a": "a2", "b": "b2"}, {"a": "a3", "b": "b3"}]


def test_a_row_that_looks_empty_keeps_what_is_not_shown(visit: Visit) -> None:
    fill(BOTH)
    app = visit(PLAYGROUND)
    write(app, "{{a}}")
    edit_table(app, edited_rows={"1": {"a": ""}})
    write(app, "{{a}} and {{b}}")
    assert list(table(app)["a"]) == ["a1", "", "a3"]
    assert list(table(app)["b"]) == ["b1", "b2", "b3"]
    assert [row.id for row in on_page("playground").inputs] == ["r1", "r2", "r3"]


@pytest.mark.parametrize("broken", ["{{first name}} {{a}}", "{% if x %}{{a}}", r"\frac{{a}}{{", "{{a}} {{b"])
def test_a_prompt_that_cannot_be_read_hides_no_row(visit: Visit, broken: str) -> None:
    fill(BOTH)
    app = visit(PLAYGROUND)
    write(app, broken)
    assert list(table(app)["a"]) == ["a1", "a2", "a3"]
    assert "Variant" in " ".join(str(error.value) for error in app.error)
    write(app, "{{a}} and {{b}}")
    assert list(table(app)["b"]) == ["b1", "b2", "b3"]
    assert values() == [dict(row.values) for row in THREE]


def test_checks_are_text_one_a_line(visit: Visit) -> None:
    row = replace(THREE[0], checks=(Check("contains-any:yes,no", weight=2.0), Check(r"regex:^\d{1,3}$")))
    fill(replace(BOTH, inputs=(row,)))
    app = visit(PLAYGROUND)
    assert table(app).iloc[0, -1] == "contains-any:yes,no \u23ce\nregex:^\\d{1,3}$"
    edit_table(app, added_rows=[{"a": "x", "checks:": "is-json:name,age\ncontains-any:yes,no"}])
    first, second = on_page("playground").inputs
    assert first == row
    assert second.checks == Check.of("is-json:name,age", "contains-any:yes,no")
    assert table(app).iloc[1, -1] == "is-json:name,age \u23ce\ncontains-any:yes,no", "as it is copied"


@pytest.fixture
def added_by_editor(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows Streamlit's editor was made to add, one by one, in each run."""
    counts: list[int] = []
    add = data_editor._apply_row_additions

    def counting(frame: pd.DataFrame, rows: list[dict[str, Any]], schema: Any) -> None:
        counts.append(len(rows))
        add(frame, rows, schema)

    monkeypatch.setattr(data_editor, "_apply_row_additions", counting)
    return counts


@pytest.mark.parametrize("count", [2_100, 10_000])
def test_a_paste_of_too_many_rows_is_refused_before_work_is_done(
    visit: Visit, added_by_editor: list[int], count: int
) -> None:
    fill(BOTH)
    app = visit(PLAYGROUND)
    edit_table(app, added_rows=[{"a": str(n)} for n in range(count)])
    assert f"The table would have {count + 3:,} rows; at most 2,000 can be run" in said(app)
    assert added_by_editor == []
    assert list(table(app)["a"]) == ["a1", "a2", "a3"]
    edit_table(app, added_rows=[{"a": "one"}])
    assert "at most 2,000" not in said(app)
    assert len(values()) == 4
    assert added_by_editor == [1]


def test_a_paste_of_many_rows_is_added_once(visit: Visit, added_by_editor: list[int]) -> None:
    fill(BOTH)
    app = visit(PLAYGROUND)
    edit_table(app, added_rows=[{"a": str(n)} for n in range(500)])
    assert added_by_editor == []
    assert len(table(app)) == 503
    assert values()[-1] == {"a": "499"}
    assert len({row.id for row in on_page("playground").inputs}) == 503
