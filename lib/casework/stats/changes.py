"""The same items scored twice on a scale, from sums alone: mean change, interval, p-value."""

import math
from dataclasses import dataclass

from casework.stats.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Change:
    """Mean of second minus first, with its 95 % interval, and a two-sided p-value of no change."""

    estimate: Estimate
    p: float


def mean_change(n: int, total: float, squares: float) -> Change:
    """Paired t from the sums of differences, which a database makes over any number of items.

    Student, Biometrika 1908. Where all differences are the same the sign test speaks instead,
    since their spread says nothing.

    Args:
        n: items.
        total: sum of the differences, second minus first.
        squares: sum of their squares.

    Raises:
        ValueError: fewer than two items.
    """
    if n < 2:
        raise ValueError("two items are needed at least")
    from scipy.stats import t

    mean = total / n
    variance = max(0.0, squares - n * mean * mean) / (n - 1)
    if variance <= 1e-18 * max(1.0, squares):
        return Change(Estimate(mean, mean, mean, n), 1.0 if not mean else 2.0 ** (1 - n))
    error = math.sqrt(variance / n)
    half = float(t.ppf(0.975, n - 1)) * error
    p = 2 * float(t.sf(abs(mean) / error, n - 1))
    return Change(Estimate(mean, mean - half, mean + half, n), p)
