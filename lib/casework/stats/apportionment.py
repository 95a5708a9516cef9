"""Whole numbers in given proportions: how many items of each kind a set of a size should have."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def apportioned(weights: Sequence[float], size: int) -> NDArray[np.int64]:
    """Split `size` in proportion to weights by largest remainders (Hamilton's method).

    Each part is its exact quota rounded up or down; of equal remainders the earlier is rounded up.

    Args:
        weights: none negative, one above zero, shape (parts,).
        size: what is split.

    Returns:
        whole numbers that add up to `size`, shape (parts,).

    Raises:
        ValueError: a weight is negative or none is above zero.
    """
    w = np.asarray(weights, np.float64)
    if (w < 0).any() or not w.sum() > 0:
        raise ValueError("weights must not be negative, and one above zero")
    exact = size * w / w.sum()
    # a quota that is whole but for rounding is whole
    parts: NDArray[np.int64] = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: size - int(parts.sum())]] += 1
    return parts
