"""Are the buckets of a hash filled as a hash that mixes fills them?

A hash that mixes gives each bucket as many units as the next, up to chance. Ids that a remainder
deals may reach one bucket in four, and ids in sequence fill all more evenly than chance does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LEAST = 5.0
"""Units that a class of the test expects at least (Cochran, Biometrics 1954;10:417)."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How units fill the buckets that they could be in.

    Attributes:
        filled: buckets that hold a unit.
        buckets: buckets there are.
        expected: how many of them as many units would fill by chance.
        p: of Pearson's test of even filling; None where a class cannot expect five units. A p near
            1 is a sign too: more even than chance allows.
        n: units.
    """

    filled: int
    buckets: int
    expected: float
    p: float | None
    n: int


def occupancy(groups: Sequence[Sequence[int]]) -> Occupancy:
    """Test whether units fill the buckets of each group evenly.

    Groups, such as arms, may be logged at different rates: each is compared with its own mean, and
    the statistics and degrees of freedom are added. Neighbouring buckets are joined until a class
    expects five units. n units fill k (1 - (1 - 1/k)^n) of k buckets on average (Feller, An
    Introduction to Probability Theory and Its Applications, volume 1, 1968, chapter IX).

    Args:
        groups: units by bucket in the order of the buckets, zeros included, for each group.
    """
    from scipy.special import chdtrc

    chi2, df, expected = 0.0, 0, 0.0
    for group in groups:
        counts = np.asarray(group, np.float64)
        k, n = len(counts), float(counts.sum())
        if k:
            expected += k * (1 - (1 - 1 / k) ** n)
        if n:
            value, free = _even(counts)
            chi2, df = chi2 + value, df + free
    flat = [count for group in groups for count in group]
    return Occupancy(
        filled=sum(1 for count in flat if count),
        buckets=len(flat),
        expected=expected,
        p=float(chdtrc(df, chi2)) if df else None,
        n=sum(flat),
    )


def _even(counts: Floats) -> tuple[float, int]:
    """Pearson's statistic of even filling, and its degrees of freedom."""
    from scipy.stats import chisquare

    k, n = len(counts), float(counts.sum())
    starts = np.arange(0, k, math.ceil(_LEAST * k / n))
    widths = np.diff(np.append(starts, k))
    if len(widths) > 1 and widths[-1] < widths[0]:  # the rest joins its neighbour
        starts = starts[:-1]
        widths = np.diff(np.append(starts, k))
    if len(starts) < 2:
        return 0.0, 0
    test = chisquare(np.add.reduceat(counts, starts), widths * n / k)
    return float(test.statistic), len(starts) - 1
