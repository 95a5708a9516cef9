"""The same items scored twice on a scale, from sums alone: mean change, interval, p-value."""

import math
from dataclasses import dataclass

from casework.stats.estimates import Estimate
from casework.stats.sign_flips import with_unseen

_ALIKE = 1e-12
"""Share of the sum of squares below which what is left of it is rounding of the sums."""


@dataclass(frozen=True, slots=True)
class Change:
    """Mean of second minus first, with its 95 % interval, and a two-sided p-value of no change."""

    estimate: Estimate
    p: float


def mean_change(n: int, total: float, squares: float) -> Change:
    """Paired t from the sums of differences, which a database makes over any number of items.

    Student, Biometrika 1908. Where all differences are the same, their spread says nothing: the
    sign test speaks instead, and the interval is what so few items cannot show (`sign_flips`).

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
    left = squares - n * mean * mean
    if left <= _ALIKE * squares:
        alike = with_unseen(Estimate(mean, mean, mean, n), math.sqrt(squares / n))
        return Change(alike, 2.0 ** (1 - n) if mean else 1.0)
    error = math.sqrt(left / (n - 1) / n)
    half = float(t.ppf(0.975, n - 1)) * error
    p = 2 * float(t.sf(abs(mean) / error, n - 1))
    return Change(Estimate(mean, mean - half, mean + half, n), p)
