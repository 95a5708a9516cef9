"""Shares of several classes at once, and how many rows one must label for them."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from casework.stats.estimates import Z95, Estimate


def goodman(counts: Sequence[float], level: float = 0.95) -> list[Estimate]:
    """Shares of all classes with intervals that hold together (Goodman, Technometrics 1965).

    Args:
        counts: rows by class; of a weighted sample the effective ones.
        level: of all intervals at once.

    Raises:
        ValueError: nothing was counted, or a count is negative.
    """
    from statsmodels.stats.proportion import multinomial_proportions_confint

    n = sum(counts)
    if n <= 0 or min(counts) < 0:
        raise ValueError("counts must not be negative, and one at least above zero")
    bounds = multinomial_proportions_confint(list(counts), alpha=1 - level, method="goodman")
    return [
        Estimate(k / n, max(0.0, float(low)), min(1.0, float(high)), round(n))
        for k, (low, high) in zip(counts, bounds, strict=True)
    ]


def worst_case(alpha: float = 0.05) -> tuple[float, int]:
    """Largest n times squared half width over numbers of equal classes, and that number.

    Thompson, The American Statistician 1987;41:42.
    """
    most = max(range(2, 101), key=lambda classes: _needed(classes, alpha))
    return _needed(most, alpha), most


def labels_needed(half_width: float, alpha: float = 0.05, rows: int | None = None) -> int:
    """Rows to label so that all shares lie within the half width, whatever the classes are.

    Thompson 1987; of a set of `rows` with the correction for drawing without return.

    Raises:
        ValueError: the half width does not lie between 0 and 1.
    """
    if not 0 < half_width < 1:
        raise ValueError(f"half width must lie between 0 and 1, not {half_width}")
    n = worst_case(alpha)[0] / half_width**2
    return math.ceil(n if rows is None else n / (1 + (n - 1) / max(1, rows)))


def labels_to_settle(share: float, limit: float, rows: int) -> int:
    """Rows to label until the interval of a share leaves the limit out, if the share is as seen.

    Normal approximation with the correction for drawing without return. Where the share is at the
    limit, all rows.
    """
    gap = abs(share - limit)
    p = min(max(share, 0.01), 0.99)
    n = (Z95 / gap) ** 2 * p * (1 - p) if gap > 1e-9 else math.inf
    return rows if math.isinf(n) else min(rows, math.ceil(n / (1 + (n - 1) / max(1, rows))))


def _needed(classes: int, alpha: float) -> float:
    z = NormalDist().inv_cdf(1 - alpha / (2 * classes))
    return z * z * (1 / classes) * (1 - 1 / classes)
