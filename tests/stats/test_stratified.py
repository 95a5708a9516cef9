import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.estimates import p_above, wilson
from casework.stats.stratified import Stratum, stratified_share, wilson_limits


def stratum(weights, values, sample):
    w, y = np.asarray(weights, float), np.asarray(values, float)
    ws, ys = w[sample], y[sample]
    return Stratum(w.sum(), len(w), len(ws), ws.sum(), (ws**2).sum(), (ws * ys).sum(),
                   (ws**2 * ys).sum(), (ws**2 * ys**2).sum())  # fmt: skip


@given(st.integers(1, 300), st.data())
def test_limits_are_those_of_wilson(n, data):
    k = data.draw(st.integers(0, n))
    low, high = wilson_limits(k / n, n)
    exact = wilson(k, n)
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_a_census_has_no_error():
    whole = stratum([1, 2, 3], [1, 0, 1], [0, 1, 2])
    found = stratified_share([whole])
    assert (found.estimate.value, found.estimate.low, found.estimate.high) == (4 / 6, 4 / 6, 4 / 6)
    assert math.isinf(found.effective)
    doubted = stratified_share([whole], reliability=0.8).estimate
    assert doubted.low < found.estimate.value < doubted.high


def test_a_stratum_without_a_sample_may_hold_any_share():
    seen, unseen = stratum([1] * 60, [0] * 60, range(60)), stratum([1] * 40, [1] * 40, [])
    found = stratified_share([seen, unseen])
    assert (found.estimate.low, found.estimate.high) == pytest.approx((0, 0.4))
    assert found.covered == pytest.approx(0.6)
    assert stratified_share([unseen]) is None
    assert stratified_share([]) is None


def test_a_part_is_a_share_of_the_whole():
    part = stratum([1] * 10, [1] * 10, range(10))
    assert stratified_share([part], whole=100.0).estimate.value == pytest.approx(0.1)


@pytest.mark.parametrize("heavy", [1.0, 8.0])
@pytest.mark.parametrize("shares", [(0.02, 0.05, 0.9), (0.2, 0.5, 0.35), (0.0, 0.01, 0.03)])
def test_intervals_cover_a_finite_set(shares, heavy):
    """Three strata of a set, one small; rows that are hits weigh more where `heavy`."""
    rng, sizes = np.random.default_rng(9), (600, 250, 40)
    held = []
    for _ in range(400):
        strata, total, weight = [], 0.0, 0.0
        for n, p in zip(sizes, shares, strict=True):
            y = (rng.random(n) < p).astype(float)
            w = np.where(rng.random(n) < 0.3, heavy, 1.0)
            sample = rng.permutation(n)[: n // 4]
            strata.append(stratum(w, y, sample))
            total, weight = total + (w * y).sum(), weight + w.sum()
        found = stratified_share(strata).estimate
        held.append(found.low <= total / weight <= found.high)
    assert np.mean(held) >= 0.92


def test_the_p_value_goes_with_the_interval():
    found = stratified_share([stratum([1] * 400, [1] * 80 + [0] * 320, range(0, 400, 2))]).estimate
    assert p_above(found, found.low - 1e-6) < 0.025
    assert p_above(found, found.low + 1e-6) > 0.025
    assert p_above(found, found.value) == pytest.approx(0.5)
    exact = stratified_share([stratum([1, 1], [1, 0], [0, 1])]).estimate
    assert (p_above(exact, 0.4), p_above(exact, 0.5)) == (0.0, 1.0)
