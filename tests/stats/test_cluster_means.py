"""Means of clusters: levels that hold, whatever the size of the clusters."""

import numpy as np
import pytest
from statsmodels.api import OLS

from casework.stats.cluster_means import (
    Clusters,
    change_within,
    cluster_difference,
    cluster_gap,
    cluster_mean,
    clusters_of,
)


def drawn(rng: np.random.Generator, m: int, mean: float) -> Clusters:
    """Accounts of very unequal size, each with a share of its own about the mean."""
    size = np.maximum(1, rng.lognormal(1.5, 0.8, m)).astype(int)
    share = rng.beta(mean * 4, (1 - mean) * 4, m)
    return Clusters(rng.binomial(size, share).astype(float), size.astype(float))


def test_clusters_are_sums_of_their_observations() -> None:
    found = clusters_of([1, 0, 1, 1], ["a", "b", "a", "b"])
    assert found.total.tolist() == [2, 1]
    assert found.n.tolist() == [2, 2]
    assert found.mean == 0.75


@pytest.mark.parametrize("m", [12, 60])
def test_the_gap_covers_and_its_test_keeps_its_level(m: int) -> None:
    rng = np.random.default_rng(m)
    inside, alarms, rounds = 0, 0, 150
    for seed in range(rounds):
        gap = cluster_gap(drawn(rng, 80, 0.7), drawn(rng, m, 0.7), seed, draws=199)
        inside += gap.difference.low <= 0 <= gap.difference.high
        alarms += gap.p <= 0.05
    # the ratio of a few unequal clusters is biased a little; 150 rounds scatter by 1.8 points
    assert inside / rounds > 0.88
    assert alarms / rounds < 0.12


def test_a_group_that_does_not_vary_is_not_certain() -> None:
    none = Clusters(np.zeros(20), np.full(20, 5.0))
    found = cluster_mean(none, 1)
    assert found.value == 0
    assert found.high == pytest.approx(0.168, abs=0.001)  # Clopper-Pearson, 0 of 20
    half = cluster_mean(Clusters(np.full(6, 2.0), np.full(6, 4.0)), 1)
    assert half.low < 0.2 < 0.5 < 0.8 < half.high
    every = Clusters(np.full(20, 5.0), np.full(20, 5.0))
    gap = cluster_gap(every, none, 1)
    assert gap.difference.low < 0.8
    assert gap.p < 0.01


def test_one_account_cannot_be_told_from_chance() -> None:
    rng = np.random.default_rng(1)
    gap = cluster_gap(drawn(rng, 50, 0.9), drawn(rng, 1, 0.2), 1, draws=199)
    assert gap.p > 0.005
    assert not np.isfinite(gap.difference.low) or gap.difference.low < 0


def test_the_delta_method_is_that_of_clustered_least_squares() -> None:
    rng = np.random.default_rng(2)
    groups = drawn(rng, 70, 0.6), drawn(rng, 50, 0.5)
    y, arm, account = [], [], []
    for g, clusters in enumerate(groups):
        for i, (total, n) in enumerate(zip(clusters.total, clusters.n, strict=True)):
            y += [1.0] * int(total) + [0.0] * int(n - total)
            arm += [g] * int(n)
            account += [1_000 * g + i] * int(n)
    design = np.stack([np.ones(len(arm)), np.array(arm)], axis=1)
    fitted = OLS(np.array(y), design).fit(
        cov_type="cluster", cov_kwds={"groups": np.array(account), "use_correction": False}
    )
    found = cluster_difference(groups[1], groups[0])
    assert found.value == pytest.approx(fitted.params[1])
    assert (found.high - found.low) / 2 == pytest.approx(1.98 * fitted.bse[1], rel=0.03)


def test_the_same_clusters_twice_are_pairs() -> None:
    rng = np.random.default_rng(4)
    first = drawn(rng, 60, 0.5)
    second = Clusters(first.total + 0.0, first.n + 0.0)
    change = change_within(first, second)
    assert change.value == 0
    assert change.high == pytest.approx(0, abs=1e-12)
    apart = cluster_difference(first, second)
    assert apart.high > 0.05


def test_clusters_observed_at_neither_time_say_nothing() -> None:
    rng = np.random.default_rng(6)
    first, second = drawn(rng, 6, 0.6), drawn(rng, 6, 0.4)
    among = [Clusters(*(np.concatenate([part, np.zeros(94)]) for part in (one.total, one.n)))
             for one in (first, second)]  # fmt: skip
    assert change_within(*among) == change_within(first, second)


def test_one_cluster_says_nothing_of_the_interval_of_a_score() -> None:
    for accounts in (["a"] * 4, list("aabb")):
        found = cluster_mean(clusters_of([3.0, 5.0, 4.0, 4.0], accounts), seed=1)
        assert (found.value, found.n) == (4.0, len(set(accounts)))
        assert (found.low, found.high) == (-np.inf, np.inf)


@pytest.mark.parametrize(("m", "certain"), [(3, False), (5, False), (8, True)])
def test_few_clusters_that_changed_alike_are_not_certain(m: int, certain: bool) -> None:
    up, n = np.full(m, 3.0), np.full(m, 3.0)
    change = change_within(Clusters(up, n), Clusters(-up, n))
    assert change.value == -2
    assert change.high > change.value
    assert change.excludes(0) == certain


def test_ties_are_ties_on_any_scale_and_what_cannot_be_compared_is_extreme() -> None:
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 3, m).astype(float) for m in (6, 5))

    def p(scale: float) -> float:
        groups = (Clusters(y * scale, np.ones(len(y))) for y in (first, second))
        return cluster_gap(*groups, seed=0).p

    assert p(1.0) == p(1e8 / 3) == p(1e-14 / 3)
    nothing = Clusters(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert cluster_gap(nothing, Clusters(np.array([0.0, 0.0]), np.array([1.0, 0.0])), 1).p > 0.5
