"""Receipts and tables: what goes out can be read again and runs nothing, what comes in is not trusted."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import pictures
from core.errors import InvalidInput
from core.exchange import MAX_BYTES, experiment_from, receipt, table
from core.experiment import Experiment, Input, Variant, plan, to_dict
from core.history import RunRow, SavedRun
from core.types import CellResult, Check, Output, State, Token
from tests.support import fakes

FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def saved(answer: str = "4", tokens: int = 1, repeat: int = 1, **changes: Any) -> SavedRun:
    given: dict[str, Any] = {
        "page": "playground",
        "variants": (Variant(name="A", user="{{sum}}?"), Variant(name="B", user="What is {{sum}}?")),
        "models": ("tiny-text",),
        "inputs": (Input(values={"sum": "2+2", "answer": "-4"}, checks=Check.of("contains:4", "max-words:1")),),
        "samples": repeat,
        "seed": 7,
    }
    experiment = Experiment(**(given | changes))
    output = Output(
        text=answer,
        finish="stop",
        prompt_tokens=3,
        output_tokens=2,
        seconds=0.12345,
        tokens=(Token("4", -0.5), Token("", -math.inf)) * tokens,
        provenance={"rendered_prompt": "2+2?" * repeat},
    )
    cells = plan(experiment)
    results = [CellResult(index=cell.index, state=State.DONE, text=answer, tokens=2, output=output) for cell in cells]
    results[-1] = CellResult(index=cells[-1].index, state=State.FAILED, error="The model went away.")
    row = RunRow(
        id="r1",
        page="playground",
        title="T",
        created=datetime(2026, 11, 22, tzinfo=UTC),
        state=State.DONE,
        starred=False,
        variants=2,
        models=("tiny-text",),
        inputs=1,
        samples=repeat,
        cells=len(cells),
        done=len(cells) - 1,
        passed=0,
        judged=0,
        tokens=2,
        seconds=0.1,
    )
    recipes = tuple({"seed": cell.request.seed, "rendered_prompt": "2+2?" * repeat, "messages": []} for cell in cells)
    return SavedRun(row=row, experiment=experiment, results=tuple(results), provenances=recipes)


def rows(run: SavedRun) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table(run).removeprefix("\ufeff"), newline="")))


# Receipts.


def test_a_receipt_is_the_whole_run_and_reads_back() -> None:
    run = saved()
    data = json.loads(receipt(run))
    assert (data["format"], data["version"], data["left_out"]) == ("diptych-run", 2, [])
    assert data["run"] == {
        "id": "r1",
        "page": "playground",
        "title": "T",
        "created": "2026-11-22T00:00:00+00:00",
        "state": "done",
    }
    first, last = data["cells"]
    assert (first["text"], first["finish"], first["seconds"], first["output_tokens"]) == ("4", "stop", 0.12345, 2)
    assert first["tokens"] == [["4", -0.5], ["", None]]
    assert first["provenance"] == {"seed": 7, "rendered_prompt": "2+2?", "messages": []}
    assert (last["state"], last["error"]) == ("failed", "The model went away.")
    assert experiment_from(receipt(run)) == run.experiment


def test_a_large_receipt_sheds_what_a_replay_makes_anew_until_it_can_be_read_again() -> None:
    large = saved(tokens=2_200, repeat=50)
    told = receipt(large)
    assert json.loads(told)["left_out"] == ["tokens"]
    assert "tokens" not in json.loads(told)["cells"][0]
    assert experiment_from(told) == large.experiment
    long = "x" * 120_000
    larger = replace(
        large, provenances=tuple({"messages": long, "rendered_prompt": long, "seed": 1} for _ in large.provenances)
    )
    told = receipt(larger)
    assert json.loads(told)["left_out"] == ["tokens", "messages", "rendered_prompt"]
    assert json.loads(told)["cells"][0]["provenance"] == {"seed": 1}
    assert experiment_from(told) == large.experiment


def test_an_experiment_alone_and_a_byte_order_mark_are_read() -> None:
    experiment = saved().experiment
    assert experiment_from("\ufeff" + json.dumps(to_dict(experiment))) == experiment


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 200_000, "not JSON"),
        ('{"a":' * 200_000, "not JSON"),
        ('{"format": "diptych-run", "version": 1, "experiment": NaN}', "not JSON"),
        ('{"seed": ' + "9" * 5_000 + "}", "not JSON"),
        ("[]", "not a Diptych run"),
        ("3", "not a Diptych run"),
        ('"text"', "not a Diptych run"),
        ('{"format": "other", "version": 1}', "not a Diptych run"),
        ('{"format": "diptych-run"}', "not a Diptych run"),
        ('{"format": "diptych-run", "version": 3}', "of format 3; this Diptych reads up to 2"),
        ('{"format": "diptych-run", "version": 1}', "'experiment' must be a table"),
        ('{"format": "diptych-run", "version": 1, "experiment": {"api_key": "x"}}', "'api_key'"),
        ("{}", "lacks page, variants, models"),
        (" " * (MAX_BYTES + 1), "larger than 5 MB"),
        ("é" * (MAX_BYTES // 2 + 1), "larger than 5 MB"),
    ],
    ids=range(17),
)
def test_a_strangers_file_is_refused_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        experiment_from(text)
    assert told in str(caught.value)


@given(st.text(max_size=100))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(InvalidInput):
        experiment_from(text)


# Tables out.


def test_a_table_has_a_line_per_cell() -> None:
    told = table(saved())
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
    line = table(saved(answer="x")).splitlines()[1]
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
    found = list(csv.reader(io.StringIO(table(run).removeprefix("\ufeff"), newline="")))
    assert kept in found[0]
    assert found[1][2] == kept
    assert found[1][6] == kept


@given(st.text(alphabet=st.sampled_from(FORMULA + " \ufeff\u00a0'\"a1,;"), max_size=12))
def test_formula_safety(text: str) -> None:
    answer = rows(saved(answer=text))[0]["answer"]
    assert answer.removeprefix("'") == text.removeprefix("'")
    begins = answer.lstrip(" \ufeff\u00a0")[:1]
    assert begins not in set(FORMULA) or answer.lstrip("+-").isdigit()


# Images.


def test_a_receipt_names_images_and_holds_none() -> None:
    plain = saved()
    output = plain.results[0].output
    assert output is not None
    drew = replace(plain.results[0], output=replace(output, text="", images=(fakes.png(),)))
    made = replace(plain, results=(drew, *plain.results[1:]))
    cell = json.loads(receipt(made))["cells"][0]
    assert cell["images"] == [{"bytes": len(fakes.png()), "sha256": pictures.reference(fakes.png())}]
    assert [row["images"] for row in rows(made)] == [pictures.reference(fakes.png()), ""]
    assert rows(made)[0]["reasons"].count("the answer is an image") == 2
    assert "images" not in rows(plain)[0]


def test_what_images_take_is_counted_in_steps() -> None:
    drawing = replace(saved(), experiment=replace(saved().experiment, models=("tiny-image",)))
    assert rows(drawing)[0]["steps"] == "2"
