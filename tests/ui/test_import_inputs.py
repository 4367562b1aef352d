"""The import on the playground: shown before it is taken over, taken over whole, and undone in one press."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from core.examples import STEP_BY_STEP
from core.types import Check, Input, Variant
from tests.support.visits import PLAYGROUND, Visit, by_label, edit_table, fill, on_page, press, said

ROW = Input(id="r1", values={"a": "a1"}, checks=Check.of("contains:a"))
EARLIER = replace(STEP_BY_STEP, variants=(Variant(name="A", user="{{a}}"),), inputs=(ROW,), checks=Check.of("upper"))
CSV = "a;__expected;__description\n1,5?;is-json:name,age;first\nx;llm-rubric:nice;\n"
CONFIG = """\
prompts: ["{{a}}?", "Say {{a}}"]
defaultTest: {assert: [{type: contains, value: x}]}
tests: [{vars: {a: 1}}, {vars: {a: 2}}]
"""


def paste(app: AppTest, text: str) -> None:
    press(app, "Import")
    by_label(app.text_area, "Or paste it here").set_value(text)
    press(app, "Import")


def apply(app: AppTest, label: str) -> None:
    """Press a button of the dialog, which is closed by whatever runs the page without its own button."""
    by_label(app.button, label).click()
    press(app, "Import")


def test_a_table_is_previewed_then_replaces_the_rows_then_is_undone(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    before = on_page("playground")
    paste(app, CSV)
    assert "**CSV table**: 2 rows, 1 check." in said(app)
    assert "separated by semicolons" in said(app)
    assert "**Line 3, \\_\\_expected** · There is no check 'llm\\-rubric' here" in said(app)
    assert list(app.dataframe[-2].value["Becomes"]) == ["variable {{a}}", "a check of its row", "the row's description"]
    assert on_page("playground").inputs == (ROW,), "nothing is taken over yet"
    apply(app, "Replace with 2 rows")
    first, second = on_page("playground").inputs
    assert first.values == {"a": "1,5?", "__description": "first"}
    assert (first.checks, second.checks) == (Check.of("is-json:name,age"), ())
    assert first.id != second.id
    assert list(app.dataframe[0].value.columns) == ["__description", "a", "checks:"]
    assert on_page("playground").checks == Check.of("upper")
    press(app, "Undo import")
    assert on_page("playground") == before
    assert not [button for button in app.button if "Undo import" in button.label]


def test_a_configuration_brings_variants_and_checks_for_every_row(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    paste(app, CONFIG)
    apply(app, "Replace with 2 rows")
    draft = on_page("playground")
    assert [variant.user for variant in draft.variants] == ["{{a}}?", "Say {{a}}"]
    assert draft.checks == Check.of("contains:x")
    assert by_label(app.text_area, "Checks for every row").value == "contains:x"
    assert by_label(app.text_area, "Prompt B").value == "Say {{a}}"
    assert draft.models == EARLIER.models


def test_what_was_edited_before_the_import_is_what_comes_back(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    by_label(app.text_area, "Prompt A").set_value("{{a}} edited").run()
    paste(app, CONFIG)
    apply(app, "Replace with 2 rows")
    by_label(app.text_area, "Prompt A").set_value("another").run()
    press(app, "Undo import")
    assert [variant.user for variant in on_page("playground").variants] == ["{{a}} edited"]
    assert by_label(app.text_area, "Prompt A").value == "{{a}} edited"


def test_rows_are_appended_without_touching_those_that_are_there(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    paste(app, CONFIG)
    by_label(app.checkbox, "Take 2 variants").uncheck()
    by_label(app.radio, "What is on the page").set_value("Append to the rows")
    press(app, "Import")
    apply(app, "Append 2 rows")
    draft = on_page("playground")
    assert draft.inputs[0] == ROW
    assert [row.checks for row in draft.inputs[1:]] == [Check.of("contains:x")] * 2
    assert (draft.variants, draft.checks) == (EARLIER.variants, EARLIER.checks)


def test_imported_rows_keep_their_identity_while_others_and_columns_come_and_go(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    paste(app, "a;b;__description\n1;x;first\n2;y;second\n")
    by_label(app.radio, "What is on the page").set_value("Append to the rows")
    press(app, "Import")
    apply(app, "Append 2 rows")
    _, first, second = on_page("playground").inputs
    edit_table(app, deleted_rows=[0, 1])
    by_label(app.text_area, "Prompt A").set_value("nothing").run()
    by_label(app.text_area, "Prompt A").set_value("{{b}} and {{a}}").run()
    assert on_page("playground").inputs == (second,)
    assert first.id != second.id
    edit_table(app, edited_rows={"0": {"__description": "changed"}})
    assert on_page("playground").inputs == (replace(second, values={**second.values, "__description": "changed"}),)


def test_a_paste_that_may_have_been_cut_is_refused(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    paste(app, "a\n" + "x" * 1_000_000)
    assert "more than 1,000,000 characters" in said(app)


def test_what_cannot_be_read_is_said_and_nothing_is_offered(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    paste(app, "a,b\n1\n")
    assert "Line 2 has 1 field" in said(app)
    assert not [button for button in app.button if "Replace with" in button.label]
    by_label(app.text_area, "Or paste it here").set_value("a\n" + "1\n" * 2_000)
    press(app, "Import")
    by_label(app.radio, "What is on the page").set_value("Append to the rows")
    press(app, "Import")
    assert "The table would have 2,001 rows; at most 2,000 can be run" in said(app)


def test_an_ambiguous_table_asks_for_its_delimiter(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    paste(app, "a,b;c\n1,2;3\n")
    assert not [button for button in app.button if "Replace with" in button.label]
    by_label(app.button_group, "The columns are separated by").select("semicolons")
    press(app, "Import")
    apply(app, "Replace with 1 row")
    assert on_page("playground").inputs[0].values == {"a,b": "1,2", "c": "3"}


# Checks for every row, and what is said of checks.


def test_checks_for_every_row_are_one_a_line_and_a_wrong_one_is_said(visit: Visit) -> None:
    fill(EARLIER)
    app = visit(PLAYGROUND)
    field = by_label(app.text_area, "Checks for every row")
    assert field.value == "upper"
    field.set_value("is-json:name,age\n\ncontains-any:yes,no\nis-xml:x\n").run()
    assert on_page("playground").checks == Check.of("is-json:name,age", "contains-any:yes,no", "is-xml:x")
    assert "Checks for every row\\: There is no check 'is\\-xml' here" in said(app)


def test_a_wrong_check_of_rows_is_said_once_with_its_rows(visit: Visit) -> None:
    rows = tuple(Input(id=f"r{n}", values={"a": "x"}, checks=Check.of("is-refusal")) for n in range(3))
    fill(replace(EARLIER, inputs=rows))
    app = visit(PLAYGROUND)
    errors = [str(error.value) for error in app.error if "is\\-refusal" in str(error.value)]
    assert len(errors) == 1
    assert errors[0].startswith("Row 1, row 2, row 3\\: There is no check")


def test_what_a_check_means_otherwise_than_in_promptfoo_is_there_to_read(visit: Visit) -> None:
    fill(EARLIER)
    assert "**upper**: A check of Diptych's own" in said(visit(PLAYGROUND))
    fill(replace(EARLIER, checks=(), inputs=(replace(ROW, checks=Check.of("contains:a")),)))
    assert "A check of Diptych's own" not in said(visit(PLAYGROUND))


# Braces.


def test_a_variant_whose_braces_are_text_has_no_variables(visit: Visit) -> None:
    fill(replace(EARLIER, variants=(Variant(name="A", user="{{a}}"), Variant(name="B", user=r"\frac{{1}}{{b c}}"))))
    app = visit(PLAYGROUND)
    (error,) = [str(error.value) for error in app.error if "Variant" in str(error.value)]
    assert "Braces are text" in error
    assert len(app.dataframe[0].value) == 1
    [*by_index] = [toggle for toggle in app.toggle if toggle.label == "Braces are text"]
    by_index[1].set_value(True).run()
    assert [variant.literal for variant in on_page("playground").variants] == [False, True]
    assert not [error for error in app.error if "Variant" in str(error.value)]
