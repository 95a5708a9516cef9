"""A mean change of paired scores: a test that is exact for few pairs, and what few cannot show."""

import math

import numpy as np
from numpy.typing import ArrayLike

from casework.stats.estimates import Estimate, upper_if_none

_DRAWS = 9_999
_MANY = 2_000
_AT_ONCE = 4_000_000


def sign_flip_p(changes: ArrayLike, seed: int = 0) -> float:
    """Two-sided p-value of no change, from all the signs that the changes might have had.

    Where nothing changed the score, each change was as likely the other way round (Fisher 1935;
    `scipy.stats.permutation_test`). All signs are tried for up to 13 pairs, signs drawn by chance
    for more; beyond 2,000 their sum is as good as normal. With five pairs or fewer it is never
    below 0.05.

    Raises:
        ValueError: there is no pair.
    """
    from scipy.stats import permutation_test

    found = np.asarray(changes, float)
    if not len(found):
        raise ValueError("there is no pair")
    if len(found) == 1:
        return 1.0
    if len(found) > _MANY:
        size = math.sqrt(2 * float(found @ found))
        return math.erfc(abs(float(found.sum())) / size) if size else 1.0
    tested = permutation_test(
        (found,), np.mean, permutation_type="samples", n_resamples=_DRAWS, vectorized=True,
        batch=max(1, _AT_ONCE // len(found)), rng=np.random.default_rng(seed),
    )  # fmt: skip
    return min(1.0, float(tested.pvalue))


def with_unseen(found: Estimate, size: float, level: float = 0.95) -> Estimate:
    """Widen the interval of a mean change to what its pairs are too few to show.

    Pairs that changed alike leave nothing to resample, and an interval made of them alone has no
    width. A share of all pairs that none of `n` is of may still be as large as
    `1 - tail^(1/n)` (rule of three: Hanley & Lippman-Hand, JAMA 1983). Those are taken to change
    by `size`, to either side. With five pairs or fewer the interval then holds no change, as
    `sign_flip_p` does; with many it is what it was.

    Args:
        found: mean change, its interval, and the pairs.
        size: by how much a pair changes, such as the root of the mean square of the changes.
        level: of the interval.
    """
    share = upper_if_none(found.n, 0.5 + level / 2)
    seen = (1 - share) * found.value
    return Estimate(
        found.value, min(found.low, seen - share * size), max(found.high, seen + share * size),
        found.n,
    )  # fmt: skip


def usual_size(changes: ArrayLike) -> float:
    """Root of the mean square of changes; it is never less than their mean."""
    found = np.asarray(changes, float)
    return float(np.sqrt(np.mean(found**2)))
