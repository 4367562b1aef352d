"""P-values of paired differences: how often chance alone would separate two equal columns as much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

EXACT_FLIPS = 18  # units up to which every pattern of signs is tried
RESAMPLES = 9999  # patterns drawn above that


def mcnemar(wins: int, losses: int) -> float:
    """The exact two-sided p-value of two columns that pass and fail the same inputs; ties do not count.

    Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947), in its exact form, a binomial test of wins among the discordant pairs.
    """
    if wins < 0 or losses < 0:
        raise InvalidInput("Wins and losses are counts: they cannot be negative.")
    if wins + losses == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses, 0.5).pvalue)


def sign_flips(differences: ArrayLike, seed: int = 0) -> float:
    """The two-sided p-value of a mean difference when each unit's sign could as well have been the other.

    Exact up to 18 units that differ; above that from 9,999 seeded sign patterns, so that equal data give equal answers.

    Source: E. J. G. Pitman, "Significance tests which may be applied to samples from any populations", Supplement to
    the JRSS 4 (1937); for drawn patterns the observed one counts as one of them (B. Phipson and G. K. Smyth,
    "Permutation p-values should never be zero", Statistical Applications in Genetics and Molecular Biology 9 (2010)).
    """
    import numpy as np

    values = np.asarray(differences, dtype=np.float64)  # (units,)
    values = values[values != 0]
    observed = abs(values.sum()) - 1e-9 * abs(values).sum()  # sums that differ by rounding only are equal
    if len(values) <= EXACT_FLIPS:
        sums = np.zeros(1)  # of every pattern of signs
        for value in values:
            sums = np.concatenate([sums + value, sums - value])
        return float((abs(sums) >= observed).mean())
    rng, extreme = np.random.default_rng(seed), 1
    for part in np.array_split(np.arange(RESAMPLES), 1 + RESAMPLES * len(values) // 1_000_000):
        flipped = rng.integers(0, 2, (len(part), len(values)), dtype=np.int8).astype(np.float64) @ values
        extreme += int((abs(values.sum() - 2 * flipped) >= observed).sum())
    return extreme / (RESAMPLES + 1)
