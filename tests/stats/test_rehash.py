import itertools

import numpy as np
import pytest
from scipy import stats

from casework.stats.rehash import rehash_test


def standardised(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(axis=0)) / x.std(axis=0)


def in_buckets(x: np.ndarray, bucket: np.ndarray, k: int):
    """Counts, sums and squares per micro-bucket, as the database gives them."""
    sums, squares = np.zeros((2, k, x.shape[1]))
    np.add.at(sums, bucket, x)
    np.add.at(squares, bucket, x**2)
    return np.bincount(bucket, minlength=k), sums, squares


def differences(x: np.ndarray, treated: np.ndarray) -> np.ndarray:
    t, c = x[treated], x[~treated]
    gap = t.mean(axis=0) - c.mean(axis=0)
    return gap / np.sqrt((t.var(axis=0, ddof=1) + c.var(axis=0, ddof=1)) / 2)


def simulated_p(rng, draw, n: int, k: int, share: float, runs: int) -> np.ndarray:
    """P-values of experiments with a perfect hash, each with its own units and micro-buckets."""
    p = np.empty(runs)
    for run in range(runs):
        x = standardised(draw(rng, n))
        sums = in_buckets(x, rng.integers(0, k, n), k)
        seen = differences(x, rng.random(n) < share)
        p[run] = rehash_test(*sums, share, seen, draws=199, seed=run).p
    return p


_LONGEST = "forty correlated"
NULLS = {
    "one normal": (lambda rng, n: rng.normal(size=(n, 1)), 1000, 0.5),
    "heavy tails, small canary": (lambda rng, n: rng.lognormal(0, 1.6, (n, 3)), 2000, 0.05),
    _LONGEST: (
        lambda rng, n: rng.lognormal(size=(n, 40)) + rng.lognormal(size=(n, 1)),
        1500,
        0.2,
    ),
    "rare flag": (
        lambda rng, n: (rng.random((n, 1)) < 0.02) * 1.0 + rng.normal(0, 1e-3, (n, 1)),
        2000,
        0.1,
    ),
}


@pytest.mark.parametrize(
    "null",
    [*[name for name in NULLS if name != _LONGEST], pytest.param(_LONGEST, marks=pytest.mark.slow)],
)
def test_p_is_uniform_when_the_hash_is_sound(null):
    draw, n, share = NULLS[null]
    p = simulated_p(np.random.default_rng(42), draw, n, 250, share, 300)
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert stats.binomtest(int((p <= 0.05).sum()), 300, 0.05).pvalue > 0.001


@pytest.mark.slow
@pytest.mark.parametrize(
    "null",
    [*[name for name in NULLS if name != _LONGEST], pytest.param(_LONGEST, marks=pytest.mark.slow)],
)
def test_p_is_uniform_over_many_sound_hashes(null):
    draw, n, share = NULLS[null]
    p = simulated_p(np.random.default_rng(43), draw, n, 1000, share, 2000)
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert 0.037 < (p <= 0.05).mean() < 0.066
    assert 0.005 < (p <= 0.01).mean() < 0.018


def test_agrees_with_all_deals_of_few_units():
    """The exact distribution: 3 of 11 units treated in 7 of 10 deals, 4 of 11 in the others."""
    x = standardised(np.random.default_rng(7).exponential(size=(11, 2)))
    exact = 0.0
    for size, chance in ((3, 0.7), (4, 0.3)):
        deals = [np.isin(np.arange(11), deal) for deal in itertools.combinations(range(11), size)]
        largest = [np.abs(differences(x, treated)).max() for treated in deals]
        exact += chance * np.mean(np.array(largest) >= 0.9)
    sums = in_buckets(x, np.arange(11), 11)
    found = rehash_test(*sums, 3.3 / 11, np.array([0.9, -0.4]), draws=40_000)
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.observed == 0.9


