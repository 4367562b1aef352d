"""Paired comparisons: published examples, dropped cells, and properties that every interval keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.statistics import (
    bonett_price,
    compare,
    dropped_bounds,
    mcnemar,
    mean_difference_interval,
    pair,
    paired_bounds,
    sign_flips,
)

NAN = math.nan


def columns(wins: int, losses: int, units: int) -> tuple[list[int], list[int]]:
    """Baseline and other with so many inputs passed by one of them only."""
    ties = units - wins - losses
    return [0] * wins + [1] * losses + [1] * ties, [1] * wins + [0] * losses + [1] * ties


def test_the_worked_example_of_bonetts_own_package() -> None:
    """statpsych, ci.prop.ps(.05, 12, 4, 26, 6): 48 people, 26 against 4 discordant."""
    interval = bonett_price(26, 4, 48)
    assert interval.low == pytest.approx(0.2548067, abs=1e-7)
    assert interval.high == pytest.approx(0.6251933, abs=1e-7)


def test_the_first_example_of_bonett_and_price_by_hand() -> None:
    """200 pupils in 9th and 12th grade, 22 against 50 discordant: (23-51)/202 with se sqrt((74/202 - .1386²)/202)."""
    interval = bonett_price(22, 50, 200)
    centre, error = -28 / 202, math.sqrt((74 / 202 - (28 / 202) ** 2) / 202)
    assert interval.low == pytest.approx(centre - 1.959963985 * error)
    assert interval.high == pytest.approx(centre + 1.959963985 * error)


@pytest.mark.parametrize(("wins", "losses", "units"), [(-1, 0, 3), (2, 2, 3)])
def test_counts_that_cannot_be_are_refused(wins: int, losses: int, units: int) -> None:
    with pytest.raises(InvalidInput):
        bonett_price(wins, losses, units)


@pytest.mark.parametrize(
    ("wins", "losses", "p_value"),
    [
        (7, 1, 0.0703125),  # airway hyper-responsiveness, Fagerland, Lydersen and Laake (2013): 0.070
        (6, 0, 0.03125),  # the first sweep below 0.05
        (5, 0, 0.0625),
        (8, 1, 0.0390625),
        (0, 0, 1.0),
        (3, 3, 1.0),
    ],
)
def test_exact_mcnemar(wins: int, losses: int, p_value: float) -> None:
    assert mcnemar(wins, losses) == pytest.approx(p_value)
    assert mcnemar(losses, wins) == pytest.approx(p_value)


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(InvalidInput):
        mcnemar(-1, 2)


def test_sign_flips_give_fishers_answer_for_darwins_maize() -> None:
    """R. A. Fisher, "The design of experiments" (1935), section 21: 863 of 32,768 patterns on one side."""
    darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sign_flips(darwin) == pytest.approx(2 * 863 / 32768)


def test_sign_flips_of_nothing_prove_nothing() -> None:
    assert sign_flips([]) == sign_flips([0, 0, 0]) == 1.0


def test_drawn_sign_flips_are_repeatable_and_near_the_t_test() -> None:
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(4).normal(0.3, 1, 60)
    assert sign_flips(values) == sign_flips(values)
    assert sign_flips(values) == pytest.approx(ttest_1samp(values, 0).pvalue, abs=0.01)


def test_one_answer_per_input_is_bonett_price_but_for_the_quantile() -> None:
    from scipy.stats import norm, t

    comparison = compare(pair(*columns(9, 2, 30)), alpha=0.05)
    level = 1 - 2 * norm.sf(t.isf(0.025, 29))
    expected = bonett_price(9, 2, 30, level)
    assert comparison.interval.low == pytest.approx(expected.low)
    assert comparison.interval.high == pytest.approx(expected.high)
    assert (comparison.method, comparison.test) == ("Bonett-Price with Student's t", "exact McNemar")
    assert comparison.p_value == pytest.approx(mcnemar(9, 2))
    assert (comparison.wins, comparison.ties, comparison.losses) == (9, 19, 2)
    assert comparison.difference == pytest.approx(7 / 30)


def test_copies_of_a_sample_prove_nothing_more() -> None:
    """At temperature 0 all samples of an input are the same answer."""
    baseline, other = (np.array(column)[:, None] for column in columns(6, 1, 20))
    once, often = compare(pair(baseline, other)), compare(pair(baseline.repeat(10, 1), other.repeat(10, 1)))
    assert often.interval == once.interval
    assert (often.p_value, often.units, often.method) == (once.p_value, once.units, once.method)


def test_samples_that_average_out_are_studentised() -> None:
    rng = np.random.default_rng(2)
    comparison = compare(pair(rng.integers(0, 2, (20, 5)), rng.integers(0, 2, (20, 5))))
    assert (comparison.method, comparison.test) == ("studentised with pseudo-units", "sign flips")


def test_noisy_samples_make_a_narrower_interval_than_whole_pseudo_units_would() -> None:
    rng = np.random.default_rng(5)
    sample = pair(rng.random((20, 10)) < 0.5, rng.random((20, 10)) < 0.5)
    total, squares = sample.differences.sum(), (sample.differences**2).sum()
    low, high = paired_bounds(total, squares, squares, 20, 0.05)  # as if each unit were one answer
    assert mean_difference_interval(sample).width < 0.8 * float(high - low)


def test_dropped_cells_are_dropped_in_pairs_and_counted() -> None:
    baseline = [[1, 0], [NAN, NAN], [1, 1], [NAN, 1]]
    other = [[1, NAN], [1, 1], [0, 1], [0, 1]]
    comparison = compare(pair(baseline, other))
    assert (comparison.units, comparison.planned, comparison.dropped) == (3, 8, 4)
    assert comparison.dropped_share == 0.5
    assert comparison.difference == pytest.approx((0 - 0.5 + 0) / 3)


def test_nothing_in_common_says_nothing() -> None:
    comparison = compare(pair([1, NAN], [NAN, 1]))
    assert (comparison.units, comparison.interval.low, comparison.interval.high) == (0, -1, 1)
    assert math.isnan(comparison.difference)
    assert comparison.p_value == 1.0
    assert compare(pair([], [])).interval.width == 2


def test_one_unit_says_almost_nothing() -> None:
    assert compare(pair([0], [1])).interval.contains(0)


def test_groups_are_the_units() -> None:
    comparison = compare(pair([0, 0, 0, 1], [1, 1, 0, 1], groups=["a", "a", "b", "b"]))
    assert (comparison.units, comparison.difference) == (2, 0.5)


def test_other_bounds_scale_the_interval() -> None:
    small, large = compare(pair([0.25, 0.5, 0.25], [0.5, 1, 0])), compare(pair([2, 3, 2], [3, 5, 1], bounds=(1, 5)))
    assert large.interval.low == pytest.approx(4 * small.interval.low)
    assert large.interval.high == pytest.approx(4 * small.interval.high)


def test_scores_without_bounds_are_scaled_by_what_was_seen() -> None:
    rng = np.random.default_rng(6)
    baseline = rng.normal(-40, 5, 30)
    comparison = compare(pair(baseline, baseline + rng.normal(3, 1, 30), bounds=None))
    assert 0 < comparison.interval.low < 3 < comparison.interval.high < 6
    equal = compare(pair(baseline, baseline, bounds=None))
    assert (equal.interval.low, equal.interval.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("units", [2, 4, 15, 40])
def test_scores_without_bounds_are_covered(units: int) -> None:
    """Log-probabilities with normal differences, or skewed ones; the interval is not cut at the data."""
    rng = np.random.default_rng(7)
    for differences, mean in ((rng.normal(0.5, 1, (1000, units)), 0.5), (rng.exponential(1, (1000, units)), 1.0)):
        covered = sum(
            mean_difference_interval(pair(np.zeros(units), row, bounds=None)).contains(mean) for row in differences
        )
        assert covered >= 910


@pytest.mark.parametrize(("baseline", "other"), [([1, 0], [1]), ([[1, 0]], [[1], [0]]), ([2], [0]), ([1], [math.inf])])
def test_columns_that_do_not_match_are_refused(baseline: list, other: list) -> None:
    with pytest.raises(InvalidInput):
        pair(baseline, other)


def test_dropped_bounds_hold_whatever_the_dropped_cells_were() -> None:
    rng = np.random.default_rng(8)
    truth = [(rng.random((20, 2)) < chance).astype(float) for chance in (0.4, 0.6)]
    holes = [np.where(rng.random((20, 2)) < 0.2, NAN, column) for column in truth]
    edges = dropped_bounds(*holes)
    whole = compare(pair(*truth)).difference
    assert edges.lowest.difference <= whole <= edges.highest.difference
    for filled in (edges.all_failed, edges.all_passed):
        assert edges.lowest.difference <= filled.difference <= edges.highest.difference
        assert (filled.units, filled.dropped) == (20, 0)


def test_dropped_bounds_by_hand() -> None:
    edges = dropped_bounds([1, NAN, 0, 1], [NAN, 1, 0, 1])
    assert edges.all_failed.difference == pytest.approx((-1 + 1) / 4)
    assert edges.all_passed.difference == 0
    assert edges.lowest.difference == pytest.approx((-1 + 0) / 4)
    assert edges.highest.difference == pytest.approx((0 + 1) / 4)


@st.composite
def paired_columns(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of one shape: whole or graded scores, some of them missing."""
    units, samples = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    scores = draw(st.sampled_from(([0.0, 1.0], [0.0, 0.3, 1.0], [0.0, 1.0, NAN], [1.0])))
    cell = st.lists(st.sampled_from(scores), min_size=units * samples, max_size=units * samples)
    first, second = (np.array(draw(cell)).reshape(units, samples) for _ in range(2))
    return first, second


