from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casework.stats.buckets import buckets
from casework.stats.estimates import wilson
from casework.stats.occupancy import occupancy


def test_one_group_is_the_test_of_scipy():
    counts = [20, 31, 18, 25, 26]
    found = occupancy([counts])
    assert found.p == pytest.approx(stats.chisquare(counts).pvalue, rel=1e-9)
    assert (found.filled, found.buckets, found.n) == (5, 5, 120)


def test_groups_are_compared_with_their_own_mean():
    rng = np.random.default_rng(3)
    few, many = rng.multinomial(200, [0.1] * 10), rng.multinomial(9000, [0.05] * 20)
    together = stats.chisquare(few).statistic + stats.chisquare(many).statistic
    assert occupancy([few, many]).p == pytest.approx(stats.chi2.sf(together, 9 + 19), rel=1e-9)


@pytest.mark.parametrize(("n", "k"), [(1, 4), (3, 3), (5, 2), (4, 6)])
def test_as_many_are_filled_by_chance_as_over_all_ways_to_fill_them(n, k):
    ways = [len(set(way)) for way in product(range(k), repeat=n)]
    counts = [n] + [0] * (k - 1)
    assert occupancy([counts]).expected == pytest.approx(sum(ways) / len(ways))


def test_snowflakes_reach_a_quarter_of_the_buckets():
    """METHODS 1-A: ids that are multiples of 4,096 reach 25 of 100 by their remainder."""
    ids = [str((ms << 22) | (worker << 12)) for ms in range(2000) for worker in range(4)]
    counts = np.bincount(buckets(ids, "", "mod"), minlength=100)
    found = occupancy([counts])
    assert (found.filled, found.buckets) == (25, 100)
    assert found.expected == pytest.approx(100)
    assert found.p == pytest.approx(0, abs=1e-12)


def test_ids_in_sequence_fill_more_evenly_than_chance():
    counts = np.bincount(buckets([str(i) for i in range(10_000)], "", "mod"), minlength=100)
    assert occupancy([counts]).p == 1.0


def test_buckets_of_a_hash_have_uniform_p_values():
    rng = np.random.default_rng(11)
    found = [occupancy([rng.multinomial(n, [1 / k] * k)]).p
             for n, k in [(2000, 100), (150, 100), (40, 7)] for _ in range(150)]  # fmt: skip
    low = sum(p is not None and p < 0.05 for p in found)
    high = sum(p is not None and p > 0.95 for p in found)
    for alarms in (low, high):
        seen = wilson(alarms, len(found), 0.999)
        assert seen.low <= 0.05 <= seen.high


def test_too_few_are_not_tested():
    assert occupancy([[1, 0, 2, 1]]).p is None
    assert occupancy([[9]]).p is None
    assert occupancy([]).p is None
    assert occupancy([[0, 0]]).filled == 0


@given(st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=30), max_size=3))
def test_any_counts_give_an_answer(groups):
    found = occupancy(groups)
    assert 0 <= found.filled <= found.buckets
    assert found.expected <= min(found.buckets, found.n) + 1e-9
    assert found.p is None or 0 <= found.p <= 1
    assert occupancy(groups[::-1]).n == found.n
