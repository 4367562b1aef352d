"""What the pages say about answers, without drawing them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.engine import grading
from core.examples import EXAMPLES, STEP_BY_STEP
from core.experiment import plan, summary, verdict, verdict_words
from core.experiment.grade import empty, grade
from core.experiment.grid import grid_cells
from core.experiment.ungraded import Ungraded
from core.types import CellResult, Check, Experiment, Input, Output, State, Variant
from core.ui.components.markdown import escape
from core.ui.components.results import _pass_badge, distinct
from core.ui.components.usage import footer

TWO = Experiment(
    page="playground",
    variants=(Variant(name="Short", user="{{n}}"), Variant(name="Long", user="{{n}}!")),
    models=("tiny-text",),
    inputs=tuple(Input(values={"n": str(n)}, checks=Check.of("contains:yes")) for n in range(20)),
)


SAMPLED = replace(STEP_BY_STEP, samples=3)


def output(text: str, tokens: int = 4) -> Output:
    return Output(text=text, finish="stop", prompt_tokens=3, output_tokens=tokens, seconds=0.5)


def done(index: int, text: str) -> CellResult:
    return CellResult(index=index, state=State.DONE, text=text, output=output(text))


def judged(short: int, long: int) -> str:
    """The verdict's sentence when so many of the twenty answers of each variant pass."""
    passing = {0: short, 1: long}
    results = {}
    for place in grid_cells(TWO):
        results[place.index] = done(place.index, "yes" if place.input < passing[place.variant] else "no")
    return verdict_words.sentence(TWO, verdict(TWO, results))


def test_a_clear_winner_is_named() -> None:
    sentence = judged(0, 20)
    assert sentence.startswith("B · Long is better than A · Short by 100 points (95 % interval ")
    assert sentence.endswith("From 20 inputs.")


def test_a_difference_that_could_be_chance_leaves_it_open() -> None:
    assert "Cannot tell yet between A · Short and B · Long" in judged(9, 11)


def test_without_checks_there_is_no_verdict() -> None:
    bare = Experiment(page="playground", variants=TWO.variants, models=TWO.models)
    assert verdict_words.sentence(bare, verdict(bare, {})).startswith("No checks yet")


@pytest.mark.parametrize("text", ["", " \n\t"])
@pytest.mark.parametrize("line", ["not-contains:x", "max-words:5", "regex:^\\s*$"])
def test_an_empty_answer_fails_everywhere_whatever_its_checks_say_of_an_empty_text(line: str, text: str) -> None:
    """In the verdict, the cell's badge, the summary, what the history keeps as `passed`, and the reason shown."""
    inputs = (Input(checks=Check.of(line)),)
    one = Experiment(page="text", variants=(Variant(name="A", user="?"),), models=("tiny-text",), inputs=inputs)
    result, (place,) = done(0, text), grid_cells(one)
    assert verdict(one, [result]).columns[0].passed == 0
    assert _pass_badge(one, [(place, result)]) == ":red-badge[0 of 1 pass]"
    assert [row.passed for row in summary(one, [result])] == [0]
    (cell,) = plan(one)
    assert grading.outcome(Ungraded(owner="ann", run_id="r", experiment=one, cell=cell, result=result)) is False
    assert [check.reason for check in grade(one, place, result)] == ["the answer is empty"]


def test_an_answer_of_an_image_alone_is_not_empty() -> None:
    drawn = CellResult(index=0, state=State.DONE, output=replace(output(""), images=(b"png",)))
    assert not empty(drawn)
    assert empty(done(0, ""))
    assert not empty(CellResult(index=0, state=State.RUNNING))


def test_identical_answers_collapse_and_the_most_frequent_leads() -> None:
    cells = [place for place in grid_cells(SAMPLED) if (place.input, place.variant) == (0, 0)]
    texts = ["b", "a", "a"]
    answers = distinct([(place, done(place.index, text)) for place, text in zip(cells, texts, strict=True)])
    assert [(one.first.text, len(one.cells)) for one in answers] == [("a", 2), ("b", 1)]


def test_finished_answers_come_before_samples_that_say_nothing() -> None:
    cells = [place for place in grid_cells(SAMPLED) if (place.input, place.variant) == (0, 0)]
    stopped = [(place, CellResult(index=place.index, state=State.CANCELLED)) for place in cells[:2]]
    answers = distinct([*stopped, (cells[2], done(cells[2].index, "a"))])
    assert [(one.first.state, len(one.cells)) for one in answers] == [(State.DONE, 1), (State.CANCELLED, 2)]


def test_failed_samples_do_not_collapse_into_one() -> None:
    cells = [place for place in grid_cells(SAMPLED) if (place.input, place.variant) == (0, 0)]
    failed = [(place, CellResult(index=place.index, state=State.FAILED, error="no")) for place in cells]
    assert len(distinct(failed)) == len(cells), "each has a retry of its own"


def test_the_footer_names_time_tokens_and_speed() -> None:
    assert footer(output("x", tokens=10)) == "0.50 s · 10 tokens · 20 tok/s"


@pytest.mark.parametrize(
    ("cost", "told"),
    [(None, "price not known"), (0.0, "$0.0000"), (0.00003, "under $0.0001"), (0.0215, "$0.0215")],
)
def test_the_footer_of_a_remote_answer_names_what_it_cost_or_that_it_is_not_known(
    cost: float | None, told: str
) -> None:
    answer = replace(output("x", tokens=10), cost=cost, thought_tokens=4, provenance={"host": "h"})
    assert footer(answer) == f"0.50 s · 10 tokens (4 of them thinking) · 20 tok/s · {told}"


@pytest.mark.parametrize(
    "hostile",
    [
        "![x](https://evil.example/?q=)",
        "[x](javascript:alert)",
        "<img src=x onerror=alert(1)>",
        ":red[x] :material/home:",
        "$\\frac{1}{2}$",
        "**bold** `code` # head",
    ],
)
def test_labels_are_never_markdown(hostile: str) -> None:
    shown = escape(hostile)
    for mark in "`*_[]()#!<>:$":
        assert shown.count(mark) == shown.count("\\" + mark)


def test_a_label_is_one_short_line() -> None:
    assert "\n" not in escape("a\nb")
    assert escape("x" * 500).endswith("…")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_example_can_be_planned(example: Experiment) -> None:
    assert plan(example)
