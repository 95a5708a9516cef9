import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.oaxaca import OaxacaBlinder

from casework.stats.composition import (
    chance_band,
    evaporated_share,
    independence,
    kish,
    kish_from_sums,
    kitagawa,
    standardised_difference,
    standardised_difference_of_shares,
    standardised_interval,
    transport,
    transport_interval,
)
from casework.stats.estimates import Estimate
from casework.stats.lift import difference_of_means


def test_standardised_difference_is_cohens_d_for_equal_arms():
    """With arms of one size the spread averaged over the arms is the pooled one."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 2, 300), rng.normal(0.5, 3, 300)
    d = standardised_difference(a.mean(), a.var(ddof=1), b.mean(), b.var(ddof=1))
    t = stats.ttest_ind(a, b).statistic
    assert d == pytest.approx(t * math.sqrt(2 / 300), rel=1e-12)


def test_yes_or_no_covariates_without_variation():
    assert standardised_difference_of_shares(0.0, 0.0) == 0.0
    assert standardised_difference_of_shares(1.0, 0.0) == math.inf
    assert standardised_difference_of_shares(0.0, 1.0) == -math.inf


@pytest.mark.parametrize(("d", "n1", "n0"), [(0.12, 500, 9500), (0.8, 400, 600), (-0.3, 900, 900)])
def test_interval_agrees_with_the_variance_of_statsmodels(d, n1, n0):
    """Its variance has the same form with the small-sample n - 3.94, here within 0.4 %."""
    found = standardised_interval(d, n1, n0)
    _, variance = effectsize_smd(d, 1.0, n1, 0.0, 1.0, n0)
    half = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert (found.value, found.n) == (d, n1 + n0)
    assert found.high - d == pytest.approx(half, rel=0.002)
    assert d - found.low == pytest.approx(half, rel=0.002)


def test_chance_band_holds_random_arms():
    rng = np.random.default_rng(3)
    x = rng.exponential(size=2000)
    differences = []
    for _ in range(1000):
        order = rng.permutation(x)
        t, c = order[:100], order[100:]
        differences.append(standardised_difference(t.mean(), t.var(), c.mean(), c.var()))
    inside = np.abs(differences) < chance_band(100, 1900)
    assert 0.92 < inside.mean() < 0.98


@given(st.lists(st.floats(0.01, 1000), min_size=1, max_size=50))
def test_effective_units_lie_between_one_and_all(weights):
    n_eff = kish(weights)
    assert 1 - 1e-9 <= n_eff <= len(weights) + 1e-9
    squares = sum(w * w for w in weights)
    assert kish_from_sums(sum(weights), squares) == pytest.approx(n_eff)


def test_effective_units_give_the_variance_of_a_weighted_mean():
    rng = np.random.default_rng(4)
    w = rng.lognormal(size=500)
    means = rng.normal(size=(4000, 500)) @ w / w.sum()
    assert means.var() == pytest.approx(1 / kish(w), rel=0.1)
    assert kish_from_sums(0.0, 0.0) == 0.0


def test_kitagawa_agrees_with_oaxaca_and_blinder():
    """Kitagawa shares the interaction of the three-fold decomposition out in halves."""
    rng = np.random.default_rng(7)
    group, arm = rng.integers(0, 2, 4000), rng.integers(0, 2, 4000)
    group = np.where(arm == 1, group | (rng.random(4000) < 0.3), group)
    y = 1.0 + 2.0 * group + 0.5 * arm + 0.7 * group * arm
    cells = {}
    for g, a in ((0, 0), (1, 0), (0, 1), (1, 1)):
        inside = (group == g) & (arm == a)
        cells[g, a] = inside.sum() / (arm == a).sum(), y[inside].mean()
    (w_t, y_t), (w_c, y_c) = (zip(*(cells[g, a] for g in (0, 1)), strict=True) for a in (1, 0))
    found = kitagawa(list(w_t), list(w_c), list(y_t), list(y_c))
    model = OaxacaBlinder(y, np.stack([arm, group], 1).astype(float), 0, hasconst=False)
    endowments, coefficients, interaction, gap = model.three_fold().params
    sign = math.copysign(1, gap) * math.copysign(1, found.total)
    assert sign * found.total == pytest.approx(gap)
    assert sign * found.composition == pytest.approx(endowments + interaction / 2)
    assert sign * found.rate == pytest.approx(coefficients + interaction / 2)


def test_transport_interval_agrees_with_the_variance_of_a_weighted_sum():
    rng = np.random.default_rng(8)
    shares, effects, variance = (0.1, 0.6, 0.3), [], 0.0
    for share in shares:
        n = (400, 500)
        effect = difference_of_means(n, (0.0, rng.normal()), (1.3, 2.1))
        variance += share**2 * ((effect.high - effect.low) / 2) ** 2
        effects.append(effect)
    found = transport_interval([w * 50_000 for w in shares], effects)
    assert found.value == pytest.approx(
        sum(w * e.value for w, e in zip(shares, effects, strict=True))
    )
    assert found.high - found.value == pytest.approx(math.sqrt(variance))
    assert found.value - found.low == pytest.approx(math.sqrt(variance))
    assert found.n == 2700


def test_transport_keeps_asymmetry_and_leaves_out_strata_of_no_weight():
    strata = [Estimate(0.2, 0.1, 0.5, 10), Estimate(math.nan, math.nan, math.nan, 0)]
    found = transport_interval((1, 0), strata)
    assert (found.low, found.high, found.n) == pytest.approx((0.1, 0.5, 10))


def test_a_stratum_never_observed_cannot_be_transported_to():
    with pytest.raises(ValueError, match="not observed"):
        transport((0.5, 0.5), (0.1, math.nan))
    assert transport((0.5, 0.0), (0.1, math.nan)) == pytest.approx(0.1)
    assert evaporated_share(0.0, 0.1) is None


def test_independence_agrees_with_the_formula_and_cramer():
    table = np.array([[30, 10], [0, 0], [20, 40]])
    found = independence(table)
    kept = table[[0, 2]]
    expected = np.outer(kept.sum(axis=1), kept.sum(axis=0)) / 100
    chi2 = ((kept - expected) ** 2 / expected).sum()
    assert found is not None
    assert found.chi2 == pytest.approx(chi2)
    assert found.df == 1
    assert found.p == pytest.approx(stats.chi2.sf(chi2, 1))
    assert found.cramers_v == pytest.approx(stats.contingency.association(kept, method="cramer"))


def test_one_filled_column_says_nothing():
    assert independence([[5, 0], [7, 0]]) is None
    assert independence(np.zeros((3, 2))) is None
