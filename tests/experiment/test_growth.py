"""Which experiments only add to another, and where the cells of a run then stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.experiment.grid import grid_cells
from core.experiment.growth import carried, coordinates, extends, missing
from core.types import CellResult, Check, Experiment, Input, State, Variant

BEFORE = Experiment(
    page="playground",
    variants=(Variant(name="A", user="{{n}}"), Variant(name="B", user="{{n}}!")),
    models=("m", "n"),
    inputs=tuple(Input(id=f"r{n}", values={"n": str(n)}, checks=Check.of("contains:1")) for n in range(3)),
    samples=2,
    parameters={"temperature": 0.7},
    seed=5,
)
MORE_INPUTS = replace(BEFORE, inputs=(*BEFORE.inputs, Input(values={"n": "3"})))
MORE_SAMPLES = replace(BEFORE, samples=3)


@pytest.mark.parametrize(
    "after",
    [
        MORE_INPUTS,
        MORE_SAMPLES,
        replace(MORE_INPUTS, samples=9),
        replace(MORE_INPUTS, title="Another"),
        replace(MORE_INPUTS, inputs=tuple(replace(row, id="") for row in MORE_INPUTS.inputs)),
        replace(BEFORE, seeds=(5, 6, 77), samples=3),
    ],
)
def test_more_inputs_and_samples_extend(after: Experiment) -> None:
    assert extends(BEFORE, after)
    assert not extends(after, BEFORE)


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        replace(MORE_INPUTS, seed=6),
        replace(MORE_SAMPLES, seeds=(5, 7, 6)),
        replace(MORE_INPUTS, samples=1),
        replace(MORE_INPUTS, models=("m",)),
        replace(MORE_INPUTS, parameters={"temperature": 0.8}),
        replace(MORE_INPUTS, checks=Check.of("contains:1")),
        replace(MORE_INPUTS, margin=0.1),
        replace(MORE_INPUTS, inputs=MORE_INPUTS.inputs[::-1]),
        replace(MORE_INPUTS, inputs=(*(replace(row, group="g") for row in BEFORE.inputs), MORE_INPUTS.inputs[-1])),
        replace(MORE_INPUTS, variants=(BEFORE.variants[0], replace(BEFORE.variants[1], user="{{n}}?"))),
    ],
)
def test_everything_else_is_another_experiment(after: Experiment) -> None:
    assert not extends(BEFORE, after)


def test_at_temperature_0_more_samples_are_no_more_cells() -> None:
    greedy = replace(BEFORE, parameters={"temperature": 0})
    assert not extends(greedy, replace(greedy, samples=9))


@pytest.mark.parametrize("after", [MORE_INPUTS, MORE_SAMPLES, replace(MORE_INPUTS, samples=4)])
def test_results_follow_their_cells(after: Experiment) -> None:
    cells = list(grid_cells(BEFORE))
    results = {
        cell.index: CellResult(index=cell.index, state=State.DONE, text=str(coordinates(cell))) for cell in cells
    }
    moved = carried(BEFORE, after, results)
    places = {cell.index: str(coordinates(cell)) for cell in grid_cells(after)}
    assert {index: result.text for index, result in moved.items()} == {index: places[index] for index in moved}
    assert all(result.index == index for index, result in moved.items())
    assert missing(BEFORE, after, results) == len(places) - len(cells)


def test_what_has_no_answer_is_missing_too() -> None:
    results = {0: CellResult(index=0, state=State.DONE), 1: CellResult(index=1, state=State.CANCELLED)}
    assert missing(BEFORE, MORE_INPUTS, results) == 32 - 1
    assert missing(BEFORE, MORE_INPUTS, {}) == 32
