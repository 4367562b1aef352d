"""Which inputs a filter leaves, and which come first."""

from __future__ import annotations

import pytest

from core.experiment import Experiment, Input, Variant
from core.experiment.grid import grid_cells
from core.experiment.row_filter import LABELS, RowFilter, by_disagreement, matching
from core.types import CellResult, Check, State

CHECKED = Check.of("contains:yes")


def run(rows: list[list[list[str]]], checks: tuple[Check, ...] = CHECKED) -> tuple[Experiment, dict[int, CellResult]]:
    """For each input, each column's samples: an answer, "!" for an error, "..." for one under way."""
    experiment = Experiment(
        page="playground",
        variants=tuple(Variant(name=str(number), user="x") for number in range(len(rows[0]))),
        models=("tiny-text",),
        inputs=tuple(Input(values={"n": str(number)}, checks=checks) for number in range(len(rows))),
        samples=len(rows[0][0]),
    )
    results = {}
    for cell in grid_cells(experiment):
        text = rows[cell.input][cell.variant][cell.sample]
        state = {"!": State.FAILED, "...": State.RUNNING}.get(text, State.DONE)
        results[cell.index] = CellResult(index=cell.index, state=state, text=text)
    return experiment, results


ROWS = [
    [["yes", "yes"], ["yes", "yes"]],  # all pass
    [["yes", "no"], ["yes", "yes"]],  # a sample fails
    [["no", "no"], ["yes", "yes"]],  # a column fails
    [["!", "yes"], ["yes", "yes"]],  # an error
    [["...", "..."], ["...", "..."]],  # under way
]


@pytest.mark.parametrize(
    ("which", "rows"),
    [
        ("all", (0, 1, 2, 3, 4)),
        ("failures", (1, 2)),
        ("errors", (3,)),
        ("disagree", (1, 2)),
        ("unstable", (1,)),
    ],
)
def test_a_filter_leaves_the_rows_that_it_names(which: RowFilter, rows: tuple[int, ...]) -> None:
    assert matching(*run(ROWS), which) == rows


def test_without_checks_answers_are_compared() -> None:
    plain = [[["a", "a"], ["a", "a"]], [["a", "a"], ["b", "b"]], [["a", "b"], ["a", "b"]]]
    assert matching(*run(plain, ()), "failures") == ()
    assert matching(*run(plain, ()), "disagree") == (1,)
    assert matching(*run(plain, ()), "unstable") == (2,)


def test_the_largest_difference_comes_first() -> None:
    experiment, results = run(ROWS)
    assert by_disagreement(experiment, results, (0, 1, 2, 3, 4)) == (2, 1, 0, 3, 4)
    assert by_disagreement(experiment, results, (0, 1)) == (1, 0)


def test_nothing_is_left_of_a_run_without_results() -> None:
    experiment, _ = run(ROWS)
    for which in LABELS:
        assert matching(experiment, {}, which) == ((0, 1, 2, 3, 4) if which == "all" else ())
