"""How much a score falls in each of many small groups of items, without drawing anything."""

import numpy as np
from numpy.typing import ArrayLike

from casework.stats.estimates import Estimate
from casework.stats.leakage import Drop, is_binary, paired_drop
from casework.stats.sign_flips import sign_flip_p, usual_size, with_unseen

_EXACT = 13
"""Pairs for which all signs can be tried at no cost."""


def mean_fall(before: ArrayLike, after: ArrayLike, scale: float = 0.0) -> Drop:
    """Fall of the mean score of the same items, `before` minus `after`.

    Scores of 0 and 1 as `paired_drop` has them. Others have Student's interval and test, widened to
    what few items cannot show (`with_unseen`); up to 13 of them the exact test of their signs.

    Args:
        before: scores, shape (n,).
        after: of the same items.
        scale: by how much a score may change where none of these did.

    Raises:
        ValueError: there is no item.
    """
    from scipy.stats import ttest_1samp

    first, second = np.asarray(before, float), np.asarray(after, float)
    if not len(first):
        raise ValueError("there is no pair")
    if is_binary(first) and is_binary(second):
        return paired_drop(first, second)
    falls = first - second
    n, value = len(falls), float(falls.mean())
    if np.ptp(falls) <= 1e-12 * max(1.0, float(np.abs(falls).max())):
        low, high, p = value, value, sign_flip_p(falls)
    else:
        tested = ttest_1samp(falls, 0.0)
        low, high = map(float, tested.confidence_interval(0.95))
        p = sign_flip_p(falls) if n <= _EXACT else float(tested.pvalue)
    found = with_unseen(Estimate(value, low, high, n), usual_size(falls) or scale)
    return Drop(found, p)
