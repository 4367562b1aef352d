"""CSV, XLSX and JSONL: the same rows, and no text runs."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import pictures
from core.exchange.tables import MAX_CELL, csv_table, jsonl_table, xlsx_table
from core.experiment import Input, Variant
from core.history import SavedRun
from tests.support import fakes
from tests.support.saved_runs import saved_run as saved

FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def rows(run: SavedRun) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_table([run]).removeprefix("\ufeff"), newline="")))


def test_a_table_has_a_line_per_cell() -> None:
    told = csv_table([saved()])
    assert told.startswith('\ufeff"variant","model","sum","answer (input)","sample","seed","answer","passed",')
    first, last = rows(saved())
    assert first == {
        "variant": "A",
        "model": "tiny-text",
        "sum": "2+2",
        "answer (input)": "-4",
        "sample": "1",
        "seed": "7",
        "answer": "4",
        "passed": "yes",
        "reasons": "",
        "seconds": "0.123",
        "tokens": "2",
        "cost_usd": "",
        "finish": "stop",
        "error": "",
    }
    assert (last["passed"], last["reasons"], last["error"]) == ("", "", "The model went away.")


def test_reasons_are_those_of_the_checks_that_failed() -> None:
    first = rows(saved(answer="it is 5"))[0]
    assert first["passed"] == "no"
    assert first["reasons"] == "contains:4: no '4' in the answer; max-words:1: 3 words, at most 1 wanted"
    assert rows(saved(inputs=(Input(values={"sum": "1"}),)))[0]["passed"] == ""


def test_every_field_is_quoted_and_odd_characters_survive() -> None:
    nasty = 'a,"b"\nc;d 😀 é'
    assert rows(saved(answer=nasty))[0]["answer"] == nasty
    line = csv_table([saved(answer="x")]).splitlines()[1]
    assert line.count('"') == 2 * 14


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1-1", "'+1-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1+1", "'-1+1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\ttext", "'\ttext"),
        ("  =1", "'  =1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u00a0\u3000=1", "'\u00a0\u3000=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff201", "'\uff201"),
        ("- a list", "'- a list"),
        ("-1", "-1"),
        ("+3.5", "+3.5"),
        ("-1e5", "'-1e5"),
        ("1=1", "1=1"),
        ("'=1", "'=1"),
        ("", ""),
    ],
)
def test_no_text_becomes_a_formula_and_numbers_stay(text: str, kept: str) -> None:
    run = saved(answer=text, inputs=(Input(values={"sum": text, text: "1"}),))
    found = list(csv.reader(io.StringIO(csv_table([run]).removeprefix("\ufeff"), newline="")))
    assert kept in found[0]
    assert found[1][2] == kept
    assert found[1][6] == kept


@given(st.text(alphabet=st.sampled_from(FORMULA + " \ufeff\u00a0'\"a1,;"), max_size=12))
def test_formula_safety(text: str) -> None:
    answer = rows(saved(answer=text))[0]["answer"]
    assert answer.removeprefix("'") == text.removeprefix("'")
    begins = answer.lstrip(" \ufeff\u00a0")[:1]
    assert begins not in set(FORMULA) or answer.lstrip("+-").isdigit()


def drew() -> SavedRun:
    """A run whose first answer is an image."""
    plain = saved()
    output = plain.results[0].output
    assert output is not None
    first = replace(plain.results[0], output=replace(output, text="", images=(fakes.png(),)))
    return replace(plain, results=(first, *plain.results[1:]))


def test_images_are_named_by_their_hash() -> None:
    assert [row["images"] for row in rows(drew())] == [pictures.reference(fakes.png()), ""]
    assert rows(drew())[0]["reasons"].count("the answer is an image") == 2
    assert "images" not in rows(saved())[0]


def test_what_images_take_is_counted_in_steps() -> None:
    drawing = replace(saved(), experiment=replace(saved().experiment, models=("tiny-image",)))
    assert rows(drawing)[0]["steps"] == "2"


def test_several_runs_share_one_table() -> None:
    variants = (Variant(name="A", user="{{city}}?"), Variant(name="B", user="Where is {{city}}?"))
    city = Input(values={"city": "Paris"})
    other = saved(variants=variants, inputs=(city,), axes={"temperature": (0.0, 1.0)}, seed=3)
    lines = list(csv.DictReader(io.StringIO(csv_table([saved(), other]).removeprefix("\ufeff"), newline="")))
    assert [line["run"] for line in lines] == ["T"] * 6
    assert {line["created"] for line in lines} == {"2026-11-22T00:00:00+00:00"}
    assert [line["city"] for line in lines] == ["", ""] + ["Paris"] * 4
    assert [line["temperature"] for line in lines] == ["", ""] + ["0.0", "1.0"] * 2
    assert [line["seed"] for line in lines] == ["7"] * 2 + ["3"] * 4


def test_json_lines_keep_types() -> None:
    first, last = map(json.loads, jsonl_table([saved()]).splitlines())
    assert (first["passed"], first["cost_usd"], first["tokens"], first["seconds"]) == (True, None, 2, 0.123)
    assert (last["passed"], last["error"]) == (None, "The model went away.")


def sheets(file: bytes) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(file))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_a_workbook_has_answers_verdict_and_prompts() -> None:
    book = sheets(xlsx_table([saved()]))
    assert list(book) == ["Answers", "Verdict", "Prompts"]
    heading, first, _ = book["Answers"]
    assert dict(zip(heading, first, strict=True))["answer"] == "4"
    assert any("Too few inputs" in str(row[0]) for row in book["Verdict"])
    assert book["Prompts"][1:] == [("A", None, "{{sum}}?"), ("B", None, "What is {{sum}}?")]
    assert list(sheets(xlsx_table([saved(), saved()])))[1:] == ["Verdict 1", "Prompts 1", "Verdict 2", "Prompts 2"]


@given(st.text(max_size=30) | st.text(FORMULA + "\x1f1", max_size=6))
def test_text_in_a_workbook_is_text(text: str) -> None:
    file = xlsx_table([saved(answer=text)])
    cell = openpyxl.load_workbook(io.BytesIO(file))["Answers"].cell(2, 7)
    assert cell.data_type != "f"
    lines = text.replace("\r\n", "\n").replace("\r", "\n")  # as everywhere, before control characters are taken out
    kept = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", "", lines)
    if kept.isascii():  # others are cleaned as everywhere
        assert str(cell.value or "") == kept


def test_a_text_longer_than_a_cell_says_that_it_was_cut() -> None:
    answer = sheets(xlsx_table([saved(answer="x" * 40_000)]))["Answers"][1][6]
    assert isinstance(answer, str)
    assert len(answer) == MAX_CELL
    assert answer.endswith("(cut here: 40000 characters in all)")
