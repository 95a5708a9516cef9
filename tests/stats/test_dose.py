"""Whether an effect follows its dose."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.stats.dose import dose_slope

NORRIS = (
    (0.2, 0.1), (337.4, 338.8), (118.2, 118.1), (884.6, 888.0), (10.1, 9.2), (226.5, 228.1),
    (666.3, 668.5), (996.3, 998.5), (448.6, 449.1), (777.0, 778.9), (558.2, 559.2), (0.4, 0.3),
    (0.6, 0.1), (775.5, 778.1), (666.9, 668.8), (338.0, 339.3), (447.5, 448.9), (11.6, 10.8),
    (556.0, 557.7), (228.1, 228.3), (995.8, 998.0), (887.6, 888.8), (120.2, 119.6), (0.3, 0.3),
    (0.3, 0.6), (556.8, 557.6), (339.1, 339.3), (887.2, 888.0), (999.0, 998.5), (779.0, 778.9),
    (11.1, 10.2), (118.3, 117.6), (229.2, 228.9), (669.1, 668.4), (448.9, 449.2), (0.5, 0.2),
)  # fmt: skip
"""Norris, statistical reference data of NIST: x, y."""


def test_the_slope_is_that_of_the_reference_data() -> None:
    """NIST certifies 1.00211681802045 with a standard deviation of 0.000429796848199937."""
    x, y = zip(*NORRIS, strict=True)
    found = dose_slope(x, y)
    assert found is not None
    assert found.value == pytest.approx(1.00211681802045, rel=1e-10)
    t_34 = 2.032244509317719
    assert found.high - found.value == pytest.approx(t_34 * 0.000429796848199937, rel=1e-8)


@settings(max_examples=25)
@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(4, 9), st.integers(0, 99))
def test_the_slope_moves_with_what_is_added(start: float, step: float, n: int, seed: int) -> None:
    dose = np.arange(n) / n
    effect = np.random.default_rng(seed).normal(size=n)
    first, second = dose_slope(dose, effect), dose_slope(dose, effect + start + step * dose)
    assert first is not None
    assert second is not None
    assert second.value == pytest.approx(first.value + step, abs=1e-9)
    assert second.high - second.low == pytest.approx(first.high - first.low, rel=1e-6)


def test_few_runs_or_doses_tell_no_line() -> None:
    assert dose_slope([0, 0.5, 1], [3, 2, 1]) is None
    assert dose_slope([0, 0, 1, 1], [3, 3.1, 1, 1.1]) is None


def test_runs_on_a_line_tell_no_spread() -> None:
    found = dose_slope([0, 0.25, 0.5, 1], [4, 3, 2, 0])
    assert found is not None
    assert found.value == pytest.approx(-4)
    assert math.isinf(found.high)
