import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.proportion import proportions_ztest

from casework.stats.strata import cochran_q, mantel_haenszel, two_proportion_z

BCG = np.array(
    [
        [[4, 119], [11, 128]],
        [[6, 300], [29, 274]],
        [[3, 228], [11, 209]],
        [[62, 13536], [248, 12619]],
        [[33, 5036], [47, 5761]],
        [[180, 1361], [372, 1079]],
        [[8, 2537], [10, 619]],
        [[505, 87886], [499, 87892]],
        [[29, 7470], [45, 7232]],
        [[17, 1699], [65, 1600]],
        [[186, 50448], [141, 27197]],
        [[5, 2493], [3, 2338]],
        [[27, 16886], [29, 17825]],
    ]
)
"""The 13 trials of BCG vaccine of Colditz et al., JAMA 1994, as in R's metafor (dat.bcg)."""


def test_bcg_as_r_and_stata_have_it():
    """metafor rma.mh: log OR -0.473 [-0.554, -0.393]; RD -0.003288181832613, se by Sato 1989."""
    found = mantel_haenszel(BCG)
    assert found is not None
    assert found.odds_ratio is not None
    logs = [
        math.log(x) for x in (found.odds_ratio.value, found.odds_ratio.low, found.odds_ratio.high)
    ]
    assert logs == pytest.approx([-0.473, -0.554, -0.393], abs=5e-4)
    risk = found.risk_difference
    assert risk.value == pytest.approx(-3.288181832613e-03, abs=1e-14)
    se = (risk.high - risk.low) / 2 / stats.norm.ppf(0.975)
    assert se == pytest.approx(2.866567485273736e-04, abs=1e-12)
    assert risk.n == BCG.sum()


def test_three_small_trials_as_r_has_them():
    """metafor rma.mh(measure="RD") on 21/41, 14/31, 11/23 against 2/12, 12/34, 9/16."""
    tables = [[[21, 20], [2, 10]], [[14, 17], [12, 22]], [[11, 12], [9, 7]]]
    found = mantel_haenszel(tables)
    assert found is not None
    risk = found.risk_difference
    assert (risk.value, risk.low, risk.high) == pytest.approx(
        (0.114863, -0.047325, 0.277052), abs=1e-6
    )


def test_sato_interval_covers_in_sparse_strata():
    rng = np.random.default_rng(1)
    n, covered = np.array([4, 12]), 0
    base = rng.uniform(0.1, 0.6, 60)
    for _ in range(600):
        yes = np.stack([rng.binomial(4, base + 0.2), rng.binomial(12, base)], axis=1)
        found = mantel_haenszel(np.stack([yes, n - yes], axis=2))
        assert found is not None
        covered += not found.risk_difference.excludes(0.2)
    assert stats.binom.ppf(0.001, 600, 0.95) <= covered <= stats.binom.ppf(0.999, 600, 0.95)


def test_one_stratum_is_the_plain_comparison():
    found = mantel_haenszel([[[30, 70], [20, 180]]])
    assert found is not None
    assert found.odds_ratio is not None
    assert found.odds_ratio.value == pytest.approx(30 * 180 / (70 * 20))
    assert found.risk_difference.value == pytest.approx(0.3 - 0.1)
    assert found.differences == pytest.approx((0.2,))
    assert found.pooled_difference == pytest.approx(0.2)
    assert (found.breslow_day_p, found.woolf_chi2, found.woolf_p) == (None, None, None)
    assert not found.simpson_reversal


def test_strata_without_both_arms_are_left_out():
    kept = [[[30, 70], [20, 180]], [[3, 7], [20, 80]]]
    alone = [[[5, 5], [0, 0]]]
    assert mantel_haenszel(kept + alone) == mantel_haenszel(kept)
    assert mantel_haenszel(alone) is None


def test_nothing_happened_is_no_odds_ratio():
    found = mantel_haenszel([[[0, 50], [0, 60]], [[0, 20], [0, 10]]])
    assert found is not None
    assert (found.odds_ratio, found.chi2, found.p, found.breslow_day_p) == (None, None, None, None)
    assert found.pooled_odds_ratio is None
    assert found.risk_difference.value == 0.0


@pytest.mark.parametrize(("k", "n"), [((3, 12), (82, 75)), ((40, 31), (900, 1000))])
def test_two_shares_agree_with_statsmodels(k, n):
    found = two_proportion_z(k, n)
    z, p = proportions_ztest(k[::-1], n[::-1])
    assert (found.z, found.p) == pytest.approx((z, p), rel=1e-9)


def test_two_shares_without_a_ratio():
    assert two_proportion_z((0, 5), (10, 10)).relative_lift is None
    nothing = two_proportion_z((0, 0), (10, 10))
    assert (nothing.z, nothing.p) == (0.0, 1.0)


def test_heterogeneity_agrees_with_statsmodels():
    rng = np.random.default_rng(2)
    effects, variances = rng.normal(size=6), rng.uniform(0.1, 2, 6)
    found = cochran_q(effects, variances)
    other = combine_effects(effects, variances)
    test = other.test_homogeneity()
    assert (found.q, found.df, found.p) == pytest.approx((test.statistic, 5, test.pvalue))
    assert found.i2 == pytest.approx(max(0.0, other.i2))
    assert (found.pooled, found.se) == pytest.approx((other.mean_effect_fe, other.sd_eff_w_fe))


def test_heterogeneity_of_three_regimes():
    found = cochran_q([0.06, 0.01, -0.02], [0.02**2] * 3)
    assert (found.q, found.p, found.i2) == pytest.approx(
        (8.166666666666666, 0.016851201259947515, 0.7551020408163265), abs=1e-9
    )


def test_equal_effects_have_no_heterogeneity():
    found = cochran_q([0.5, 0.5], [1.0, 2.0])
    assert (found.q, found.p, found.i2) == (0.0, 1.0, 0.0)
    nearly = cochran_q([0.5, 0.51, 0.49], [1.0, 1.0, 1.0])
    assert 0 < nearly.q < nearly.df
    assert nearly.i2 == 0.0


@pytest.mark.parametrize(("effects", "variances"), [([1.0], [1.0]), ([1.0, 2.0], [1.0, -1.0])])
def test_heterogeneity_needs_two_measured_effects(effects, variances):
    with pytest.raises(ValueError, match="two or more"):
        cochran_q(effects, variances)
