"""From intervals to words, and what would change them."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.statistics import (
    Interval,
    Outcome,
    PairedSample,
    compare,
    decide,
    direction,
    look_alpha,
    mean_difference_interval,
    more_units,
    pair,
    predicted_width,
    smallest_detectable,
    variance_components,
)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (-0.04, 0.05, "equivalent"),
        (0.01, 0.04, "equivalent"),
        (-0.01, 0.2, "undecided"),
        (0.0, 0.2, "undecided"),
    ],
)
def test_the_interval_alone_decides(low: float, high: float, outcome: Outcome) -> None:
    assert direction(Interval(low, high, 0.95)) == outcome


def test_nobody_is_crowned_below_fifteen_inputs() -> None:
    assert decide(compare(pair([0] * 14, [1] * 14))) == "too few"
    assert decide(compare(pair([0] * 15, [1] * 15))) == "better"
    assert decide(compare(pair([1] * 15, [0] * 15))) == "worse"


def test_two_equal_columns_become_equivalent_with_enough_inputs() -> None:
    assert decide(compare(pair([1] * 20, [1] * 20))) == "undecided"
    assert decide(compare(pair([1] * 100, [1] * 100))) == "equivalent"
    assert decide(compare(pair([1] * 20, [1] * 20)), margin=0.2) == "equivalent"


def test_a_margin_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        decide(compare(pair([1] * 20, [1] * 20)), margin=0)


def undecided(seed: int = 1, units: int = 20) -> PairedSample:
    rng = np.random.default_rng(seed)
    chances = rng.random((units, 1)) * 0.8
    return pair(rng.random((units, 3)) < chances, rng.random((units, 3)) < chances + 0.15)


def test_more_inputs_settle_it_as_often_as_promised() -> None:
    """Drawing that many more from the observed inputs themselves decides about 80 of 100 times."""
    sample = undecided()
    more = more_units(sample)
    assert more is not None
    rng, settled = np.random.default_rng(2), 0
    units = sample.units + more
    for _ in range(400):
        drawn = rng.integers(0, sample.units, units)
        later = PairedSample(
            sample.differences[drawn], sample.discordances[drawn], sample.cells[drawn], None, 3 * units, 1.0
        )

        alpha = look_alpha(0.05, (20, units))
        settled += direction(mean_difference_interval(later, alpha)) != "undecided"
    assert 280 <= settled <= 360


def test_equal_columns_need_enough_inputs_to_be_called_equivalent() -> None:
    more = more_units(pair([1] * 20, [1] * 20))
    assert more is not None

    alpha = look_alpha(0.05, (20, 20 + more))
    enough = [1] * (20 + more)
    assert direction(mean_difference_interval(pair(enough, enough), alpha)) == "equivalent"


def test_below_fifteen_at_least_what_lacks_is_asked_for() -> None:
    assert more_units(pair([0] * 4, [1] * 4)) == 11


def test_an_absurd_or_unknown_number_is_left_out() -> None:
    even = pair([0] * 4 + [1] * 12, [1] * 4 + [0] * 4 + [1] * 8)  # 4 wins and 4 losses
    assert more_units(even, margin=0.001) is None
    assert more_units(even, margin=0.001, power=0.5) is None
    assert more_units(pair([], [])) is None
    assert more_units(pair([1.0, 2.0], [3.0, 1.0], bounds=None)) is None


def test_the_smallest_detectable_difference_is_seen_four_times_in_five() -> None:
    rng = np.random.default_rng(5)
    units = 60
    sample = pair(rng.random((units, 1)) < 0.5, rng.random((units, 1)) < 0.5)
    smallest = smallest_detectable(sample, alpha=0.05)
    assert smallest is not None
    seen = 0
    for _ in range(500):
        passed = rng.random((2, units))
        later = pair(passed[0] < 0.5 - smallest / 2, passed[1] < 0.5 + smallest / 2)
        seen += mean_difference_interval(later, 0.05).low > 0
    assert 350 <= seen <= 450


def test_a_larger_run_sees_smaller_differences() -> None:
    one, four = smallest_detectable(undecided(units=20)), smallest_detectable(undecided(units=80))
    assert one is not None
    assert four is not None
    assert four < one
    assert smallest_detectable(pair([], [])) is None
    assert smallest_detectable(pair([1, 0], [0, 1])) is None  # not even 100 points


def test_variance_is_told_apart() -> None:
    """Differences of 0 or 0.4 between inputs, answers of six samples: both parts are found."""
    rng = np.random.default_rng(7)
    gain = rng.choice([0.0, 0.4], (4000, 1))
    sample = pair(rng.random((4000, 6)) < 0.3, rng.random((4000, 6)) < 0.3 + gain)
    parts = variance_components(sample)
    within = 0.3 * 0.7 + (0.3 * 0.7 + 0.7 * 0.3) / 2
    assert parts.sampling == pytest.approx(within / 6, rel=0.05)
    assert parts.between == pytest.approx(0.04, rel=0.1)


def test_variance_by_hand() -> None:
    """Two inputs, differences (1, 0) and (0, 0): within 0.25, a unit's mean 0.5 or 0."""
    sample = pair([[0, 0], [0, 0], [1, 1]], [[1, 0], [0, 0], [0, 1]])
    parts = variance_components(sample)
    within = (0.5 + 0 + 0.5) / 3
    assert parts.sampling == pytest.approx(within / 2)
    assert parts.between == pytest.approx(0.25 - within / 2)


