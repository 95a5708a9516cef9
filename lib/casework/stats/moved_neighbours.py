"""Vectors of the same texts before and after a change: do they still find what they found?

A search whose documents keep their vectors and whose queries get new ones (a mixed index) finds a
text where its new vector lies nearest to its old one; one whose index is built anew finds the same
where the nearest other texts stay the nearest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate, wilson
from casework.stats.shares import clustered_share

Floats = NDArray[np.float64]

MOST_NEIGHBOURS = 10
SAME = 1e-9
"""Difference of two similarities that is rounding."""


@dataclass(frozen=True, slots=True)
class MovedNeighbours:
    """What texts find across a change.

    Attributes:
        texts: how many.
        nearest: nearest other texts that are compared for each.
        itself: share of the texts to whose vector after no other before lies nearer than their
            own; None where vectors before and after have no distance.
        mixed: share of the nearest other texts that stay the nearest where a text has its vector
            after and the others those before; None likewise.
        anew: the same where all have their vectors after.
    """

    texts: int
    nearest: int
    itself: Estimate | None
    mixed: Estimate | None
    anew: Estimate


def moved_neighbours(
    old_old: ArrayLike, new_old: ArrayLike | None, new_new: ArrayLike
) -> MovedNeighbours:
    """Compare the nearest texts before and after.

    Args:
        old_old: similarities of the texts (rows) to the texts (columns), all before, shape (n, n).
        new_old: of the texts after to the texts before; None where there is none.
        new_new: all after.

    Raises:
        ValueError: fewer than four texts.
    """
    before, after = (np.asarray(matrix, np.float64) for matrix in (old_old, new_new))
    n = len(before)
    if n < 4:
        raise ValueError("needs four texts")
    nearest = min(MOST_NEIGHBOURS, (n - 1) // 3)
    wanted = _nearest(before, nearest)
    anew = _kept(wanted, _nearest(after, nearest))
    if new_old is None:
        return MovedNeighbours(n, nearest, None, None, anew)
    across = np.asarray(new_old, np.float64)
    own = np.diagonal(across)
    others = np.where(np.eye(n, dtype=bool), -np.inf, across).max(axis=1)
    itself = wilson(int((own > others - SAME).sum()), n)
    return MovedNeighbours(n, nearest, itself, _kept(wanted, _nearest(across, nearest)), anew)


def _nearest(similarity: Floats, k: int) -> list[set[int]]:
    """The k texts most similar to each, without itself; of equally similar ones the first."""
    apart = np.where(np.eye(len(similarity), dtype=bool), np.inf, -similarity)
    return [set(row[:k].tolist()) for row in np.argsort(apart, axis=1, kind="stable")]


def _kept(wanted: list[set[int]], found: list[set[int]]) -> Estimate:
    """Share of the wanted that are found, with texts as clusters."""
    hits = [(float(len(a & b)), float(len(a))) for a, b in zip(wanted, found, strict=True)]
    kept = clustered_share(hits)
    if kept is None:
        raise ValueError("needs two texts")
    return kept
