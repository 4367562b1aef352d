"""Whether prompts and models interact."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import InvalidInput
from core.statistics import interaction


def scores(rng: np.random.Generator, units: int, prompts: int, models: int) -> np.ndarray:
    return rng.random((units, prompts, models)) * 0.5


def test_two_by_two_is_the_paired_t_test_on_the_difference_of_differences() -> None:
    from scipy.stats import ttest_1samp

    cube = scores(np.random.default_rng(1), 30, 2, 2)
    result = interaction(cube)
    reference = ttest_1samp(cube[:, 1, 1] - cube[:, 0, 1] - cube[:, 1, 0] + cube[:, 0, 0], 0)
    assert result.statistic == pytest.approx(reference.statistic**2)
    assert result.p_value == pytest.approx(reference.pvalue)
    assert result.freedom == pytest.approx((1, 29))


def test_gains_that_are_the_same_everywhere_do_not_interact() -> None:
    cube = scores(np.random.default_rng(2), 40, 3, 3)
    cube[:, 1] += 0.3
    cube[:, :, 2] += 0.2
    assert interaction(cube).p_value > 0.05


def test_a_prompt_that_wins_on_one_model_only_interacts() -> None:
    cube = scores(np.random.default_rng(3), 40, 2, 3)
    cube[:, 1, 2] += 0.4
    result = interaction(cube)
    assert result.p_value < 0.001
    assert np.argmax(result.effects) == 5
    assert np.allclose(np.sum(result.effects, axis=0), 0)
    assert np.allclose(np.sum(result.effects, axis=1), 0)


@pytest.mark.parametrize(("prompts", "models"), [(2, 2), (3, 2), (4, 3)])
def test_pass_or_fail_names_an_interaction_that_is_not_there_at_most_as_often_as_allowed(
    prompts: int, models: int
) -> None:
    rng = np.random.default_rng(4)
    shape = (20, prompts, models)
    false = sum(interaction(rng.random(shape) < rng.random((20, 1, 1))).p_value < 0.05 for _ in range(400))
    assert false <= 33  # 5 % and three standard errors


def test_units_with_a_gap_are_left_out() -> None:
    cube = scores(np.random.default_rng(5), 12, 2, 2)
    gapped = np.concatenate([cube, np.full((1, 2, 2), math.nan)])
    assert interaction(gapped) == interaction(cube)


def test_no_noise_at_all() -> None:
    flat = np.zeros((5, 2, 2))
    assert interaction(flat).p_value == 1
    flat[:, 1, 1] = 1
    assert (interaction(flat).p_value, interaction(flat).statistic) == (0, math.inf)


@pytest.mark.parametrize("shape", [(20, 1, 3), (20, 3, 1), (2, 2, 2), (20, 4)])
def test_too_little_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput):
        interaction(np.zeros(shape))