def test_inputs_that_differ_call_for_inputs() -> None:
    """Each input's own difference is fixed, so more samples change nothing."""
    column = np.tile([0.0, 1.0, 1.0, 0.0, 1.0], 4)[:, None].repeat(3, 1)
    parts = variance_components(pair(column, np.roll(column, 1, axis=0)))
    assert parts.sampling == 0
    assert parts.width_double_samples == pytest.approx(parts.width)
    assert parts.samples_to_halve is None
    assert parts.units_to_halve is not None
    assert parts.width_double_units < 0.75 * parts.width


def test_noisy_samples_call_for_either() -> None:
    rng = np.random.default_rng(9)
    parts = variance_components(pair(rng.random((200, 2)) < 0.5, rng.random((200, 2)) < 0.5))
    assert parts.width_double_samples is not None
    assert parts.width_double_samples < 0.85 * parts.width
    assert parts.samples_to_halve is not None


def test_one_sample_cannot_tell_inputs_from_samples() -> None:
    sample = pair([0, 1, 1, 0], [1, 1, 1, 0])
    parts = variance_components(sample)
    assert parts.between is parts.sampling is parts.width_double_samples is parts.samples_to_halve is None
    with pytest.raises(InvalidInput):
        predicted_width(sample, samples=2)


def test_the_predicted_width_of_the_present_run_is_its_width() -> None:
    sample = undecided()
    assert predicted_width(sample, alpha=0.02) == pytest.approx(mean_difference_interval(sample, 0.02).width)


def test_units_to_halve_halves() -> None:
    sample = undecided()
    parts = variance_components(sample)
    assert parts.units_to_halve is not None
    assert predicted_width(sample, units=sample.units + parts.units_to_halve) <= parts.width / 2
    assert predicted_width(sample, units=sample.units + parts.units_to_halve - 1) > parts.width / 2


def test_groups_leave_sampling_noise_within_their_inputs() -> None:
    """Two inputs a group, two samples each: noise per group is that of four cells."""
    rng = np.random.default_rng(11)
    first, second = rng.random((2000, 2)) < 0.5, rng.random((2000, 2)) < 0.5
    alone = variance_components(pair(first, second))
    grouped = variance_components(pair(first, second, groups=[index // 2 for index in range(2000)]))
    assert alone.sampling is not None
    assert grouped.sampling == pytest.approx(alone.sampling / 2)


@pytest.mark.parametrize("sample", [pair([1], [0]), pair([1.0, 2.0], [2.0, 3.0], bounds=None)])
def test_variance_needs_two_bounded_units(sample: PairedSample) -> None:
    with pytest.raises(InvalidInput):
        variance_components(sample)
