"""Can two samples be told apart? A classifier two-sample test whose units are clusters.

A classifier that learns on some clusters ranks the observations of others. How often it ranks an
observation of the first sample above one of the second is the area under its ROC curve: one half
where the samples are alike (Lopez-Paz & Oquab, ICLR 2017, with the area in place of the accuracy,
as the samples differ in size).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate, clopper_pearson

Floats = NDArray[np.float64]

_FEWEST = 5
"""Clusters of each sample in each half."""


def told_apart(
    features: Any, is_first: ArrayLike, cluster: ArrayLike, seed: int
) -> Estimate | None:
    """Area under the ROC curve of a logistic regression, learnt on one half of the clusters.

    The halves change places and the areas are averaged, so that every observation is ranked once,
    by a classifier that has seen nothing of its cluster (scikit-learn's `LogisticRegression`,
    samples weighted alike). The ends of the intervals are averaged too: what differs between two
    halves by chance misleads both classifiers alike, so both areas err together.

    Args:
        features: rows of numbers, dense or sparse, shape (n, features).
        is_first: whether a row is of the first sample, shape (n,).
        cluster: of each row, shape (n,); a cluster may have rows of both samples.
        seed: of the halves.

    Returns:
        the area with its interval, `n` are clusters; None where a half has fewer than five
        clusters of a sample.
    """
    from sklearn.linear_model import LogisticRegression

    first, (_, place) = np.asarray(is_first, bool), np.unique(cluster, return_inverse=True)
    halves = _halves(first, place, seed)
    found = []
    for test in (halves, ~halves):
        for mine in (first, ~first):
            if len(np.unique(place[test & mine])) < _FEWEST:
                return None
        learnt = LogisticRegression(class_weight="balanced", solver="liblinear").fit(
            features[np.flatnonzero(~test)], first[~test]
        )
        scores = learnt.decision_function(features[np.flatnonzero(test)])
        found.append(area(scores, first[test], place[test]))
    value, low, high = (sum(ends) / 2 for ends in zip(*(_ends(one) for one in found), strict=True))
    return Estimate(value, low, high, sum(one.n for one in found))


def area(scores: ArrayLike, is_first: ArrayLike, cluster: ArrayLike) -> Estimate:
    """How often a row of the first sample scores above one of the second; ties count half.

    The interval is that of clustered observations (Obuchowski, Biometrics 1997;53:567) with
    Student's t; where every pair is in order, it is the exact one of as many pairs as the smaller
    sample has clusters. One cluster of a sample tells nothing of how sure the area is.

    Args:
        scores: of the rows, shape (n,).
        is_first: whether a row is of the first sample; both samples have a row.
        cluster: of each row.
    """
    from scipy.stats import rankdata, t

    s, first = np.asarray(scores, np.float64), np.asarray(is_first, bool)
    _, place = np.unique(cluster, return_inverse=True)
    n1, n0 = int(first.sum()), int((~first).sum())
    every, inside = rankdata(s), np.empty(len(s))
    inside[first], inside[~first] = rankdata(s[first]), rankdata(s[~first])
    above = np.where(first, (every - inside) / n0, 1 - (every - inside) / n1)
    value = float(above[first].mean())
    m = int(place.max()) + 1
    off = (above - value) / np.where(first, n1, n0)
    sums = [np.asarray(np.bincount(place, off * rows, m), np.float64) for rows in (first, ~first)]
    clusters = [len(np.unique(place[rows])) for rows in (first, ~first)]
    if float(np.sum(sum(sums) ** 2)) < 1e-18:
        exact = clopper_pearson(round(value * min(clusters)), min(clusters))
        return Estimate(value, min(value, exact.low), max(value, exact.high), m)
    variance, df = _variance(sums, clusters)
    half = float(t.ppf(0.975, df)) * math.sqrt(variance) if df else math.inf
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), m)


def _variance(sums: list[Floats], clusters: list[int]) -> tuple[float, float]:
    """Variance of the area, and its degrees of freedom, 0 where a sample is of one cluster.

    Each sample varies over its own clusters, so that the few of one are not taken for the many of
    the other. The degrees of freedom are those of Welch and Satterthwaite.

    Args:
        sums: by cluster, what the rows of each sample add to the error of the area.
        clusters: how many have rows of each sample.
    """
    if min(clusters) < 2:
        return math.inf, 0.0
    own = [(float(e @ e) * k / (k - 1), k - 1) for e, k in zip(sums, clusters, strict=True)]
    both, m = sum(variance for variance, _ in own), len(sums[0])
    df = both**2 / sum(variance**2 / free for variance, free in own)
    return both + 2 * float(sums[0] @ sums[1]) * m / (m - 1), min(m - 1.0, df)


def _ends(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def _halves(first: NDArray[np.bool_], place: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Rows of a random half of the clusters: a half of those with either sample, and of both."""
    m = int(place.max()) + 1
    kind = 2 * np.bincount(place, first, m).astype(bool) + np.bincount(place, ~first, m).astype(
        bool
    )
    rng = np.random.default_rng([seed, m])
    chosen = np.zeros(m, bool)
    for one in range(1, 4):
        among = rng.permutation(np.flatnonzero(kind == one))
        chosen[among[: len(among) // 2]] = True
    return chosen[place]
