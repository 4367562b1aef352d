"""Corrections for many columns and many looks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.statistics import compare_columns, holm, look_alpha, pairs_of, sidak


def test_the_textbook_example_of_holm() -> None:
    """Four p-values of 0.01, 0.04, 0.03 and 0.005: multiplied by 3, 1, 2 and 4, then made to rise."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_lies_under_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= min(1, p * len(p_values)) + 1e-12 for p, q in zip(p_values, adjusted, strict=True))
    ranks = sorted(range(len(p_values)), key=lambda index: p_values[index])
    assert sorted(adjusted) == [adjusted[index] for index in ranks]


def test_sidak() -> None:
    assert sidak(0.05, 1) == pytest.approx(0.05)
    assert 1 - (1 - sidak(0.05, 15)) ** 15 == pytest.approx(0.05)
    with pytest.raises(InvalidInput):
        sidak(0.05, 0)


def test_families_name_their_pairs() -> None:
    assert pairs_of(3, "every pair") == ((0, 1), (0, 2), (1, 2))
    assert pairs_of(3, "against the baseline", 1) == ((1, 0), (1, 2))
    with pytest.raises(InvalidInput):
        pairs_of(3, "against the baseline", 3)


def test_the_first_look_spends_half() -> None:
    assert look_alpha(0.05) == look_alpha(0.05, (160,)) == pytest.approx(0.025)


def test_looks_together_spend_what_was_allowed() -> None:
    """Against the multivariate normal distribution itself: the chance that any of three looks crosses its bound."""
    from scipy.stats import multivariate_normal, norm

    sizes = (20, 30, 50)
    bounds = [norm.isf(look_alpha(0.05, sizes[: look + 1]) / 2) for look in range(3)]
    covariance = [[(min(a, b) / max(a, b)) ** 0.5 for a in sizes] for b in sizes]
    for looks, spent in ((2, 0.0375), (3, 0.04375)):
        shape = [row[:looks] for row in covariance[:looks]]
        upper = np.array(bounds[:looks])
        inside = multivariate_normal(cov=shape, seed=1).cdf(upper, lower_limit=-upper)
        assert 1 - inside == pytest.approx(spent, abs=2e-4)


def test_five_looks_at_growing_data_stay_under_the_allowed_error() -> None:
    """Two equal columns grown 1.5 times up to five looks; at 5 % each, 15 in 100 would name a winner."""
    from scipy.stats import norm

    rng = np.random.default_rng(1)
    sizes = [40, 60, 90, 135, 202]
    sums = np.cumsum(rng.normal(size=(20000, sizes[-1])), axis=1)
    crossed, naive = np.zeros(20000, bool), np.zeros(20000, bool)
    for look, size in enumerate(sizes):
        z = abs(sums[:, size - 1]) / size**0.5
        crossed |= z > norm.isf(look_alpha(0.05, sizes[: look + 1]) / 2)
        naive |= z > norm.isf(0.025)
    assert naive.mean() > 0.13
    assert 0.044 < crossed.mean() <= 0.052


@settings(deadline=None)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=6), st.sampled_from((0.05, 0.01, 0.0034)))
def test_a_later_look_is_never_laxer(sizes: list[int], alpha: float) -> None:
    spent = [look_alpha(alpha, sizes[: look + 1]) for look in range(len(sizes))]
    assert all(0 < later <= earlier for earlier, later in pairwise(spent))
    assert spent[0] == pytest.approx(alpha / 2)


def test_a_look_at_no_more_than_before_is_the_same_look() -> None:
    assert look_alpha(0.05, (40, 40)) == look_alpha(0.05, (40,))
    assert look_alpha(0.05, (40, 60, 50)) == look_alpha(0.05, (40, 60))


@pytest.mark.parametrize(("alpha", "sizes"), [(0.0, (1,)), (1.0, (1,)), (0.05, ()), (0.05, (0,)), (0.05, (10, -1))])
def test_looks_that_cannot_be_are_refused(alpha: float, sizes: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput):
        look_alpha(alpha, sizes)


def test_a_family_shares_out_its_error() -> None:
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 2, 30) for _ in range(4)]
    pairs = compare_columns(columns, family="every pair", looks=(30, 60))
    assert [(one.baseline, one.other) for one in pairs.comparisons] == list(pairs_of(4, "every pair"))
    assert pairs.comparison_alpha == look_alpha(sidak(0.05, 6), (30, 60))
    assert (pairs.look, pairs.correction) == (2, "Sidak over 6 comparisons, alpha spending at look 2")
    assert {one.interval.level for one in pairs.comparisons} == {1 - pairs.comparison_alpha}
    assert [one.adjusted_p for one in pairs.comparisons] == list(holm([one.p_value for one in pairs.comparisons]))


def test_a_comparison_is_found_by_its_columns() -> None:
    columns = [[0, 1, 1], [1, 1, 1], [0, 0, 1]]
    against = compare_columns(columns, baseline=1)
    assert against.find(1, 2).difference == pytest.approx(-2 / 3)
    with pytest.raises(InvalidInput):
        against.find(0, 1)


def test_one_column_is_no_comparison() -> None:
    with pytest.raises(InvalidInput):
        compare_columns([[1, 0]])
