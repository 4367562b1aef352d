"""A against itself: equal variants, fresh seeds, and what is said of both."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from core.experiment import aa_test, from_dict, plan, to_dict, verdict
from core.experiment.grid import GridCell, seed_of
from core.types import Experiment
from tests.experiment.test_verdict import answered, experiment, only


def half(cell: GridCell) -> str:
    """Passes or not by input, sample and variant, half of the time each."""
    sign = hashlib.sha256(f"{cell.input} {cell.sample} {cell.variant}".encode()).digest()[0] % 2
    return "yes" if sign else "no"


def checked(made: Experiment) -> str:
    return aa_test.problem(made, verdict(made, answered(made, only(1))))


def test_the_column_runs_against_itself_with_seeds_that_the_run_did_not_have() -> None:
    made = experiment(models=("m", "n"), axes={"temperature": (0.5, 1.0)}, samples=4, seed=10)
    again = aa_test.against_itself(made, 7, seed=8)
    assert again.aa_test
    assert (again.models, again.axes, again.parameters) == (("n",), {}, {"temperature": 1.0})
    assert [variant.user for variant in again.variants] == [made.variants[1].user] * 2
    assert [variant.name for variant in again.variants] == ["V1", "V1, again"]
    assert again.inputs == made.inputs
    seeds = [cell.request.seed for cell in plan(again) if cell.input == 0]
    assert sorted(seeds) == list(range(16, 24)), "every answer has a seed of its own"
    assert not set(seeds) & {seed_of(made, k) for k in range(4)}
    assert from_dict(to_dict(again)) == again


def test_listed_seeds_are_avoided_too() -> None:
    made = experiment(seeds=(5, 100), samples=2)
    again = aa_test.against_itself(made, 0, seed=4)
    assert {cell.request.seed for cell in plan(again)} == {8, 9, 10, 11}


def test_an_ordinary_experiment_keeps_common_seeds() -> None:
    made = experiment(samples=2)
    assert {cell.request.seed for cell in plan(made)} == {0, 1}


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (experiment(), ""),
        (replace(experiment(), inputs=tuple(replace(row, checks=()) for row in experiment().inputs)), "Without checks"),
        (experiment(inputs=1), "One input cannot tell chance"),
        (experiment(inputs=14), "With 14 inputs nobody is crowned"),
        (experiment(variants=1), ""),
        (experiment(variants=1, parameters={"temperature": 0}), "no second column"),
        (experiment(variants=2, parameters={"temperature": 0}), ""),
    ],
)
def test_what_cannot_be_checked_has_a_sentence(made: Experiment, words: str) -> None:
    said = checked(made)
    assert words in said
    assert bool(said) == bool(words)


def test_an_unfinished_run_has_a_sentence() -> None:
    made = experiment()
    assert "not finished" in aa_test.problem(made, verdict(made, {}))


def test_the_rerun_and_the_exchanged_labels_are_said() -> None:
    again = aa_test.against_itself(experiment(inputs=40, samples=3), 0, seed=100)
    results = answered(again, half)
    said = aa_test.rerun_sentence(again, verdict(again, results))
    assert said.startswith("The rerun named no winner: the difference to itself is ")
    assert said.endswith("from 40 inputs.")
    found = aa_test.relabelled(again, results)
    assert found.share <= 0.05
    assert "of 2,000 ways drawn at random name a winner" in aa_test.permutation_sentence(found)


def test_a_false_winner_is_called_one() -> None:
    again = aa_test.against_itself(experiment(inputs=40), 0, seed=100)
    said = aa_test.rerun_sentence(again, verdict(again, answered(again, only(1))))
    assert said.startswith("The rerun named a false winner: 'V0' against itself, and the difference to itself is +100")


def test_few_ways_are_all_tried() -> None:
    made = experiment(inputs=20)
    results = answered(made, lambda cell: "yes" if cell.variant and cell.input < 3 else "no")
    found = aa_test.relabelled(made, results)
    assert "0% of all 8 ways name a winner" in aa_test.permutation_sentence(found)
