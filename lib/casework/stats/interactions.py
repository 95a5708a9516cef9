"""Do effects differ between groups, and does a classifier tell two samples apart beyond chance?"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from casework.stats.estimates import PRINTED_95, Estimate


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
