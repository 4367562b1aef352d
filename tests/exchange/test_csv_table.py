"""Tables as people and other programs save them: read whole, or refused by line; nothing is dropped without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.exchange.documents import MAX_BYTES, MAX_ROWS
from core.exchange.inputs.csv_table import inputs_from_csv
from core.exchange.inputs.imported import AmbiguousDelimiter, Imported
from core.types import Check, Input


def values(table: Imported) -> list[dict[str, str]]:
    return [dict(row.values) for row in table.inputs]


def test_promptfoos_tests_csv_works_as_it_is() -> None:
    text = (
        "\ufeffsum,__expected,__expected1,name\r\n"
        '2+2,contains:4,,x\r\n\r\n"a ""quoted""\nline",is-json, max-words:3 ,\r\n'
    )
    assert inputs_from_csv(text) == Imported(
        kind="CSV table",
        inputs=(
            Input(values={"sum": "2+2", "name": "x"}, checks=Check.of("contains:4")),
            Input(values={"sum": 'a "quoted"\nline', "name": ""}, checks=Check.of("is-json", "max-words:3")),
        ),
        columns=(
            ("sum", "variable {{sum}}"),
            ("__expected", "a check of its row"),
            ("__expected1", "a check of its row"),
            ("name", "variable {{name}}"),
        ),
    )


# Delimiters.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("question;__expected\n1,5 + 1?;2,5\n", "semicolons"),
        ("question\t__expected\n1,5 + 1?\t2,5\n", "tabs"),
        ("question|__expected\n1,5 + 1?|2,5\n", "bars"),
        ('"question";"__expected"\r\n"1,5 + 1?";"2,5"\r\n', "semicolons"),
        ("\ufeffsep=;\r\nquestion;__expected\r\n1,5 + 1?;2,5\r\n", "semicolons"),
        ("question;__expected\r1,5 + 1?;2,5\r", "semicolons"),
    ],
)
def test_the_delimiter_is_found_from_the_heading_and_said(text: str, words: str) -> None:
    table = inputs_from_csv(text)
    assert values(table) == [{"question": "1,5 + 1?"}]
    assert table.inputs[0].checks == Check.of("2,5")
    assert table.notes == (f"The table is read as separated by {words}.",)


def test_a_heading_with_two_delimiters_is_decided_by_the_lines() -> None:
    table = inputs_from_csv('name, first;__expected\nAnn;1\n"Bob, Jr";2\n')
    assert values(table) == [{"name, first": "Ann"}, {"name, first": "Bob, Jr"}]
    assert "cannot be written as a variable in a prompt; rename the column to one such as name_first" in table.notes[1]


def test_where_the_lines_do_not_decide_it_is_asked() -> None:
    text = "a,b;c\n1,2;3\n"
    with pytest.raises(AmbiguousDelimiter, match=r"separated by commas or semicolons\. Say which") as caught:
        inputs_from_csv(text)
    assert caught.value.candidates == (",", ";")
    assert values(inputs_from_csv(text, ";")) == [{"a,b": "1,2", "c": "3"}]
    assert values(inputs_from_csv(text, ",")) == [{"a": "1", "b;c": "2;3"}]
    with pytest.raises(InvalidInput, match="separated by commas, semicolons, tabs, bars; choose one"):
        inputs_from_csv(text, "x")


def test_delimiters_inside_quotes_do_not_count() -> None:
    assert values(inputs_from_csv('"a;b",c\n1,2\n')) == [{"a;b": "1", "c": "2"}]
    assert values(inputs_from_csv("question\nIs 1;5 a number?\n")) == [{"question": "Is 1;5 a number?"}]


# What is left out is said.


def test_trailing_columns_without_a_heading_are_left_out_and_said() -> None:
    table = inputs_from_csv("a,b,,\n1,2,,\n3,4\n")
    assert values(table) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert table.notes == ("2 empty columns without a heading left out.",)
    with pytest.raises(InvalidInput, match="Line 3 has text in a column without a heading"):
        inputs_from_csv("a,b,\n1,2,\n3,4,5\n")


def test_lines_that_are_all_blank_are_left_out_and_said() -> None:
    table = inputs_from_csv("a,b\n1,2\n,\n , \n\n")
    assert values(table) == [{"a": "1", "b": "2"}]
    assert table.notes == ("2 lines without any text left out.",)


@pytest.mark.parametrize(
    ("column", "note"),
    [
        ("__prefix", "not taken over: write it at the beginning of the prompt"),
        ("__suffix", "not taken over: write it at the end of the prompt"),
        ("__providerOutput", "not taken over: answers come from the model"),
        ("__metadata:topic", "not taken over: a row has no metadata"),
    ],
)
def test_promptfoos_columns_that_mean_nothing_here_are_listed(column: str, note: str) -> None:
    table = inputs_from_csv(f"a,{column}\n1,x\n")
    assert values(table) == [{"a": "1"}]
    (left_out,) = table.left_out
    assert left_out.where == f"Column {column}"
    assert left_out.reason.lower().startswith(note)


def test_a_description_stays_with_its_row() -> None:
    table = inputs_from_csv("a,__description\n1,the first\n2,\n")
    assert values(table) == [{"a": "1", "__description": "the first"}, {"a": "2"}]


def test_checks_that_mean_nothing_here_are_listed_by_line_and_left_out() -> None:
    table = inputs_from_csv('a,__expected1,__expected2\n1,llm-rubric:nice,is-json\n2,"javascript: x > 1",file://x.py\n')
    assert [row.checks for row in table.inputs] == [Check.of("is-json"), ()]
    assert [entry.where for entry in table.left_out] == [
        "Line 2, __expected1",
        "Line 3, __expected1",
        "Line 3, __expected2",
    ]
    assert "a check asks no model" in table.left_out[0].reason
    assert "executes nothing" in table.left_out[1].reason
    assert "read no files" in table.left_out[2].reason


def test_a_check_with_variables_is_read_with_the_values_of_its_row() -> None:
    table = inputs_from_csv("n,__expected\n3,max-words:{{n}}\nmany,max-words:{{n}}\n1,contains:{{m}}\n")
    assert [len(row.checks) for row in table.inputs] == [1, 0, 0]
    assert [entry.where for entry in table.left_out] == ["Line 3, __expected", "Line 4, __expected"]


def test_checks_that_take_too_long_to_be_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.exchange.inputs.check_lines.READ_SECONDS", 0.0)
    with pytest.raises(InvalidInput, match="checks of this file take over"):
        inputs_from_csv("a,__expected\n1,regex:x\n")


@pytest.mark.parametrize("column", ["__foo", "_expected", "_threshold"])
def test_a_column_that_looks_special_is_a_variable_and_said(column: str) -> None:
    table = inputs_from_csv(f"a,{column}\n1,x\n")
    assert values(table) == [{"a": "1", column: "x"}]
    assert f"The column {column} is read as a variable" in table.notes[0]


@pytest.mark.parametrize(
    ("column", "better"), [("first name", "first_name"), ("e-mail", "e_mail"), ("100%", "letters")]
)
def test_a_name_that_no_prompt_can_hold_is_said_with_one_that_it_can(column: str, better: str) -> None:
    (note,) = inputs_from_csv(f"{column}\nx\n").notes
    assert f"'{column}' cannot be written" in note
    assert better in note


# Checks.


def test_whatever_begins_like_expected_is_a_check() -> None:
    table = inputs_from_csv("a,__expected_foo,__expected2,__expected\n1,is-json,x,y\n")
    assert table.inputs[0].checks == Check.of("is-json", "x", "y")
    assert table.notes == ()


def test_thresholds_and_metrics_are_taken_over() -> None:
    table = inputs_from_csv(
        "a,__expected1,__expected2,__metric,__threshold,__config:__expected2:threshold\n"
        "1,is-json,levenshtein(1):x,tone,0.5,0.8\n"
        "2,is-json,,,,0.9\n"
    )
    first, second = table.inputs
    assert first == Input(
        values={"a": "1"},
        checks=(Check("is-json", metric="tone"), Check("levenshtein(1):x", metric="tone", threshold=0.8)),
        threshold=0.5,
    )
    assert second == Input(values={"a": "2"}, checks=Check.of("is-json"))


def test_a_config_column_finds_the_first_check_under_either_name() -> None:
    table = inputs_from_csv("a,__expected,__config:__expected1:threshold\n1,levenshtein(1):x,0.7\n")
    assert table.inputs[0].checks == (Check("levenshtein(1):x", threshold=0.7),)


# What is wrong is refused by line.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first line must name"),
        ("\n\n", "first line must name"),
        ("a,a\n1,2", "names the column 'a' twice"),
        ("a,,b\n1,2,3", "none of them empty"),
        (",".join(map(str, range(10_000))), "1 to 100"),
        ("a,b\n1,2\n1,2,3\n", "Line 3 has 3 fields; the headings are 2"),
        ("a,b\n1,2\nshort\n", "Line 3 has 1 field; the headings are 2"),
        ('a,b\n"1\n2",3\n4\n', "Line 4 has 1 field"),
        ("sep=,\na,b\n1\n", "Line 3 has 1 field"),
        ('a\n"unclosed', "Line 2 of the table cannot be read"),
        ('a\n"x"y\n', "Line 2 of the table cannot be read"),
        ("a\n" + "x" * 200_000, "cannot be read"),
        ("a\n" + "1\n" * (MAX_ROWS + 1), "more than 2,000 rows"),
        ("a\n" + "1\n" * (MAX_BYTES // 2), "larger than 5 MB"),
        ("a,__threshold\n1,high\n", "Line 2: __threshold must be a number from 0 to 1"),
        ("a,__threshold\n1,0.5\n1,nan\n", "Line 3: __threshold must be"),
        (
            "a,__expected,__config:__expected:threshold\n1,x,-1\n",
            "Line 2: __config:__expected:threshold must be",
        ),
        ("a,__expected,__config:__expected7:threshold\n1,x,1\n", "configures no check of the table"),
        ("a,__expected,__config:__expected:weight\n1,x,1\n", "configures no check of the table"),
    ],
    ids=range(19),
)
def test_a_table_that_cannot_be_read_says_where(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        inputs_from_csv(text)
    assert words in str(caught.value)


def test_no_more_lines_are_read_than_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.exchange.inputs import csv_table

    read: list[int] = []
    reader = csv_table.csv.reader

    class Counting:
        def __init__(self, *args: object, **options: object) -> None:
            self._reader = reader(*args, **options)  # type: ignore[call-overload]

        def __iter__(self) -> Counting:
            return self

        def __next__(self) -> list[str]:
            read.append(1)
            return next(self._reader)

        @property
        def line_num(self) -> int:
            return self._reader.line_num

    monkeypatch.setattr(csv_table.csv, "reader", Counting)
    with pytest.raises(InvalidInput, match="more than 2,000 rows"):
        inputs_from_csv("a\n" + "1\n" * 1_000_000)
    assert len(read) < 2 * MAX_ROWS


@given(st.text(alphabet="a,\"'\n\r\x00;=\ufeff_\t|", max_size=60))
def test_any_table_is_read_or_refused(text: str) -> None:
    try:
        words = f"{len(inputs_from_csv(text).inputs)} rows."
    except InvalidInput as error:
        words = str(error)
    assert words.endswith(".")
