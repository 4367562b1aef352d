"""The history names the column that passes most often, never an average over columns."""

from __future__ import annotations

from typing import Any

import pytest

from core.experiment import verdict
from core.history import History
from core.history.leaders import Leader
from core.types import CellResult, Check, Input, Run, State
from core.ui.components import run_facts
from tests.history.conftest import ME, done, grade_all, made

ROWS = tuple(Input(values={"sum": str(n)}, checks=Check.of("contains:23")) for n in range(4))


def kept(history: History, passing: set[tuple[int, int]], errors: str = "", **changes: Any) -> Run:
    """A run in which these (variant, input) pass; with `errors` the others fail by an error of this kind."""
    run = made(**({"inputs": ROWS} | changes))
    history.begin(ME, run)
    for cell in run.cells:
        result = done(cell, "23" if (cell.variant, cell.input) in passing else "no")
        if errors and (cell.variant, cell.input) not in passing:
            result = CellResult(index=cell.index, state=State.FAILED, error="x", error_kind=errors)
        history.finish(run, cell, result)
    history.end(run.id, State.DONE)
    grade_all(history)
    return run


def test_the_leaders_rate_stands_in_the_table_with_its_letter(history: History) -> None:
    kept(history, {(0, 0), (1, 0), (1, 1), (1, 2)})
    row = history.search(ME)[0]
    assert row.leader == Leader(model="tiny-text", variant=1, setting=0, rate=0.75, columns=2)
    assert run_facts.leader(row) == "B 75 %"
    assert "B 75 % pass" in run_facts.facts(history.open(ME, row.id).row)


def test_one_column_has_its_rate_alone(history: History) -> None:
    kept(history, {(0, 0)}, variants=made().experiment.variants[:1])
    assert run_facts.leader(history.search(ME)[0]) == "25 %"


def test_several_models_are_named(history: History) -> None:
    kept(history, {(1, 0)}, models=("tiny-text", "gpt2"))
    assert run_facts.leader(history.search(ME)[0]) == "B on tiny-text 25 %"


def test_without_checks_there_is_no_leader(history: History) -> None:
    kept(history, set(), inputs=(Input(values={"sum": "1"}),))
    assert history.search(ME)[0].leader is None
    assert run_facts.leader(history.search(ME)[0]) == ""


@pytest.mark.parametrize("error", ["Blocked", "PromptTooLong", "Unreachable", ""])
def test_the_leader_has_the_rate_that_the_verdict_gives_it(history: History, error: str) -> None:
    """A column's own errors are fails; others are dropped."""
    run = kept(history, {(0, 0), (0, 1), (1, 1)}, error)
    saved = history.open(ME, run.id)
    decided = verdict(saved.experiment, saved.results)
    assert decided.best is not None
    best = decided.columns[decided.best]
    assert saved.row.leader is not None
    assert (saved.row.leader.variant, saved.row.leader.rate) == (best.column.variant, best.rate.mean)


def test_a_prompt_that_looks_like_an_error_is_none(history: History) -> None:
    rows = (*ROWS[:1], Input(values={"sum": '"error_kind":"Blocked"'}, checks=Check.of("contains:23")))
    run = made(inputs=rows, variants=made().experiment.variants[:1], samples=1)
    history.begin(ME, run)
    history.finish(run, run.cells[0], done(run.cells[0]))
    history.finish(run, run.cells[1], CellResult(index=1, state=State.FAILED, error="x", error_kind="Unreachable"))
    history.end(run.id, State.DONE)
    grade_all(history)
    assert run_facts.leader(history.search(ME)[0]) == "100 %"


def test_an_empty_answer_fails_even_a_check_that_it_would_pass(history: History) -> None:
    run = made(inputs=(Input(values={"sum": "1"}, checks=Check.of("not-contains:x")),), samples=1)
    history.begin(ME, run)
    for cell in run.cells:
        history.finish(run, cell, done(cell, "" if cell.variant == 0 else "y"))
    history.end(run.id, State.DONE)
    grade_all(history)
    assert run_facts.leader(history.search(ME)[0]) == "B 100 %"
    assert history.search(ME)[0].passed == 1
