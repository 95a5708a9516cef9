import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.stats.contingency_tables import mcnemar as reference

from casework.stats.paired import (
    Pairs,
    discordant_bounds,
    matched_odds_ratio,
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


def test_matched_odds_ratio_of_a_published_table():
    """The example of Fay's `exact2x2`: 2 and 9 discordant pairs give 0.222 (0.0234 to 1.0736)."""
    found = matched_odds_ratio(Pairs(21, 2, 9, 12))
    assert found.value == pytest.approx(2 / 9)
    assert (found.low, found.high) == pytest.approx((0.02336464, 1.07363844), abs=1e-7)
    assert found.n == 11


def test_matched_odds_ratio_is_that_of_conditional_logistic_regression():
    pairs = Pairs(7, 24, 9, 5)
    table = [(1, 0)] * 24 + [(0, 1)] * 9  # of the others it makes no use
    answers = np.array(table, float).ravel()
    is_first = np.tile([[1.0], [0.0]], (len(table), 1))
    groups = np.repeat(np.arange(len(table)), 2)
    model = ConditionalLogit(answers, is_first, groups=groups).fit(disp=False)
    assert matched_odds_ratio(pairs).value == pytest.approx(np.exp(model.params[0]), rel=1e-3)


@given(tables)
def test_the_odds_exclude_one_where_the_exact_test_rejects(table):
    both, first, second, neither = table
    found = matched_odds_ratio(Pairs(*table))
    if not first + second:
        assert found is None
        return
    assert 0 <= found.low <= found.value <= found.high
    assert (found.low > 1 or found.high < 1) == (mcnemar(Pairs(*table)).exact < 0.05)
    turned = matched_odds_ratio(Pairs(both, second, first, neither))
    assert turned.low * found.high == pytest.approx(1) or math.isinf(found.high)
