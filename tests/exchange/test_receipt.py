"""Receipts: what goes out can be read again, what comes in is not trusted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import pictures
from core.errors import InvalidInput
from core.exchange.receipt import MAX_BYTES, experiment_from, receipt
from core.experiment import to_dict
from tests.support import fakes
from tests.support.saved_runs import saved_run as saved

FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


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
        "looks": [1],
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


def test_a_receipt_names_images_and_holds_none() -> None:
    plain = saved()
    output = plain.results[0].output
    assert output is not None
    drew = replace(plain.results[0], output=replace(output, text="", images=(fakes.png(),)))
    made = replace(plain, results=(drew, *plain.results[1:]))
    cell = json.loads(receipt(made))["cells"][0]
    assert cell["images"] == [{"bytes": len(fakes.png()), "sha256": pictures.reference(fakes.png())}]
