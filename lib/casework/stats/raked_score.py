"""The mean score of a set of items, re-weighted to the questions of other people.

The variance is that of a calibration estimator: residuals from the margins, summed by the account
that the items came from (Deville & Särndal, JASA 1992), and the mix itself is estimated as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.cluster_means import Clusters, variance_of_mean
from casework.stats.composition import kish
from casework.stats.estimates import Estimate
from casework.stats.weights import rake

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RakedScore:
    """A score transported to another mix.

    Attributes:
        score: the re-weighted mean.
        above: the plain mean minus the re-weighted one.
        n_eff: effective number of items (Kish).
        by_level: re-weighted mean by level of the first margin.
    """

    score: Estimate
    above: Estimate
    n_eff: float
    by_level: Mapping[str, float]


def raked_score(
    scores: ArrayLike,
    columns: Mapping[str, Sequence[str]],
    targets: Mapping[str, Mapping[str, float]],
    accounts: Sequence[str],
    asked: Mapping[str, Clusters],
) -> RakedScore:
    """Rake items to margins and take the mean.

    Args:
        scores: of the items, shape (items,).
        columns: for each margin the level of every item.
        targets: for each margin the share of every level.
        accounts: the cluster of every item.
        asked: for each level of the first margin, which of each account's questions are of it
            (`total`), of how many (`n`); the same accounts in each.

    Raises:
        ValueError: a level of a target has no item (positivity fails).
    """
    y = np.asarray(scores, np.float64)
    w = rake(columns, targets)
    value, plain = float(w @ y / w.sum()), float(y.mean())
    residual = y - _fitted(y, w, columns)
    influence = w * residual / w.sum()
    first = next(iter(targets))
    levels = np.asarray(columns[first], object)
    means = {
        level: float(w[levels == level] @ y[levels == level] / w[levels == level].sum())
        for level, share in targets[first].items()
        if share > 0
    }
    mix = _mix_variance(means, asked)
    return RakedScore(
        _interval(value, influence, accounts, mix),
        _interval(plain - value, (y - plain) / len(y) - influence, accounts, mix),
        kish(w),
        means,
    )


def _fitted(y: Floats, w: Floats, columns: Mapping[str, Sequence[str]]) -> Floats:
    """Weighted least squares of the scores on the margins."""
    blocks = []
    for levels in columns.values():
        _, position = np.unique(np.asarray(levels, str), return_inverse=True)
        blocks.append(np.eye(int(position.max()) + 1)[position])
    design = np.concatenate(blocks, axis=1)
    root = np.sqrt(w)
    slopes, *_ = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)
    return np.asarray(design @ slopes, np.float64)


def _mix_variance(means: Mapping[str, float], asked: Mapping[str, Clusters]) -> float:
    """Variance that the unknown mix adds; infinite where the questions are of one account.

    A mix of one level is known.
    """
    if len(means) < 2:
        return 0.0
    total = sum(mean * asked[level].total for level, mean in means.items())
    n = next(iter(asked.values())).n
    return variance_of_mean(Clusters(np.asarray(total, np.float64), n))


def _interval(value: float, influence: Floats, accounts: Sequence[str], mix: float) -> Estimate:
    """Student's t over accounts, with the variance of the mix on top; one account has none."""
    from scipy.stats import t

    _, cluster = np.unique(np.asarray(accounts, str), return_inverse=True)
    sums = np.bincount(cluster, influence)
    m = len(sums)
    if m < 2:
        return Estimate(value, -math.inf, math.inf, len(influence))
    half = float(t.ppf(0.975, m - 1)) * math.sqrt(float(sums @ sums) * m / (m - 1) + mix)
    return Estimate(value, value - half, value + half, len(influence))
