"""Do two samples of vectors come from the same distribution? The maximum mean discrepancy.

Gretton et al., Journal of Machine Learning Research 2012, with the Gaussian kernel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Squared maximum mean discrepancy: with each point's distance to itself, and without."""

    biased: float
    unbiased: float


@dataclass(frozen=True, slots=True)
class Swapped:
    """The squared discrepancy of pairs, and its p-value where before and after may be swapped."""

    squared: float
    p: float


def mean_discrepancy(first: ArrayLike, second: ArrayLike, gamma: float) -> Discrepancy:
    """How far two samples of vectors are apart under the kernel exp(-gamma d^2).

    Args:
        first: vectors, shape (n, dimensions), n at least 2.
        second: vectors, shape (m, dimensions).
        gamma: of the kernel.
    """
    x, y = (_rows(sample) for sample in (first, second))
    n, m = len(x), len(y)
    xx, yy, xy = (np.exp(-gamma * _squares(a, b)) for a, b in ((x, x), (y, y), (x, y)))
    across = 2 * xy.mean()
    return Discrepancy(
        biased=float(xx.mean() + yy.mean() - across),
        unbiased=float((xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - across),
    )


def swapped_discrepancy(squares: ArrayLike, draws: int = 999, seed: int = 0) -> Swapped:
    """The discrepancy of the same things before and after, the two of each swapped at random.

    It is small where things changed places and lie, as a set, where they lay. The width of the
    kernel is the median distance of all points (the heuristic of Gretton et al.); the p-value is
    that of Phipson & Smyth 2010.

    Args:
        squares: squared distances, shape (2 n, 2 n); the things before first, then after, in the
            same order.
        draws: of swaps.
        seed: of the draws.

    Raises:
        ValueError: fewer than two things.
    """
    d = np.maximum(np.asarray(squares, np.float64), 0)
    n = len(d) // 2
    if n < 2:
        raise ValueError("needs two things")
    apart = d[np.triu_indices(2 * n, 1)]
    width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    kernel = np.exp(-d / width)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(draws, n))
    signs = np.concatenate([np.ones((1, n)), signs])
    both = np.concatenate([signs, -signs], axis=1) / n
    found = np.einsum("ij,ij->i", both @ kernel, both)
    beyond = int((found[1:] >= found[0] - 1e-12).sum())
    return Swapped(max(0.0, float(found[0])), (1 + beyond) / (1 + draws))


def _rows(sample: ArrayLike) -> Floats:
    values = np.asarray(sample, np.float64)
    return values[:, None] if values.ndim == 1 else values


def _squares(a: Floats, b: Floats) -> Floats:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0))
