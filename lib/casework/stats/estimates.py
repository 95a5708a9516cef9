"""A number with its interval: the shape in which a statistic leaves this package."""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

Z95, Z99 = map(NormalDist().inv_cdf, (0.975, 0.995))
"""Standard errors from the middle of a normal interval to its ends, 95 % (1.96) and 99 % (2.58)."""
PRINTED_95 = 1.96
"""As articles round it, so that what is computed from their numbers comes back as printed."""
POWER_80 = NormalDist().inv_cdf(0.8)
"""Standard errors beyond those at which an effect is shown 80 times in 100 (0.84)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its confidence interval (95 % unless said) and the units that it rests on.

    Attributes:
        value: the point estimate, in the unit of what is estimated.
        low: lower end of the interval.
        high: upper end of the interval.
        n: units of analysis (users, items, decisions) behind the value.
    """

    value: float
    low: float
    high: float
    n: int

    def excludes(self, x: float) -> bool:
        """Whether the whole interval lies on one side of `x`."""
        return self.low > x or self.high < x

    def inside(self, low: float, high: float) -> bool:
        """Whether the whole interval lies strictly between `low` and `high` (equivalence)."""
        return low < self.low and self.high < high


def minus(first: Estimate, second: Estimate) -> Estimate:
    """First minus second of other units, with the interval that follows from both.

    Squares of the distances to their limits (MOVER: Zou & Donner, Statistics in Medicine 2008).
    """
    value = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - down, value + up, first.n + second.n)


def p_above(estimate: Estimate, limit: float) -> float:
    """One-sided p-value of a value at or below the limit, from the lower half of its interval.

    It is below 0.025 where the 95 % interval lies above the limit.
    """
    half = estimate.value - estimate.low
    if half <= 0:
        return 0.0 if estimate.value > limit else 1.0
    # of the tail itself: one less the rest is nought from eight standard errors on
    return math.erfc(Z95 * (estimate.value - limit) / half / math.sqrt(2)) / 2


def enough_to_show(found: Estimate, effect: float) -> int:
    """How many, where `found` rests on `found.n`, would show an effect with 80 % power at 5 %.

    The variance falls with the number; it is read from the 95 % interval.
    """
    se = (found.high - found.low) / (2 * Z95)
    return math.ceil(found.n * ((Z95 + POWER_80) * se / effect) ** 2)


def smallest_shown(found: Estimate) -> float:
    """Smallest effect that an estimate so uncertain shows with 80 % power at 5 %."""
    return (Z95 + POWER_80) * (found.high - found.low) / (2 * Z95)


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Estimate:
    """Share `k` of `n` with the exact interval: never covers less than `level`, for audit claims.

    Clopper & Pearson, Biometrika 1934.

    Raises:
        ValueError: unless 0 <= k <= n and n >= 1.
    """
    return _binomial(k, n, level, "exact")


def wilson(k: int, n: int, level: float = 0.95) -> Estimate:
    """Share `k` of `n` with the score interval: covers `level` on average, the usual choice.

    Wilson, JASA 1927; method 3 of Newcombe, Statistics in Medicine 1998.

    Raises:
        ValueError: unless 0 <= k <= n and n >= 1.
    """
    return _binomial(k, n, level, "wilson")


def upper_if_none(n: int, level: float = 0.95) -> float:
    """One-sided upper bound of a share when none of `n` showed it; about 3/n at 95 %.

    Hanley & Lippman-Hand, JAMA 1983.

    Raises:
        ValueError: if n < 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return float(1 - (1 - level) ** (1 / n))


@lru_cache(maxsize=10_000)  # SciPy tests as well, which takes a hundred times the interval
def _binomial(k: int, n: int, level: float, method: str) -> Estimate:
    # scipy.stats takes over a second to import; most diagnoses never get here
    from scipy.stats import binomtest

    interval = binomtest(k, n).proportion_ci(confidence_level=level, method=method)
    return Estimate(k / n, float(interval.low), float(interval.high), n)
