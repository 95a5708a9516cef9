import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as reference

from casework.stats.paired import (
    Pairs,
    discordant_bounds,
    mcnemar,
    newcombe_paired,
    noninferiority_pairs,
    tango,
)

cells = st.integers(0, 60)
tables = st.builds(lambda *c: c, cells, cells, cells, cells).filter(any)


@given(tables)
def test_p_values_agree_with_statsmodels(table):
    found = mcnemar(Pairs(*table))
    square = [[table[0], table[1]], [table[2], table[3]]]
    assert found.exact == pytest.approx(reference(square, exact=True).pvalue, abs=1e-12)
    if table[1] + table[2]:
        plain = reference(square, exact=False, correction=False)
        assert found.asymptotic == pytest.approx(plain.pvalue, abs=1e-12)
    assert 0 <= found.mid <= 1


@given(st.integers(1, 60))
def test_the_mid_p_is_largest_where_as_many_fall_as_rise(n):
    """1 - pmf / 2 at equality: Fagerland, Lydersen & Laake, BMC Med. Res. Methodol. 2013;13:91."""
    p = [mcnemar(Pairs(0, b, 2 * n - b, 0)).mid for b in range(2 * n + 1)]
    assert max(p) == p[n] == pytest.approx(1 - binom.pmf(n, 2 * n, 0.5) / 2)
    assert p == pytest.approx(p[::-1])
    assert p[: n + 1] == pytest.approx(sorted(p[: n + 1]))


@given(tables)
@pytest.mark.parametrize("interval", [tango, newcombe_paired])
def test_intervals_hold_the_difference_and_turn_with_the_order(interval, table):
    both, first, second, neither = table
    found = interval(Pairs(*table))
    turned = interval(Pairs(both, second, first, neither))
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


@pytest.mark.parametrize("interval", [tango, newcombe_paired])
def test_intervals_cover(interval):
    """Cells drawn from one distribution: about 95 in 100 intervals hold the true difference."""
    rng = np.random.default_rng(5)
    drawn = rng.multinomial(80, (0.55, 0.2, 0.1, 0.15), size=1500)
    held = [e.low <= -0.1 <= e.high for e in (interval(Pairs(*map(int, d))) for d in drawn)]
    assert 0.93 <= np.mean(held) <= 0.98


def test_pairs_must_be_pairs():
    for wrong in ((0, 0, 0, 0), (-1, 2, 0, 0)):
        with pytest.raises(ValueError, match="pairs"):
            Pairs(*wrong)
    with pytest.raises(ValueError, match="margin"):
        noninferiority_pairs(0.05, 0)
    with pytest.raises(ValueError, match="totals"):
        discordant_bounds(5, 11, 10)


@given(tables)
def test_bounds_of_what_changed_hold_the_truth(table):
    pairs = Pairs(*table)
    first, second = discordant_bounds(pairs.first, pairs.second, pairs.n)
    assert first[0] <= pairs.only_first <= first[1]
    assert second[0] <= pairs.only_second <= second[1]


def test_fewer_pairs_are_needed_for_a_wider_margin():
    assert noninferiority_pairs(0.05, 0.1) == math.ceil(noninferiority_pairs(0.05, 0.05) / 4)
