"""What made a rate change: the same things rated otherwise, other things, or other groups of them.

Kitagawa's two-term form (JASA 1955), which averages both periods as reference and leaves no
interaction, applied twice: over groups (queries), and within each group over its things
(documents). A thing that was there in one period alone is no rate of its own; what it brought or
took counts as other things.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RateParts:
    """Parts of the change of a rate, after - before, which sum to `total`.

    Attributes:
        total: the change.
        same_things: other rates of the same things.
        other_things: other things in the same groups, or the same ones in other shares.
        other_groups: other groups, or the same ones in other shares.
    """

    total: Estimate
    same_things: Estimate
    other_things: Estimate
    other_groups: Estimate


def rate_parts(sums: ArrayLike, n: int, draws: int = 999, seed: int = 0) -> RateParts | None:
    """Split the change of a rate, with 95 % percentile intervals of a bootstrap of clusters.

    Args:
        sums: one row for each cluster of groups, columns n0, y0, n1, y1 (what was counted, and of
            that what had the property, before and after), then n0 and n1 times the change of the
            rate of each group that was there in both periods, and n0 and n1 times the part of
            that change that its same things make up; shape (clusters, 8).
        n: groups that the clusters hold.
        draws: bootstrap draws of the clusters.
        seed: of the bootstrap.

    Returns:
        None with fewer than two clusters, or without anything counted in one of the periods.
    """
    table = np.asarray(sums, np.float64)
    if len(table) < 2 or table[:, 0].sum() <= 0 or table[:, 2].sum() <= 0:
        return None
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=draws)
    drawn = weights @ table
    drawn = drawn[(drawn[:, 0] > 0) & (drawn[:, 2] > 0)]
    values, found = _parts(table.sum(axis=0)[None]), _parts(drawn)
    ends = np.quantile(found, [0.025, 0.975], axis=1).T.tolist()
    return RateParts(
        *(Estimate(float(value[0]), low, high, n)
          for value, (low, high) in zip(values, ends, strict=True))
    )  # fmt: skip


def _parts(sums: Floats) -> Floats:
    """Total and its three parts, shape (4, draws)."""
    n0, y0, n1, y1, group0, group1, same0, same1 = sums.T
    total = y1 / n1 - y0 / n0
    within = (group0 / n0 + group1 / n1) / 2
    same = (same0 / n0 + same1 / n1) / 2
    return np.stack([total, same, within - same, total - within])
