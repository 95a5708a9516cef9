"""The same items scored twice on a scale: the mean difference with a bootstrap interval."""

from collections.abc import Sequence

import numpy as np

from casework.stats.estimates import Estimate

_RESAMPLES = 9_999


def mean_difference(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Estimate:
    """Mean of second minus first with the BCa interval over items, 95 %.

    Efron, JASA 1987 (`scipy.stats.bootstrap`). Where all differences are the same there is
    nothing to resample and the interval is the value.

    Raises:
        ValueError: both are not equally long, or hold fewer than two items.
    """
    from scipy.stats import bootstrap

    if len(first) != len(second) or len(first) < 2:
        raise ValueError("two scores are needed of each of at least two items")
    change = np.asarray(second, float) - np.asarray(first, float)
    value, n = float(change.mean()), len(change)
    if np.ptp(change) <= 1e-12 * max(1.0, float(np.abs(change).max())):
        return Estimate(value, value, value, n)
    found = bootstrap(
        (change,), np.mean, n_resamples=_RESAMPLES, batch=500, rng=np.random.default_rng(seed)
    ).confidence_interval
    return Estimate(value, float(found.low), float(found.high), n)
