"""Wilson's interval against values known from elsewhere."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.stats import wilson


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [(3, 3, 44, 100), (5, 5, 57, 100), (4, 5, 38, 96), (10, 10, 72, 100), (0, 10, 0, 28), (50, 100, 40, 60)],
)
def test_known_values_in_percent(passed: int, total: int, low: int, high: int) -> None:
    assert tuple(round(100 * bound) for bound in wilson(passed, total)) == (low, high)


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_agrees_with_the_formula_of_1927(pair: tuple[int, int]) -> None:
    passed, total = pair
    z, rate = 1.959963984540054, passed / total
    middle = rate + z * z / (2 * total)
    spread = z * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    low, high = wilson(passed, total)
    assert low == pytest.approx((middle - spread) / (1 + z * z / total), abs=1e-9)
    assert high == pytest.approx((middle + spread) / (1 + z * z / total), abs=1e-9)
    assert 0 <= low <= rate <= high <= 1 or low == pytest.approx(rate) or high == pytest.approx(rate)


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_confidence_is_wider() -> None:
    assert wilson(7, 10, 0.99)[0] < wilson(7, 10, 0.9)[0]


@pytest.mark.parametrize("arguments", [(-1, 3), (4, 3), (1, -1), (1, 2, 0.0), (1, 2, 1.0), (1, 2, math.nan)])
def test_what_is_no_share_is_refused(arguments: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput):
        wilson(*arguments)


def test_importing_the_core_loads_no_scipy() -> None:
    code = "import sys, core.experiment, core.history, core.exchange; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
