"""A score that changed between two runs of a set that changed too: same items better, or new ones.

Kitagawa's two-term form (JASA 1955) with the items of both runs as one group and all others as
the other: what is not due to items that are in both is due to the set.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate
from casework.stats.sign_flips import with_unseen

Floats = NDArray[np.float64]

_DRAWS = 999


@dataclass(frozen=True, slots=True)
class Rise:
    """Mean of the last run minus that of the first, as the sum of two parts.

    Attributes:
        total: the change of the score.
        same_items: the part due to other scores of the items of both runs.
        other_items: the part due to items that came and went.
        kept, added, removed: numbers of items.
    """

    total: Estimate
    same_items: Estimate
    other_items: Estimate
    kept: int
    added: int
    removed: int


def split_rise(first: ArrayLike, last: ArrayLike, seed: int) -> Rise | None:
    """Split the change of a score, with percentile intervals of the bootstrap over items.

    Args:
        first: scores in the first run, shape (items,); NaN where an item was not in it.
        last: the same of the last run.
        seed: of the bootstrap.

    Returns:
        the parts, or None where one of the runs has no item.
    """
    a, b = np.asarray(first, np.float64), np.asarray(last, np.float64)
    in_a, in_b = ~np.isnan(a), ~np.isnan(b)
    if not in_a.any() or not in_b.any():
        return None
    scores = np.stack([np.nan_to_num(a), np.nan_to_num(b)])
    rng = np.random.default_rng([seed, len(a)])
    n = len(a)
    drawn = np.stack([_parts(scores, in_a, in_b, rng.multinomial(n, np.full(n, 1 / n)))
                      for _ in range(_DRAWS)])  # fmt: skip
    value = _parts(scores, in_a, in_b, np.ones(n))
    total, same, other = percentiles(value, drawn, n)
    kept = int((in_a & in_b).sum())
    return Rise(total, same, other, kept, int(in_b.sum()) - kept, int(in_a.sum()) - kept)


def percentiles(value: Floats, drawn: Floats, n: int) -> list[Estimate]:
    """Changes with their percentile intervals, and what so few show where none of them varies.

    Args:
        value: the changes, shape (changes,).
        drawn: the same of each draw of the bootstrap, shape (draws, changes); NaN where a draw
            left nothing to compare.
        n: items.
    """
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    found = [Estimate(float(v), float(a), float(b), n)
             for v, a, b in zip(value, low, high, strict=True)]  # fmt: skip
    return [one if one.high - one.low > 1e-9 * abs(one.value) else with_unseen(one, abs(one.value))
            for one in found]  # fmt: skip


def _parts(
    scores: Floats,
    in_a: NDArray[np.bool_],
    in_b: NDArray[np.bool_],
    times: Floats | NDArray[np.int64],
) -> Floats:
    """Total, same items, other items, where item i counts `times[i]`."""
    n_a, n_b = float(times @ in_a), float(times @ in_b)
    if not n_a or not n_b:
        return np.full(3, np.nan)
    total = float(times @ (scores[1] * in_b)) / n_b - float(times @ (scores[0] * in_a)) / n_a
    both = in_a & in_b
    kept = float(times @ both)
    same = 0.0
    if kept:
        better = float(times @ ((scores[1] - scores[0]) * both)) / kept
        same = (kept / n_a + kept / n_b) / 2 * better
    return np.array([total, same, total - same])
