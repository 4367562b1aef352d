"""How long grading may take: a check, an answer, an experiment, an owner."""

from __future__ import annotations

import sys
import time

import pytest

from core.checks import MAX_CHECKS, Budget, isolated
from core.checks.budget import CELL_SECONDS, CHECK_SECONDS, Budgets
from core.checks.kept import Kept
from core.errors import CheckError
from core.experiment import plan
from core.experiment.grade import grade
from core.types import CellResult, Check, Experiment, Input, State, Variant

MODULE = sys.modules[grade.__module__]  # the room has a function of its name
SLOW = r"regex:^(?:.|.)*[^ -~À]$"


def experiment(*lines: str) -> Experiment:
    return Experiment(
        page="playground",
        models=("tiny-text",),
        variants=(Variant(name="A", user="Hi"),),
        inputs=(Input(checks=Check.of(*lines)),),
    )


def answered(text: str) -> CellResult:
    return CellResult(index=0, state=State.DONE, text=text, tokens=1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checks that were judged apart."""
    names: list[str] = []
    judge = isolated.judge

    def counted(name: str, *rest: object, **named: object) -> object:
        names.append(name)
        return judge(name, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(isolated, "judge", counted)
    return names


def test_the_checks_of_an_answer_have_their_time_in_all_and_the_rest_is_not_judged(asked: list[str]) -> None:
    made = experiment(*[SLOW.replace("À", chr(0x100 + n)) for n in range(30)], "contains:ab")
    began = time.perf_counter()
    outcomes = grade(made, plan(made)[0], answered("ab c " * 12 + "!"))
    assert time.perf_counter() - began < CELL_SECONDS + 8
    assert len(outcomes) == 31
    assert not any(outcome.passed or outcome.judged for outcome in outcomes[:30])
    assert outcomes[0].reason.startswith("not judged: this check took longer than")
    assert outcomes[29].reason.startswith("not judged: the checks of this answer took 3 s in all")
    assert outcomes[30].passed
    before = len(asked)
    began = time.perf_counter()
    assert grade(made, plan(made)[0], answered("ab c " * 12 + "!")) == outcomes
    assert len(asked) == before
    assert time.perf_counter() - began < 1


def test_an_experiment_has_its_time_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    made = experiment(SLOW.replace("À", "Ä"), r"regex:\w")
    monkeypatch.setattr(MODULE, "_BUDGETS", Budgets(1.5 * CHECK_SECONDS, "this experiment", refill=0.001))
    first, second = (grade(made, plan(made)[0], answered(f"{n} ab c " * 12 + "!")) for n in range(2))
    assert first[0].reason.startswith("not judged: this check took longer")
    assert first[1].reason.startswith("not judged: the checks of this experiment took 1.5 s in all")
    assert (first[1].judged, first[1].final) == (False, False)
    assert not second[0].final
    monkeypatch.setattr(MODULE, "_BUDGETS", Budgets(60, "this experiment"))
    later = grade(made, plan(made)[0], answered("1 ab c " * 12 + "!"))
    assert later[1].passed  # what was only short of time is judged at another look


def test_an_owners_time_is_spent_by_all_of_their_experiments() -> None:
    owner = Budget(1.5 * CHECK_SECONDS, "this visitor's runs", refill=0.001)
    first, second = experiment(SLOW.replace("À", "Ö")), experiment(r"regex:second")
    grade(first, plan(first)[0], answered("ab c " * 12 + "!"), budget=owner)
    (outcome,) = grade(second, plan(second)[0], answered("the second"), budget=owner)
    assert outcome.reason.startswith("not judged: the checks of this visitor's runs took 1.5 s")
    (outcome,) = grade(second, plan(second)[0], answered("the second"))
    assert outcome.passed


def test_too_many_checks_are_refused_by_the_plan_and_not_judged_after_it() -> None:
    most = experiment(*["contains:a"] * MAX_CHECKS)
    assert plan(most)
    more = experiment(*["contains:a"] * (MAX_CHECKS + 1))
    with pytest.raises(CheckError, match=f"Row 1: An answer has {MAX_CHECKS + 1} checks to pass; at most {MAX_CHECKS}"):
        plan(more)
    outcomes = grade(more, plan(most)[0], answered("a"))
    assert [outcome.passed for outcome in outcomes] == [True] * MAX_CHECKS + [False]
    assert not outcomes[-1].judged


def test_a_slow_template_in_a_check_takes_from_the_answers_time() -> None:
    loop = "{% for a in x | lines %}" + "{% if y|upper in z %}1{% endif %}" * 9 + "{% endfor %}"
    values = {"x": "a\n" * 100, "y": "a" * 19_000, "z": "a" * 19_000 + "b"}
    made = experiment(*["contains:x " + loop + " " * n for n in range(MAX_CHECKS)])
    made = Experiment(
        page="playground",
        models=made.models,
        variants=made.variants,
        inputs=(Input(values=values, checks=made.inputs[0].checks),),
    )
    began = time.perf_counter()
    grade(made, plan(experiment())[0], answered("a"))
    assert time.perf_counter() - began < 3 * CELL_SECONDS + 3


def test_outcomes_of_common_checks_are_the_same_however_often_they_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = experiment("contains:a", r"regex:^a$", 'is-json:{"type": "string"}', "python-parses", "number:3")
    cell = plan(made)[0]
    once = grade(made, cell, answered("a"))
    isolated.close()
    monkeypatch.setattr(MODULE, "_GRADED", Kept(9))
    assert grade(made, cell, answered("a")) == once
    assert [outcome.passed for outcome in once] == [True, True, False, True, False]
