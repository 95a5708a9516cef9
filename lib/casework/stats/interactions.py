"""Do effects differ between groups or times, and do two samples of points differ?

Two estimates against each other, differences in differences, the maximum mean discrepancy of two
samples of vectors, and the chance level of a classifier that tells them apart.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import PRINTED_95, Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contrast(Estimate):
    """The difference of two independent estimates.

    Attributes:
        se: its standard error.
        z: difference over standard error.
        p: two-sided p-value of no difference.
    """

    se: float
    z: float
    p: float


def interaction(first: tuple[float, float], second: tuple[float, float], n: int = 0) -> Contrast:
    """First estimate minus second, each with its standard error (Altman & Bland, BMJ 2003).

    Ratios are compared by their logarithms.

    Raises:
        ValueError: unless a standard error is positive.
    """
    value, se = first[0] - second[0], math.hypot(first[1], second[1])
    if se <= 0:
        raise ValueError("needs a positive standard error")
    z = value / se
    p = math.erfc(abs(z) / math.sqrt(2))
    return Contrast(value, value - PRINTED_95 * se, value + PRINTED_95 * se, n, se, z, p)


def standard_error(low: float, high: float) -> float:
    """Standard error behind a normal 95 % interval."""
    return (high - low) / (2 * PRINTED_95)


def difference_in_differences(treated: tuple[float, float], control: tuple[float, float]) -> float:
    """Change of the treated minus change of the control, each as (before, after)."""
    return (treated[1] - treated[0]) - (control[1] - control[0])


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Squared maximum mean discrepancy: with each point's distance to itself, and without."""

    biased: float
    unbiased: float


def mean_discrepancy(first: ArrayLike, second: ArrayLike, gamma: float) -> Discrepancy:
    """How far two samples of vectors are apart under the Gaussian kernel exp(-gamma d^2).

    Gretton et al., Journal of Machine Learning Research 2012.

    Args:
        first: vectors, shape (n, dimensions), n at least 2.
        second: vectors, shape (m, dimensions).
        gamma: of the kernel.
    """
    x, y = (_rows(sample) for sample in (first, second))
    n, m = len(x), len(y)
    xx, yy, xy = _kernel(x, x, gamma), _kernel(y, y, gamma), _kernel(x, y, gamma)
    across = 2 * xy.mean()
    return Discrepancy(
        biased=float(xx.mean() + yy.mean() - across),
        unbiased=float((xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - across),
    )


@dataclass(frozen=True, slots=True)
class ChanceLevel:
    """One-sided p-values of a classifier's accuracy on two equally large samples."""

    normal: float
    exact: float


def classifier_chance(accuracy: float, n_test: int) -> ChanceLevel:
    """Could a classifier that tells two samples apart on `n_test` held-out rows be guessing?

    Lopez-Paz & Oquab, Revisiting classifier two-sample tests, ICLR 2017: accuracy is normal about
    one half with variance 1/(4 n); the binomial is exact. Rows must be independent.
    """
    from scipy.stats import binom

    right = round(accuracy * n_test)
    z = (accuracy - 0.5) * math.sqrt(4 * n_test)
    return ChanceLevel(NormalDist().cdf(-z), float(binom.sf(right - 1, n_test, 0.5)))


def _rows(sample: ArrayLike) -> Floats:
    values = np.asarray(sample, np.float64)
    return values[:, None] if values.ndim == 1 else values


def _kernel(a: Floats, b: Floats, gamma: float) -> Floats:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.exp(-gamma * np.maximum(squares, 0)))
