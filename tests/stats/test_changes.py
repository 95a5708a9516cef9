import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from casework.stats.changes import mean_change


def of(changes):
    d = np.asarray(changes, float)
    return mean_change(len(d), float(d.sum()), float((d * d).sum()))


@given(st.lists(st.floats(-5, 5, width=32), min_size=3, max_size=60))
def test_it_is_the_paired_t_test(changes):
    if np.ptp(changes) < 1e-3:
        return
    found, reference = of(changes), ttest_rel(changes, np.zeros(len(changes)))
    assert found.p == pytest.approx(reference.pvalue, abs=1e-9)
    interval = reference.confidence_interval()
    assert (found.estimate.low, found.estimate.high) == pytest.approx(
        (interval.low, interval.high), abs=1e-7
    )


def test_equal_changes_are_judged_by_their_sign():
    assert of([0.0] * 5).p == 1.0
    assert of([0.5] * 6).p == pytest.approx(2 / 2**6)
    assert of([1e-12] * 6).p == pytest.approx(2 / 2**6)
    with pytest.raises(ValueError, match="two items"):
        mean_change(1, 0.0, 0.0)


@given(st.floats(-5, 5).filter(lambda x: abs(x) > 1e-6), st.integers(2, 300))
def test_equal_changes_are_equal_whatever_their_sums_round_to(change, n):
    found = mean_change(n, sum([change] * n), sum([change * change] * n))
    assert found.p == pytest.approx(2 / 2.0**n)
    assert found.estimate.excludes(0) == (found.p < 0.05)
    assert found.estimate.low < found.estimate.high
