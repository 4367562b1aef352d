"""Intervals on one rate: published values, bounds, and means that are not whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.statistics import Interval, clustered_wilson, rate, wilson

NAN = math.nan


# R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I
@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_published_values(passed: int, total: int, low: float, high: float) -> None:
    interval = wilson(passed, total)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == Interval(0.0, 1.0, 0.95)
    assert clustered_wilson([]) == Interval(0.0, 1.0, 0.95)
    empty = rate([])
    assert math.isnan(empty.mean)
    assert (empty.units, empty.interval.width) == (0, 1.0)


@pytest.mark.parametrize(("passed", "total", "level"), [(4, 3, 0.95), (-1, 3, 0.95), (1, 3, 1.0), (1, 3, 0.0)])
def test_a_share_that_cannot_be_is_refused(passed: int, total: int, level: float) -> None:
    with pytest.raises(InvalidInput):
        wilson(passed, total, level)


def test_one_answer_per_input_gives_wilson() -> None:
    result = rate([1, 0, 1, 1])
    assert (result.mean, result.units, result.method) == (0.75, 4, "Wilson")
    assert result.interval == wilson(3, 4)


def test_samples_of_one_input_are_one_unit() -> None:
    """Ten copies of an answer prove no more than one does."""
    once, often = rate([1, 0, 1, 1]), rate([[1] * 10, [0] * 10, [1] * 10, [1] * 10])
    assert often == once


def test_averages_give_the_clustered_interval() -> None:
    result = rate([[1, 0], [1, 1], [0, 0], [1, 0]])
    assert (result.mean, result.method) == (0.5, "clustered Wilson")
    assert result.interval.contains(0.5)


def test_clustered_equals_wilson_but_for_the_quantile() -> None:
    """With means of 0 and 1 only and very many units, Student's t is normal and both are one formula."""
    interval, reference = clustered_wilson([1.0] * 3000 + [0.0] * 7000), wilson(3000, 10000)
    assert interval.low == pytest.approx(reference.low, abs=1e-5)
    assert interval.high == pytest.approx(reference.high, abs=1e-5)


def test_a_group_is_one_unit_and_its_inputs_weigh_the_same() -> None:
    result = rate([[1, 1, 1], [0, NAN, NAN], [1, 1, 1], [NAN, NAN, NAN]], groups=["a", "a", "b", "c"])
    assert (result.units, result.mean) == (2, 0.75)


def test_other_bounds_are_kept() -> None:
    result = rate([1, 5, 3, 4], bounds=(1, 5))
    assert result.mean == 3.25
    assert 1 <= result.interval.low < 3.25 < result.interval.high <= 5


@pytest.mark.parametrize(
    ("scores", "bounds"),
    [([0.5, 1.2], (0, 1)), ([math.inf], (0, 1)), ([[[1]]], (0, 1)), ([1], (1, 1))],
)
def test_scores_that_cannot_be_are_refused(scores: list, bounds: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput):
        rate(scores, bounds=bounds)


def test_labels_must_match_the_inputs() -> None:
    with pytest.raises(InvalidInput, match="3 inputs but 2"):
        rate([1, 0, 1], groups=["a", "b"])


means = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=60)


@settings(deadline=None)
@given(means, st.floats(0.5, 0.999))
def test_the_clustered_interval_stays_in_bounds_and_has_width(values: list[float], level: float) -> None:
    interval = clustered_wilson(values, level)
    assert 0 <= interval.low < interval.high <= 1
    assert interval.low - 1e-9 <= np.mean(values) <= interval.high + 1e-9


@settings(deadline=None)
@given(means)
def test_failing_mirrors_passing(values: list[float]) -> None:
    interval, mirrored = clustered_wilson(values), clustered_wilson([1 - value for value in values])
    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-9)
    assert interval.high == pytest.approx(1 - mirrored.low, abs=1e-9)


@settings(deadline=None)
@given(means)
def test_a_higher_level_is_wider(values: list[float]) -> None:
    narrow, wide = clustered_wilson(values, 0.9), clustered_wilson(values, 0.99)
    assert wide.low <= narrow.low + 1e-12
    assert narrow.high <= wide.high + 1e-12
    assert wide.width > narrow.width


@pytest.mark.parametrize("chance", [0.02, 0.3, 0.9])
def test_the_clustered_interval_covers(chance: float) -> None:
    """Inputs whose chances vary round `chance`, five samples each."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1000):
        own = rng.beta(chance, 1 - chance, 20)
        covered += clustered_wilson(rng.binomial(5, own) / 5).contains(chance)
    assert covered >= 930


@pytest.mark.parametrize("chance", [0.02, 0.3, 0.9])
def test_the_clustered_interval_covers_inputs_that_are_all_alike(chance: float) -> None:
    rng = np.random.default_rng(4)
    covered = sum(clustered_wilson(rng.binomial(3, chance, 30) / 3).contains(chance) for _ in range(1000))
    assert covered >= 930
