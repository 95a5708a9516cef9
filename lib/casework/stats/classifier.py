"""Can a classifier tell two samples apart? The classifier two-sample test (C2ST).

It sees what means do not show: other spreads, other shapes, other combinations of values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate, wilson
from casework.stats.interactions import classifier_chance

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST = 10_000
"""Rows of both samples together; the half to try on shows 51.8 % right four times in five."""
LEAST = 200
"""Groups of each sample; half of as many show 59 % right four times in five, and fewer little."""
_SHOWN = 0.01
"""P-value below which it is asked by which columns the samples are told apart."""


@dataclass(frozen=True, slots=True)
class ToldApart:
    """How well the samples are told apart on rows that the classifier had not seen.

    Attributes:
        accuracy: share of those rows that were told right; 0.5 is chance.
        p: one-sided exact p-value of guessing.
        falls: how much the accuracy falls where a column is shuffled among those rows; empty where
            guessing would do as well (p of 0.01 or more).
    """

    accuracy: Estimate
    p: float
    falls: tuple[float, ...]


def tell_apart(
    rows: ArrayLike, second: Sequence[bool], groups: Sequence[str], seed: int = 0
) -> ToldApart | None:
    """Learn to tell two samples apart on half of the rows, and try it on the other half.

    Lopez-Paz & Oquab, Revisiting classifier two-sample tests, ICLR 2017, with gradient boosted
    trees, which take unknown values as they are. Rows of a group stay in one half, so that none is
    told by its neighbour. One split and not several: the accuracies of folds that learn from each
    other's rows are not independent. The columns are ranked by permutation importance (Breiman,
    Machine Learning 2001;45:5).

    Args:
        rows: values, shape (n, columns), NaN where unknown.
        second: whether a row is of the second sample; half of them are.
        groups: name of the group of each row. A group may have rows of both samples; of one that
            is wholly of one sample give one row, as the p-value counts rows.
        seed: of the split, the trees and the shuffles.

    Returns:
        None with fewer than 200 groups of either sample.

    Raises:
        ValueError: unless both samples have as many rows.
    """
    x, y, g = np.array(rows, np.float64), np.asarray(second, bool), np.asarray(groups)
    if 2 * int(y.sum()) != len(y):
        raise ValueError(f"needs samples of one size, not {int(y.sum())} of {len(y)} rows")
    if min(len(np.unique(g[y])), len(np.unique(g[~y]))) < LEAST:
        return None
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    learnt, tried = next(iter(halves.split(x, y, g)))
    x[:, np.isnan(x[learnt]).all(axis=0)] = 0  # the trees find no bins where nothing is known
    # threads that wait for each other cost more than so few rows are worth
    with threadpool_limits(1, user_api="openmp"):
        return _tried(x[learnt], y[learnt], x[tried], y[tried], seed)


def _tried(learn_x: Floats, learn_y: Bools, try_x: Floats, try_y: Bools, seed: int) -> ToldApart:
    """Learn from one half, and try it on the other."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.inspection import permutation_importance

    trees = HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=15, early_stopping=False, random_state=seed
    )
    trees.fit(learn_x, learn_y)
    found = wilson(int((trees.predict(try_x) == try_y).sum()), len(try_y))
    p = classifier_chance(found.value, found.n).exact
    if p >= _SHOWN:
        return ToldApart(found, p, ())
    falls = permutation_importance(trees, try_x, try_y, n_repeats=3, random_state=seed)
    return ToldApart(found, p, tuple(float(fall) for fall in falls.importances_mean))
