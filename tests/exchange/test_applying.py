"""Imported inputs in place of a page's own, or after them, which then stay as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.exchange.inputs import Imported, applied
from core.experiment import Experiment, Variant
from core.types import Check, Input

PAGE = Experiment(
    page="playground",
    variants=(Variant(name="A", user="{{a}}"),),
    models=("m", "n"),
    inputs=(Input(id="r1", values={"a": "1"}, checks=Check.of("x")), Input(id="r2", values={"a": ""})),
    checks=Check.of("max-words:9"),
    samples=3,
)
FILE = Imported(
    kind="promptfoo configuration",
    inputs=(Input(values={"a": "2"}, checks=Check.of("y")), Input(id="r1", values={"a": "3"}, threshold=0.9)),
    variants=(Variant(name="P", user="{{a}}!"),),
    checks=Check.of("is-json"),
    threshold=0.5,
)


def test_replacing_takes_rows_checks_and_variants_and_nothing_else() -> None:
    expected = replace(PAGE, inputs=FILE.inputs, checks=FILE.checks, threshold=0.5)
    assert applied(PAGE, FILE, append=False, variants=False) == expected
    assert applied(PAGE, FILE, append=False, variants=True) == replace(expected, variants=FILE.variants)


def test_what_the_file_has_not_stays() -> None:
    bare = replace(FILE, inputs=(), variants=(), checks=(), threshold=None)
    assert applied(PAGE, bare, append=False, variants=True) == PAGE


def test_appending_leaves_what_is_there_as_it_is() -> None:
    result = applied(PAGE, FILE, append=True, variants=False)
    assert result.inputs[0] == PAGE.inputs[0]
    assert (result.checks, result.threshold, result.variants) == (PAGE.checks, None, PAGE.variants)
    assert result.inputs[1:] == (
        Input(values={"a": "2"}, checks=Check.of("is-json", "y"), threshold=0.5),
        Input(values={"a": "3"}, checks=Check.of("is-json"), threshold=0.9),
    )


def test_more_rows_than_can_be_run_are_refused() -> None:
    with pytest.raises(InvalidInput, match="would have 3 rows; at most 2 can be run"):
        applied(PAGE, FILE, append=True, variants=False, most=2)
    assert len(applied(PAGE, FILE, append=False, variants=False, most=2).inputs) == 2
