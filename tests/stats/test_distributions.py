"""Distances of two samples, against scipy and against what chance gives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casework.stats.distributions import column_drift, dkw, psi, psi_null

values = st.lists(st.integers(-20, 20).map(lambda x: x / 4), min_size=2, max_size=60)


@given(values, values)
def test_drift_is_what_scipy_gives(old: list[float], new: list[float]) -> None:
    """With ties and samples of other sizes too."""
    (drift,) = column_drift({"a": old}, {"a": new})
    expected = stats.ks_2samp(old, new, method="asymp")
    assert drift.ks == pytest.approx(expected.statistic)
    assert drift.p == pytest.approx(expected.pvalue)
    distance = stats.wasserstein_distance(old, new)
    if np.std(old) > 0:
        assert drift.wasserstein == pytest.approx(distance / np.std(old))
    else:
        assert drift.wasserstein is None


@given(values)
def test_a_column_does_not_drift_from_itself(old: list[float]) -> None:
    (drift,) = column_drift({"a": old}, {"a": old})
    assert drift.ks == 0
    assert drift.psi == pytest.approx(0)
    assert drift.p == pytest.approx(1)


def test_missing_values_are_counted_and_left_out() -> None:
    old, new = [1.0, 2.0, math.nan, 3.0], [1.0, 2.0, 3.0, math.inf]
    (drift,) = column_drift({"a": old, "b": [math.nan] * 4}, {"a": new, "b": new})
    assert drift.missing == (0.25, 0.25)
    assert drift.n == (3, 3)
    assert drift.ks == 0


def test_the_index_stays_below_its_critical_value_19_times_in_20() -> None:
    rng = np.random.default_rng(1)
    beyond = 0
    for _ in range(400):
        (drift,) = column_drift({"a": rng.normal(size=400)}, {"a": rng.normal(size=300)})
        beyond += drift.psi > drift.psi_critical
    assert 8 <= beyond <= 34  # 20 expected


def test_an_empty_bin_on_one_side_is_infinite() -> None:
    assert psi([0.5, 0.5, 0], [0.5, 0, 0.5]) == math.inf
    assert psi([0.5, 0.5, 0], [0.5, 0.5, 0]) == 0


@pytest.mark.parametrize("call", [lambda: dkw(0), lambda: psi_null(1, 10, 10)])
def test_nonsense_is_refused(call: object) -> None:
    with pytest.raises(ValueError, match=r"at least|needs"):
        call()  # type: ignore[operator]
