import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casework.stats.estimates import upper_if_none
from casework.stats.prediction import (
    FEWEST,
    detectable_gap,
    difference_p,
    fewest_items,
    mean_difference,
    predict,
    runs_to_find,
)

runs = st.lists(st.floats(0, 1), min_size=5, max_size=20)


@given(runs, st.floats(0, 1))
def test_outside_is_what_the_p_value_says(found, score):
    answer = predict(score, found)
    assert answer is not None
    if answer.interval.high - answer.interval.low > 1e-6 and abs(answer.p - 0.05) > 1e-6:
        assert answer.outside == (answer.p < 0.05)
    assert answer.gap.value == pytest.approx(answer.interval.value - score)


def test_hand_computed():
    """k = 5, t = 2.776: mean 0.80, sd 0.01, half width 2.776 x 0.01 x sqrt(1.2)."""
    found = predict(0.83, [0.79, 0.79, 0.80, 0.81, 0.81])
    assert found is not None
    half = 2.7764451 * 0.01 * math.sqrt(1.2)
    assert found.interval.low == pytest.approx(0.80 - half, abs=1e-8)
    assert not found.outside
    assert found.p == pytest.approx(2 * stats.t.sf(0.03 / (0.01 * math.sqrt(1.2)), 4))


def test_it_covers_the_next_run():
    rng = np.random.default_rng(1)
    drawn = rng.normal(0.8, 0.01, (4000, 6))
    inside = [not predict(row[0], row[1:].tolist()).outside for row in drawn]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_few_flips_in_few_items_do_not_make_a_gap():
    """Half a flip a run: the plain interval is often a point, with the spread of the items not."""
    rng = np.random.default_rng(8)
    flips, n, k = rng.poisson(0.5, (2000, 7)) - rng.poisson(0.5, (2000, 7)), 150, 6
    least = math.sqrt(1.0 / n / n)  # two independent Poisson counts of 0.5
    plain = [predict(row[0] / n, (row[1:] / n).tolist()).outside for row in flips]
    held = [
        predict(row[0] / n, (row[1:] / n).tolist(), least_spread=least).outside for row in flips
    ]
    assert len(flips[0]) == k + 1
    assert np.mean(plain) > 0.05
    assert np.mean(held) < 0.05


def test_too_few_runs_have_no_interval():
    assert predict(0.8, [0.8] * 4) is None


def test_runs_that_repeat_each_other():
    same, other = predict(0.8, [0.8] * 5), predict(0.7, [0.8] * 5)
    assert same is not None
    assert other is not None
    assert (same.outside, same.p, other.outside, other.p) == (False, 1.0, True, 0.0)
    rounded = predict(0.9, [0.9] * 5)  # their mean is not 0.9 to the last digit
    assert rounded is not None
    assert (rounded.seen, rounded.spread, rounded.p) == (0.0, 0.0, 1.0)


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=200))
def test_cells_are_the_items(items):
    values, counts = np.unique(items, return_counts=True)
    found = mean_difference(values.tolist(), counts.tolist(), draws=99)
    assert found is not None
    assert found.value == pytest.approx(np.mean(items))
    assert found.low - 1e-9 <= found.value + 1e-9
    assert found.n == len(items)


def test_the_bootstrap_agrees_with_scipy():
    rng = np.random.default_rng(5)
    items = rng.choice([-1.0, -0.2, 0.0, 0.0, 0.0, 0.4], 400)
    values, counts = np.unique(items, return_counts=True)
    found = mean_difference(values.tolist(), counts.tolist(), level=0.9, draws=9_999)
    reference = stats.bootstrap(
        (items,), np.mean, confidence_level=0.9, n_resamples=9_999, method="percentile", rng=rng
    ).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=0.003)


def test_many_different_items_get_the_t_interval_that_they_need():
    rng = np.random.default_rng(6)
    items = rng.normal(0.01, 0.3, 6_000)
    found = mean_difference(items.tolist(), [1] * len(items))
    reference = stats.ttest_1samp(items, 0).confidence_interval()
    assert found is not None
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))


def test_one_item_has_no_interval():
    assert mean_difference([0.5], [1]) is None


def test_items_that_changed_nowhere_leave_open_what_none_of_them_shows():
    found = mean_difference([0.0], [2], size=100.0)
    assert found is not None
    open_to = 100 * upper_if_none(2, 0.975)
    assert (found.low, found.high) == pytest.approx((-open_to, open_to))
    assert fewest_items(0.01, 1.0) == 299
    assert upper_if_none(299) < 0.01 < upper_if_none(298)
    assert fewest_items(1.0, 1.0) == fewest_items(0.99, 1.0) == 2


@pytest.mark.slow
@pytest.mark.parametrize("k", [5, 8, 30])
def test_what_runs_can_find_is_the_power_of_a_t_test_with_one_in_a_group(k):
    from statsmodels.stats.power import TTestIndPower

    other = TTestIndPower().solve_power(nobs1=1, ratio=k, alpha=0.05, power=0.8)
    assert detectable_gap(1.0, k) == pytest.approx(other, rel=1e-3)


def test_a_gap_that_runs_can_find_is_found_80_times_in_100():
    rng = np.random.default_rng(3)
    drawn = rng.normal(0.8, 0.01, (4000, 6))
    gap = detectable_gap(0.01, 5)
    found = [predict(row[0] - gap, row[1:].tolist()).outside for row in drawn]
    assert np.mean(found) == pytest.approx(0.8, abs=0.02)


@given(st.floats(2.85, 20))
def test_the_fewest_runs_that_find_a_gap(ratio):
    k = runs_to_find(ratio, 1.0)
    assert k is not None
    assert detectable_gap(1.0, k) <= ratio
    assert k == FEWEST or detectable_gap(1.0, k - 1) > ratio


def test_a_gap_below_the_spread_of_one_run_is_never_found():
    assert runs_to_find(2.79, 1.0) is None


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 50))
def test_items_right_or_wrong_have_the_exact_p_value_of_mcnemar(worse, better, same):
    p = difference_p([-1.0, 0.0, 1.0], [worse, same, better])
    exact = stats.binomtest(worse, worse + better).pvalue if worse + better else 1.0
    assert p == pytest.approx(exact)


@given(st.integers(0, 60), st.integers(31, 90))
def test_many_items_right_or_wrong_have_nearly_that_of_mcnemar(worse, better):
    p = difference_p([-1.0, 1.0], [worse, better])
    exact = stats.binomtest(worse, worse + better).pvalue
    assert p == pytest.approx(exact, abs=0.006)
