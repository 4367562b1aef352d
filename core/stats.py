"""How sure a pass rate is. Knows numbers only: not what passed, nor why.

scipy is imported when the first interval is asked for, so that the server starts without it.
"""

from __future__ import annotations

from functools import lru_cache

from core.errors import InvalidInput


@lru_cache(maxsize=4096)
def wilson(passed: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval for a share, as (low, high) in 0..1: where the true rate plausibly lies.

    It stays inside 0..1 and is honest for few trials, where the textbook interval collapses (3 of 3 gives 44-100 %).
    Nothing tried gives (0, 1). It takes trials as independent, which samples of one input are only in part.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927),
    through scipy.stats.binomtest.

    Raises:
        InvalidInput: not 0 <= passed <= total, or the confidence is not between 0 and 1.
    """
    if not 0 <= passed <= total:
        raise InvalidInput(f"{passed} of {total} is not a share: passed must lie between 0 and the total.")
    if not 0 < confidence < 1:
        raise InvalidInput("The confidence must lie between 0 and 1, such as 0.95.")
    if total == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest

    interval = binomtest(passed, total).proportion_ci(confidence_level=confidence, method="wilson")
    return float(interval.low), float(interval.high)
