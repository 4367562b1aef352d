"""The same data through evalstats and statsmodels: 200 random data sets, and the formulas both houses share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from evalstats import seed_variance_decomposition
from evalstats.core import resampling
from evalstats.core.stats_utils import correct_pvalues

from core.statistics import (
    bonett_price,
    compare,
    holm,
    interaction,
    mcnemar,
    mean_difference_interval,
    pair,
    variance_components,
    wilson,
)

DATA_SETS = 200

Columns = tuple[np.ndarray, np.ndarray]


def data_sets(samples: tuple[int, int]) -> Iterator[Columns]:
    """Baselines and others of passes and fails, on 4 to 80 inputs of any difficulty, with that many samples."""
    for seed in range(DATA_SETS):
        rng = np.random.default_rng(seed)
        units, count = int(rng.integers(4, 80)), int(rng.integers(*samples, endpoint=True))
        chances = rng.beta(*rng.uniform(0.2, 3, 2), size=(units, 1))
        gain = rng.uniform(0, 0.4) * (1 - chances)
        shape = (units, count)
        yield (rng.random(shape) < chances).astype(float), (rng.random(shape) < chances + gain).astype(float)


def alpha_of_student(alpha: float, units: int) -> float:
    """The error at which a normal quantile is as large as Student's t is at `alpha`."""
    from scipy.stats import norm, t

    return float(2 * norm.sf(t.isf(alpha / 2, units - 1)))


def test_wilson() -> None:
    for passed, _ in data_sets((1, 1)):
        interval = wilson(int(passed.sum()), passed.size)
        expected = resampling.wilson_ci(int(passed.sum()), passed.size, 0.05)
        assert (interval.low, interval.high) == pytest.approx(expected)


def test_bonett_price_as_published() -> None:
    for baseline, other in data_sets((1, 1)):
        comparison = compare(pair(baseline, other))
        interval = bonett_price(comparison.wins, comparison.losses, comparison.units)
        expected = resampling.bonett_price_paired_ci(other[:, 0], baseline[:, 0], 0.05)
        assert (interval.low, interval.high) == pytest.approx(expected)


def test_one_answer_per_input_is_bonett_price_but_for_the_quantile() -> None:
    for baseline, other in data_sets((1, 1)):
        interval = compare(pair(baseline, other)).interval
        alpha = alpha_of_student(0.05, len(baseline))
        expected = resampling.bonett_price_paired_ci(other[:, 0], baseline[:, 0], alpha)
        assert (interval.low, interval.high) == pytest.approx(expected)


def test_averaged_samples_lie_between_two_forms_of_bonett_price() -> None:
    """evalstats' shrunk form draws the pseudo-units towards 1 by two units, ours by four, its clustered all the way."""
    for baseline, other in data_sets((3, 10)):
        interval = mean_difference_interval(pair(baseline, other))
        alpha = alpha_of_student(0.05, len(baseline))
        shrunk = resampling.bonett_price_paired_ci_multirun_shrunk(other, baseline, alpha)
        clustered = resampling.bonett_price_paired_ci_multirun_cluster(other, baseline, alpha)
        assert clustered[0] - 1e-12 <= interval.low <= shrunk[0] + 1e-12
        assert shrunk[1] - 1e-12 <= interval.high <= clustered[1] + 1e-12


def test_corrected_p_values() -> None:
    rng = np.random.default_rng(1)
    for _ in range(DATA_SETS):
        p_values = rng.random(int(rng.integers(1, 16))) ** 3
        assert holm(p_values.tolist()) == pytest.approx(tuple(correct_pvalues(p_values, "holm")))


def test_mcnemar() -> None:
    from statsmodels.stats.contingency_tables import mcnemar as reference

    rng = np.random.default_rng(1)
    for wins, losses in rng.integers(0, 15, (DATA_SETS, 2)).tolist():
        assert mcnemar(wins, losses) == pytest.approx(min(1.0, reference([[3, wins], [losses, 4]], exact=True).pvalue))


def test_sampling_variance() -> None:
    """Its decomposition of one column's scores, asked of the paired differences."""
    for baseline, other in data_sets((3, 10)):
        parts = variance_components(pair(baseline, other))
        reference = seed_variance_decomposition((other - baseline)[None], ["difference"])
        sampling, total = float(reference.seed_var[0]) / baseline.shape[1], float(reference.input_var[0])
        assert parts.sampling == pytest.approx(min(sampling, total))
        assert parts.between == pytest.approx(max(0.0, total - sampling), abs=1e-12)


def test_the_interaction_is_that_of_statsmodels() -> None:
    import pandas as pd
    from statsmodels.stats.anova import AnovaRM

    for seed in range(4):
        rng = np.random.default_rng(seed)
        cube = rng.random((int(rng.integers(4, 30)), int(rng.integers(2, 5)), int(rng.integers(2, 4))))
        labels = dict(zip(("unit", "prompt", "model"), np.indices(cube.shape).reshape(3, -1), strict=True))
        frame = pd.DataFrame({**labels, "score": cube.ravel()})
        table = AnovaRM(frame, "score", "unit", within=["prompt", "model"]).fit().anova_table
        assert interaction(cube).statistic == pytest.approx(table.loc["prompt:model", "F Value"])