@settings(deadline=None)
@given(paired_columns(), st.floats(0.0001, 0.3))
def test_the_interval_stays_in_bounds_and_has_width(pair_of: tuple, alpha: float) -> None:
    interval = mean_difference_interval(pair(*pair_of), alpha)
    assert -1 <= interval.low < interval.high <= 1
    assert interval.level == 1 - alpha


@settings(deadline=None)
@given(paired_columns())
def test_the_interval_holds_the_observed_difference(pair_of: tuple) -> None:
    sample = pair(*pair_of)
    assume(sample.units > 0)
    interval = mean_difference_interval(sample, 0.05)
    assert interval.low - 1e-9 <= sample.differences.mean() <= interval.high + 1e-9


@settings(deadline=None)
@given(paired_columns())
def test_swapping_the_columns_turns_everything_round(pair_of: tuple) -> None:
    first, second = pair_of
    one, two = compare(pair(first, second)), compare(pair(second, first))
    assert one.interval.low == pytest.approx(-two.interval.high)
    assert one.interval.high == pytest.approx(-two.interval.low)
    assert (one.wins, one.losses, one.ties) == (two.losses, two.wins, two.ties)
    assert one.p_value == pytest.approx(two.p_value, abs=0.02)  # drawn patterns are not mirrored


@settings(deadline=None)
@given(paired_columns(), st.floats(0.001, 0.1))
def test_less_error_is_wider(pair_of: tuple, alpha: float) -> None:
    sample = pair(*pair_of)
    narrow, wide = mean_difference_interval(sample, alpha), mean_difference_interval(sample, alpha / 2)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@settings(deadline=None)
@given(paired_columns())
def test_order_of_inputs_is_no_matter(pair_of: tuple) -> None:
    first, second = pair_of
    one, two = mean_difference_interval(pair(first, second)), mean_difference_interval(pair(first[::-1], second[::-1]))
    assert one.low == pytest.approx(two.low)
    assert one.high == pytest.approx(two.high)
