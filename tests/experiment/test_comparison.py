"""Two runs against each other: lined up by content, graded alike, and read by the same verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.experiment import Experiment, Input, Variant, columns_of, verdict, verdict_words
from core.experiment.comparison import RunColumn, compare_runs, leading_column, same_column
from core.experiment.grade import answer
from core.experiment.grid import grid_cells
from core.experiment.scores import Column
from core.types import CellResult, Check, State

ROWS = tuple(Input(values={"n": str(number)}, checks=Check.of(f"contains:{number}")) for number in range(20))


def run(passing: int, **changes: object) -> RunColumn:
    """A run whose first variant passes the first so many inputs, and whose second passes none."""
    given: dict[str, object] = {
        "page": "playground",
        "variants": (Variant(name="Plain", user="{{n}}"), Variant(name="Bad", user="no {{n}}")),
        "models": ("tiny-text",),
        "inputs": ROWS,
        "seed": 1,
        "title": "T",
    }
    experiment = Experiment(**(given | changes))  # type: ignore[arg-type]
    results = {}
    for cell in grid_cells(experiment):
        number = int(experiment.inputs[cell.input].values["n"])
        text = f"It is {number}." if cell.variant == 0 and number < passing else "?"
        results[cell.index] = CellResult(index=cell.index, state=State.DONE, text=text)
    return RunColumn(experiment, results, columns_of(experiment)[0])


def test_the_verdict_reads_two_runs_as_two_variants() -> None:
    compared = compare_runs(run(4), run(20))
    decided = verdict(compared.experiment, compared.results)
    told = verdict_words.sentence(compared.experiment, decided)
    assert told.startswith("B · After (Plain) is better than A · Before (Plain) by 80 points")
    assert list(compared.improved) == list(range(4, 20))
    assert compared.regressed == {}
    assert compared.notes == ()
    assert verdict(*reversed_sides(run(20), run(4))).comparisons[0].outcome == "worse"


def reversed_sides(before: RunColumn, after: RunColumn) -> tuple[Experiment, object]:
    compared = compare_runs(before, after)
    return compared.experiment, compared.results


def test_inputs_are_lined_up_by_what_they_hold() -> None:
    shuffled = (*reversed(ROWS[5:]), Input(values={"n": "99"}))
    compared = compare_runs(run(20), run(8, inputs=shuffled))
    assert (len(compared.experiment.inputs), compared.only_before, compared.only_after) == (15, 5, 1)
    for cell in grid_cells(compared.experiment):
        number = compared.experiment.inputs[cell.input].values["n"]
        passes = cell.variant == 0 or int(number) < 8
        assert answer(compared.results[cell.index]) == (f"It is {number}." if passes else "?")
    assert {compared.experiment.inputs[row].values["n"] for row in compared.regressed} == {str(n) for n in range(8, 20)}


def test_inputs_with_the_same_values_are_paired_once_each() -> None:
    twice = (ROWS[0], ROWS[0], ROWS[1])
    compared = compare_runs(run(2, inputs=twice), run(2, inputs=(*twice, ROWS[0])))
    assert (len(compared.experiment.inputs), compared.only_before, compared.only_after) == (3, 0, 1)


def test_both_are_graded_by_the_later_checks_and_it_is_said() -> None:
    strict = tuple(replace(row, checks=Check.of("contains:never")) for row in ROWS)
    compared = compare_runs(run(20), run(20, inputs=strict))
    assert compared.notes == ("The checks differ: both are graded by those of the later run.",)
    assert verdict(compared.experiment, compared.results).columns[0].passed == 0


def test_what_differs_beside_the_prompt_is_said() -> None:
    old = run(3, samples=3, parameters={"temperature": 0.5})
    new = run(3, samples=5, parameters={"temperature": 0.0}, seed=2, models=("gpt2",))
    compared = compare_runs(old, new)
    assert compared.notes == (
        "The model differs: tiny-text before, gpt2 after.",
        "Parameters differ: temperature 0.5 before, 0.0 after.",
        "The seeds differ, so that chance differs beside the prompts.",
        "Only the first sample of each input is compared.",
    )
    assert verdict(compared.experiment, compared.results).complete


def test_runs_without_a_common_input_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no input in common"):
        compare_runs(run(1), run(1, inputs=(Input(values={"n": "99"}),)))


def test_the_leading_column_is_the_one_that_passes_most() -> None:
    side = run(4, variants=(Variant(name="Plain", user="{{n}}"), Variant(name="Bad", user="no {{n}}")))
    assert leading_column(side.experiment, side.results) == columns_of(side.experiment)[0]
    assert leading_column(side.experiment, {}) == columns_of(side.experiment)[0]


def test_a_column_is_found_again_by_its_name_then_by_its_position() -> None:
    old = run(1).experiment
    column = columns_of(old)[1]
    swapped = replace(old, variants=(*reversed(old.variants),), models=("gpt2", "tiny-text"))
    assert same_column(old, column, swapped) == Column("tiny-text", 0, 0)
    renamed = replace(old, variants=(old.variants[0], Variant(name="New", user="x")))
    assert same_column(old, column, renamed) == Column("tiny-text", 1, 0)
    assert same_column(old, column, replace(old, variants=old.variants[:1])) == Column("tiny-text", 0, 0)
