"""Exchanged labels: every way where there are few, drawn ones where there are many, and the level held."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from core.errors import InvalidInput
from core.statistics import compare_columns, decide, false_winners
from core.statistics.permutation import DRAWS

NAN = float("nan")


def by_hand(one: np.ndarray, two: np.ndarray, changing: list[int]) -> float:
    """The share of winners over every exchange on these inputs, by the rule itself."""
    named = 0
    for flips in product((False, True), repeat=len(changing)):
        flipped = [row for row, flip in zip(changing, flips, strict=True) if flip]
        first, second = one.copy(), two.copy()
        first[flipped], second[flipped] = two[flipped], one[flipped]
        comparison = compare_columns([first, second]).comparisons[0]
        named += decide(comparison) in ("better", "worse")
    return named / 2 ** len(changing)


@pytest.mark.parametrize("samples", [1, 3])
def test_every_way_is_tried_where_there_are_few(samples: int) -> None:
    rng = np.random.default_rng(samples)
    one = np.repeat(rng.integers(0, 2, (20, 1)), samples, axis=1).astype(float)
    two = one.copy()
    changing = list(range(9))
    two[changing] = 1 - one[changing]
    found = false_winners([one, two])
    assert (found.exact, found.labellings, found.units) == (True, 2**9, 20)
    assert found.share == pytest.approx(by_hand(one, two, changing))
    assert found.share > 0, "nine of nine for one column is a winner"


def test_two_thousand_are_drawn_where_there_are_many_and_stay_the_same() -> None:
    rng = np.random.default_rng(1)
    columns = [rng.integers(0, 2, (40, 4)).astype(float) for _ in range(3)]
    found = false_winners(columns, family="every pair")
    assert (found.exact, found.labellings) == (False, DRAWS)
    assert found == false_winners(columns, family="every pair")
    assert found.share <= 0.05


@pytest.mark.parametrize("columns", [2, 3, 6])
def test_the_level_is_held_on_columns_that_differ_much(columns: int) -> None:
    """Also where the columns are far from equal: their labels are exchanged, so that none is better any more."""
    rng = np.random.default_rng(columns)
    scores = [(rng.random((60, 1)) < chance).astype(float) for chance in np.linspace(0.2, 0.8, columns)]
    assert false_winners(scores).share <= 0.065


def test_more_looks_name_fewer_false_winners() -> None:
    rng = np.random.default_rng(3)
    scores = [rng.random((40, 1)) for _ in range(2)]
    once, later = false_winners(scores), false_winners(scores, looks=(10, 20, 40))
    assert later.share <= once.share


def test_a_column_against_itself_has_one_way() -> None:
    same = np.ones((20, 2))
    found = false_winners([same, same])
    assert (found.share, found.labellings, found.exact) == (0.0, 1, True)


def test_below_fifteen_units_nobody_is_named() -> None:
    one, two = np.zeros(14), np.ones(14)
    assert false_winners([one, two]).share == 0.0
    assert false_winners([np.zeros(28), np.ones(28)], groups=[row % 14 for row in range(28)]).units == 14


def test_what_one_column_lacks_is_left_out_of_all() -> None:
    one, two = np.zeros(20), np.ones(20)
    one[:4], two[3:6] = NAN, NAN
    assert false_winners([one, two]).units == 14


def test_one_column_has_no_labels_to_exchange() -> None:
    with pytest.raises(InvalidInput, match="two columns"):
        false_winners([[1.0]])
