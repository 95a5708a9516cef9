"""The same items scored twice on a scale: the mean difference with a bootstrap interval."""

from collections.abc import Sequence

import numpy as np

from casework.stats.estimates import Estimate
from casework.stats.sign_flips import usual_size, with_unseen

_RESAMPLES = 9_999


def mean_difference(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Estimate:
    """Mean of second minus first with the BCa interval over items, 95 %.

    Efron, JASA 1987 (`scipy.stats.bootstrap`), widened to what few items cannot show
    (`casework.stats.sign_flips`): where all differences are the same there is nothing to resample.

    Raises:
        ValueError: both are not equally long, or hold fewer than two items.
    """
    from scipy.stats import bootstrap

    if len(first) != len(second) or len(first) < 2:
        raise ValueError("two scores are needed of each of at least two items")
    change = np.asarray(second, float) - np.asarray(first, float)
    value, n = float(change.mean()), len(change)
    size = usual_size(change) or float(np.ptp([first, second]))
    if np.ptp(change) <= 1e-12 * max(1.0, float(np.abs(change).max())):
        return with_unseen(Estimate(value, value, value, n), size)
    found = bootstrap(
        (change,), np.mean, n_resamples=_RESAMPLES, batch=500, rng=np.random.default_rng(seed)
    ).confidence_interval
    return with_unseen(Estimate(value, float(found.low), float(found.high), n), size)