@pytest.mark.parametrize("shift", [0.0, 0.35])
def test_agrees_with_a_permutation_test_of_the_units(shift):
    """Micro-buckets against scipy's permutation of single units, which keeps the arm sizes."""
    rng = np.random.default_rng(8)
    x = rng.lognormal(size=(400, 2))
    treated = rng.random(400) < 0.25
    x[treated] += shift
    x = standardised(x)

    def largest(t: np.ndarray, c: np.ndarray, axis: int) -> np.ndarray:
        t, c = x[t], x[c]  # units by number, so that their covariates stay together
        gap = t.mean(axis=axis - 1) - c.mean(axis=axis - 1)
        spread = (t.var(axis=axis - 1, ddof=1) + c.var(axis=axis - 1, ddof=1)) / 2
        return np.abs(gap / np.sqrt(spread)).max(axis=-1)

    sums = in_buckets(x, rng.integers(0, 150, 400), 150)
    found = rehash_test(*sums, 0.25, differences(x, treated), draws=4999)
    units = np.flatnonzero(treated), np.flatnonzero(~treated)
    other = stats.permutation_test(
        units, largest, n_resamples=4999, alternative="greater", vectorized=True, axis=-1, rng=rng
    )
    assert found.observed == pytest.approx(other.statistic)
    assert found.p == pytest.approx(other.pvalue, abs=0.04)


@pytest.mark.parametrize(("n", "k", "share"), [(3000, 1000, 0.1), (10_000, 300, 0.05)])
def test_quantiles_are_those_of_single_units(n, k, share):
    """Also where a micro-bucket holds dozens of units and only 15 of them are treated."""
    rng = np.random.default_rng(9)
    x = standardised(rng.lognormal(size=(n, 5)))
    sums = in_buckets(x, rng.integers(0, k, n), k)
    found = rehash_test(*sums, share, np.zeros(5), 1999)
    null = [np.abs(differences(x, rng.random(n) < share)).max() for _ in range(1999)]
    assert (found.median, found.q95) == pytest.approx(np.quantile(null, [0.5, 0.95]), rel=0.06)
    assert found.median < found.q95 < found.q99
    assert found.p == 1.0


def test_finds_a_canary_of_power_users():
    """5 % of 10,000 units, one covariate of ten higher by a quarter of a standard deviation."""
    rng = np.random.default_rng(10)
    found = []
    for seed in range(40):
        x = rng.normal(size=(10_000, 10))
        treated = rng.random(10_000) < 0.05
        x[treated, 3] += 0.25
        x = standardised(x)
        sums = in_buckets(x, rng.integers(0, 500, 10_000), 500)
        found.append(rehash_test(*sums, 0.05, differences(x, treated), seed=seed).p)
    assert np.mean(np.array(found) < 0.01) >= 0.9


def test_covariates_known_for_some_units_only():
    """Missing values leave sums and counts alike, so each covariate keeps its own arms."""
    rng = np.random.default_rng(11)
    x = standardised(rng.normal(size=(600, 1)))
    known = rng.random(600) < 0.4
    bucket = rng.integers(0, 200, 600)
    both = np.hstack([x, np.where(known[:, None], x, 0.0)])
    counts, sums, squares = in_buckets(both, bucket, 200)
    of_known = np.bincount(bucket[known], minlength=200)
    seen = np.array([0.01, 0.3])
    found = rehash_test(np.stack([counts, of_known], 1), sums, squares, 0.5, seen)
    assert found.q95 > rehash_test(counts, sums[:, :1], squares[:, :1], 0.5, seen[:1]).q95 * 1.2


def test_same_seed_same_result():
    rng = np.random.default_rng(12)
    x = standardised(rng.normal(size=(500, 2)))
    sums = in_buckets(x, rng.integers(0, 100, 500), 100)
    seen = np.array([0.1, 0.12])
    first = rehash_test(*sums, 0.2, seen, 500, seed=3)
    assert first == rehash_test(*sums, 0.2, seen, 500, seed=3)
    assert first != rehash_test(*sums, 0.2, seen, 500, seed=4)


def test_arms_too_small_to_compare_never_give_evidence():
    x = standardised(np.arange(4.0)[:, None])
    found = rehash_test(*in_buckets(x, np.arange(4), 4), 0.01, np.array([50.0]), draws=99)
    assert found.p == 1.0


def test_a_covariate_that_never_varies_is_balanced():
    counts, zeros = np.full(50, 4), np.zeros((50, 1))
    found = rehash_test(counts, zeros, zeros, 0.5, np.array([0.0]))
    assert (found.p, found.q99) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("share", "seen"), [(0.0, [0.1]), (1.0, [0.1]), (0.5, [np.nan]), (0.5, [0.1, 0.2])]
)
def test_what_cannot_be_tested_is_refused(share, seen):
    with pytest.raises(ValueError, match="needs"):
        rehash_test(np.ones(9), np.ones((9, 1)), np.ones((9, 1)), share, seen)
