"""Means of clustered observations: requests inside accounts, answers inside accounts.

The cluster is the unit of analysis. Intervals resample whole clusters; p-values deal the labels
of whole clusters anew.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Z95, Estimate, clopper_pearson, minus
from casework.stats.sign_flips import with_unseen

Floats = NDArray[np.float64]

DRAWS = 1_999
_BLOCK = 200


@dataclass(frozen=True, slots=True)
class Clusters:
    """Sums by cluster: shape (clusters,) each.

    Attributes:
        total: sum of the observations.
        n: number of the observations, or their weight; not all zero.
    """

    total: Floats
    n: Floats

    @property
    def mean(self) -> float:
        """Ratio of the sums, so that every observation counts the same."""
        return float(self.total.sum() / self.n.sum())


@dataclass(frozen=True, slots=True)
class Gap:
    """Mean of the first group minus that of the second.

    Attributes:
        first: mean of the first group with its interval; `n` are clusters.
        second: the same of the second.
        difference: with its interval.
        p: one-sided, for the first to be as much above the second with labels dealt anew.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    p: float


def clusters_of(values: ArrayLike, cluster: ArrayLike) -> Clusters:
    """Sum observations by their cluster, both of shape (observations,)."""
    _, position = np.unique(np.asarray(cluster), return_inverse=True)
    y = np.asarray(values, np.float64)
    counts = np.asarray(np.bincount(position), np.float64)
    return Clusters(np.asarray(np.bincount(position, y), np.float64), counts)


def cluster_mean(clusters: Clusters, seed: int, draws: int = DRAWS) -> Estimate:
    """Mean with a percentile interval of the bootstrap over clusters, widened by Student's t.

    Where all clusters agree in a share, nothing varies; then the interval is the exact one for as
    many units as there are clusters. That of a score in which all agree has no bounds.
    """
    drawn = np.concatenate([*_resampled(clusters, seed, draws)])
    return _estimate(clusters, drawn)


def cluster_gap(first: Clusters, second: Clusters, seed: int, draws: int = DRAWS) -> Gap:
    """Compare two groups of clusters, with an interval and a randomisation test.

    The interval joins those of both means (`minus`), each from the bootstrap over clusters. The
    test deals the labels of the clusters anew, p = (1 + as extreme) / (1 + draws) (Phipson & Smyth
    2010); it is exact where clusters of both groups are alike, however few they are.
    """
    a, b = cluster_mean(first, seed, draws), cluster_mean(second, seed + 1, draws)
    return Gap(a, b, minus(a, b), _randomised(first, second, seed, draws))


def cluster_difference(first: Clusters, second: Clusters) -> Estimate:
    """Mean of the first group minus that of the second, by the delta method and Student's t.

    Deng, Knoblich & Lu, KDD 2018. Degrees of freedom are those of Welch and Satterthwaite.
    """
    from scipy.stats import t

    parts = [(variance_of_mean(c), len(c.n) - 1) for c in (first, second)]
    variance = sum(v for v, _ in parts)
    value = first.mean - second.mean
    if not variance or any(df < 1 for _, df in parts):
        return Estimate(value, -math.inf, math.inf, len(first.n) + len(second.n))
    df = variance**2 / sum(v * v / d for v, d in parts)
    half = float(t.ppf(0.975, df)) * math.sqrt(variance)
    return Estimate(value, value - half, value + half, len(first.n) + len(second.n))


def change_within(first: Clusters, second: Clusters) -> Estimate:
    """Mean at the second time minus that at the first, of the same clusters in the same order.

    A cluster that was not observed at a time has zeros there; one that was observed at neither
    says nothing. The delta method with Student's t, so that clusters observed twice count as pairs.
    Where all of them changed alike, the interval is what so few cannot show
    (`casework.stats.sign_flips`).
    """
    from scipy.stats import t

    m = int(((first.n > 0) | (second.n > 0)).sum())
    value = second.mean - first.mean
    if m < 3:
        return Estimate(value, -math.inf, math.inf, m)
    e = (second.total - second.mean * second.n) / second.n.sum()
    e = e - (first.total - first.mean * first.n) / first.n.sum()
    half = float(t.ppf(0.975, m - 1)) * math.sqrt(float(e @ e) * m / (m - 1))
    found = Estimate(value, value - half, value + half, m)
    return found if half > 1e-9 * abs(value) else with_unseen(found, abs(value))


def variance_of_mean(clusters: Clusters) -> float:
    """Variance of the mean over m clusters: m / (m - 1) sum (Y - R N)^2 / (sum N)^2 (KDD 2018).

    Infinite for one cluster.
    """
    m = len(clusters.n)
    if m < 2:
        return math.inf
    residual = clusters.total - clusters.mean * clusters.n
    return float(residual @ residual) * m / (m - 1) / float(clusters.n.sum()) ** 2


def _resampled(clusters: Clusters, seed: int, draws: int) -> Iterator[Floats]:
    """Means of resampled clusters, in blocks that bound the memory."""
    rng = np.random.default_rng([seed, len(clusters.n)])
    m = len(clusters.n)
    for start in range(0, draws, _BLOCK):
        size = min(_BLOCK, draws - start)
        times = rng.multinomial(m, np.full(m, 1 / m), size).astype(np.float64)
        below = times @ clusters.n
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (times @ clusters.total) / below
        yield np.where(below > 0, means, clusters.mean)


def _randomised(first: Clusters, second: Clusters, seed: int, draws: int) -> float:
    rng = np.random.default_rng([seed, 7])
    total = np.concatenate([first.total, second.total])
    n = np.concatenate([first.n, second.n])
    k, seen, extreme = len(first.n), first.mean - second.mean, 0
    tie = 1e-9 * float(np.abs(total).sum() / n.sum())
    for start in range(0, draws, _BLOCK):
        size = min(_BLOCK, draws - start)
        order = np.argsort(rng.random((size, len(n))), axis=1)
        one, weight = total[order[:, :k]].sum(axis=1), n[order[:, :k]].sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = one / weight - (total.sum() - one) / (n.sum() - weight)
        # a deal that leaves a group nothing cannot be compared; it counts as extreme
        extreme += int((~(gap < seen - tie)).sum())
    return (1 + extreme) / (1 + draws)


def _estimate(clusters: Clusters, drawn: Floats) -> Estimate:
    value, m = clusters.mean, len(clusters.n)
    shares = bool(((clusters.total >= 0) & (clusters.total <= clusters.n)).all())
    if np.ptp(drawn) < 1e-12:
        if not shares:
            return Estimate(value, -math.inf, math.inf, m)
        exact = clopper_pearson(round(value * m), m)
        return Estimate(value, min(value, exact.low), max(value, exact.high), m)
    low, high = _percentiles(drawn)
    wide = _widening(m)
    low, high = value - (value - low) * wide, value + (high - value) * wide
    if shares:
        low, high = max(0.0, low), min(1.0, high)
    return Estimate(value, low, high, m)


def _percentiles(drawn: Floats) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _widening(m: int) -> float:
    """Student's t in place of the normal, and the degree of freedom that the bootstrap forgets."""
    from scipy.stats import t

    return float(t.ppf(0.975, m - 1)) / Z95 * math.sqrt(m / (m - 1))
