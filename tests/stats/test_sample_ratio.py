import math

import numpy as np
import pytest
from scipy import integrate, stats
from statsmodels.stats.gof import chisquare_effectsize

from casework.stats.sample_ratio import sample_ratio, seed_collision, sequential_sample_ratio


def test_three_arms_agree_with_statsmodels_and_the_formula():
    counts, weights = (5012, 2391, 2597), (2, 1, 1)
    found = sample_ratio(counts, weights)
    expected = np.array([5000, 2500, 2500])
    chi2 = ((np.array(counts) - expected) ** 2 / expected).sum()
    assert found.chi2 == pytest.approx(chi2, rel=1e-12)
    assert found.p == pytest.approx(stats.chi2.sf(chi2, 2), rel=1e-9)
    shares = np.array(counts) / 10_000
    assert found.cohens_w == pytest.approx(
        chisquare_effectsize(expected / 10_000, shares), rel=1e-9
    )
    assert found.ratio is None


def test_ratio_is_second_arm_per_first():
    assert sample_ratio((400, 100), (0.8, 0.2)).ratio == 0.25
    assert sample_ratio((0, 100), (0.5, 0.5)).ratio is None


def test_a_split_more_even_than_chance_has_p_near_one():
    assert sample_ratio((50_000, 50_000), (1, 1)).p == 1.0


@pytest.mark.parametrize(
    ("counts", "expected"), [((1, 2), (1, 0)), ((0, 0), (1, 1)), ((5,), (1,)), ((1, 2, 3), (1, 1))]
)
def test_what_cannot_be_tested_is_refused(counts, expected):
    with pytest.raises(ValueError, match="needs"):
        sample_ratio(counts, expected)


def test_marginal_likelihood_is_the_integral_over_the_shares():
    counts, alpha = (37, 21), (8.0, 4.0)
    found = sequential_sample_ratio([counts], (2, 1), alpha)

    def likelihood(share: float) -> float:
        return stats.binom.pmf(counts[0], sum(counts), share) * stats.beta.pdf(share, *alpha)

    integral, _ = integrate.quad(likelihood, 0, 1, epsabs=1e-14)
    assert found.log_m1[0] == pytest.approx(math.log(integral), abs=1e-9)
    assert found.log_m0[0] == pytest.approx(stats.binom.logpmf(37, 58, 2 / 3), abs=1e-9)


def test_the_evidence_does_not_depend_on_how_often_one_looks():
    rng = np.random.default_rng(5)
    looks = rng.multinomial(300, [0.5, 0.3, 0.2], size=40)
    often = sequential_sample_ratio(looks, (0.5, 0.3, 0.2))
    once = sequential_sample_ratio([looks.sum(axis=0)], (0.5, 0.3, 0.2))
    assert often.log_bayes_factor[-1] == pytest.approx(once.log_bayes_factor[0], abs=1e-8)
    assert np.all(np.diff(often.p) <= 0)


def test_looking_daily_keeps_the_false_alarms_and_finds_the_mismatch():
    """Ville's inequality bounds the chance of p <= 0.05 at any look by 0.05."""
    rng = np.random.default_rng(11)

    def alarms(share: float) -> int:
        runs = rng.binomial(5000, share, size=(400, 30))
        tests = (sequential_sample_ratio(np.stack([5000 - t, t], 1), (0.9, 0.1)) for t in runs)
        return sum(test.p[-1] <= 0.05 for test in tests)

    assert alarms(0.1) <= stats.binom.ppf(0.999, 400, 0.05)
    assert alarms(0.104) >= 380


def test_salts_from_a_small_pool_collide():
    rng = np.random.default_rng(2)
    draws = np.sort(rng.integers(0, 100, size=(20_000, 12)), axis=1)
    collided = (np.diff(draws, axis=1) == 0).any(axis=1).mean()
    assert seed_collision(100, 12) == pytest.approx(collided, abs=0.015)
    assert seed_collision(10, 11) == 1.0
    assert seed_collision(10, 1) == 0.0
