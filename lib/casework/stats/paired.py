"""The same items judged twice, yes or no: before and after, base and tuned, as run and left out.

Tables are written by their cells: `both`, `only_first`, `only_second`, `neither` say how many
items are a yes at both times, at the first alone, at the second alone, and at neither. The
difference is always second minus first.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from casework.stats.estimates import Estimate, clopper_pearson, wilson


@dataclass(frozen=True, slots=True)
class Pairs:
    """Counts of paired yes and no.

    Raises:
        ValueError: a count is negative, or there is no pair.
    """

    both: int
    only_first: int
    only_second: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.only_first, self.only_second, self.neither) < 0 or not self.n:
            raise ValueError("counts of pairs must be positive, and one at least above zero")

    @property
    def n(self) -> int:
        """Pairs."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def first(self) -> int:
        """Pairs with a yes at the first time."""
        return self.both + self.only_first

    @property
    def second(self) -> int:
        """Pairs with a yes at the second time."""
        return self.both + self.only_second

    @property
    def difference(self) -> float:
        """Share of yes at the second time minus that at the first."""
        return (self.only_second - self.only_first) / self.n


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two-sided p-values for equal shares; only pairs that changed speak.

    Attributes:
        exact: from the binomial distribution; never too small.
        mid: the exact one less half the probability of what was seen on either side; closer to
            the level.
        asymptotic: from chi-squared without a correction.
        chi2: that statistic; zero where nothing changed.
        chi2_corrected: with the correction of Edwards.
    """

    exact: float
    mid: float
    asymptotic: float
    chi2: float
    chi2_corrected: float


def mcnemar(pairs: Pairs) -> McNemar:
    """Test whether both shares are the same (McNemar 1947; mid-p: Fagerland et al. 2013)."""
    from scipy.stats import binom, chi2

    b, c = pairs.only_first, pairs.only_second
    changed, fewer = b + c, min(b, c)
    if not changed:
        return McNemar(1.0, 1.0, 1.0, 0.0, 0.0)
    exact = min(1.0, 2 * float(binom.cdf(fewer, changed, 0.5)))
    seen = float(binom.pmf(fewer, changed, 0.5))
    # as many of either kind: that is one outcome, not one on each side
    mid = exact - (seen / 2 if b == c else seen)
    plain = (b - c) ** 2 / changed
    corrected = max(0, abs(b - c) - 1) ** 2 / changed
    return McNemar(exact, mid, float(chi2.sf(plain, 1)), plain, corrected)


def tango(pairs: Pairs, level: float = 0.95) -> Estimate:
    """Difference of paired shares with the score interval of Tango (Statistics in Medicine 1998).

    It holds its level with few pairs and with no change in one direction, where Wald's fails.
    """
    return tango_of_counts(pairs.only_first, pairs.only_second, pairs.n, level)


def tango_of_counts(
    only_first: float, only_second: float, n: float, level: float = 0.95
) -> Estimate:
    """The interval of `tango` from the pairs that changed, which need not be whole numbers.

    Args:
        only_first: pairs that are a yes at the first time alone.
        only_second: pairs that are a yes at the second time alone.
        n: all pairs, or an effective number of them.
        level: of the interval.
    """
    low, high = (_bound(only_first, only_second, n, side, level) for side in (-1, 1))
    return Estimate((only_second - only_first) / n, low, high, round(n))


def newcombe_paired(pairs: Pairs, level: float = 0.95) -> Estimate:
    """Difference of paired shares with Newcombe's interval, method 10.

    Newcombe, Statistics in Medicine 1998;17:2635. Squares of the distances to the
    Wilson limits of both shares, with their correlation.
    """
    n, p1, p2 = pairs.n, pairs.first / pairs.n, pairs.second / pairs.n
    one, two = wilson(pairs.first, n, level), wilson(pairs.second, n, level)
    phi = _phi(pairs)
    d = pairs.difference

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))

    low = d - reach(p2 - two.low, one.high - p1)
    high = d + reach(two.high - p2, p1 - one.low)
    return Estimate(d, low, high, n)


def matched_odds_ratio(pairs: Pairs, level: float = 0.95) -> Estimate | None:
    """Odds of a yes at the first time over those at the second, given the pair; exact interval.

    Pairs that are a yes at the first time alone over those at the second alone: the conditional
    estimate, with the limits of Clopper and Pearson for the share of the former among the pairs
    that changed (Breslow & Day, IARC 1980, 5.2). Infinite where no pair changed the other way.

    Returns:
        The estimate, whose `n` is the number of pairs that changed; None where none did.
    """
    changed = pairs.only_first + pairs.only_second
    if not changed:
        return None
    found = clopper_pearson(pairs.only_first, changed, level)
    low, high = (
        share / (1 - share) if share < 1 else math.inf for share in (found.low, found.high)
    )
    value = pairs.only_first / pairs.only_second if pairs.only_second else math.inf
    return Estimate(value, low, high, changed)


def noninferiority_pairs(
    discordant: float, margin: float, alpha: float = 0.025, power: float = 0.8
) -> int:
    """Pairs that show a loss to be below the margin, where a share `discordant` of them changes.

    Normal approximation with no true loss (Liu et al., Statistics in Medicine 2002).

    Raises:
        ValueError: the margin is not positive.
    """
    if margin <= 0:
        raise ValueError("the margin must be positive")
    z = NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)
    return math.ceil(z * z * discordant / margin**2)


def discordant_bounds(first: int, second: int, n: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Fewest and most pairs that changed, where only the two totals are known (Fréchet).

    Returns:
        bounds of the pairs that are a yes at the first time alone, and at the second alone.

    Raises:
        ValueError: a total is below zero or above `n`.
    """
    if not (0 <= first <= n and 0 <= second <= n):
        raise ValueError("totals must lie between zero and the number of pairs")
    together = max(0, first + second - n), min(first, second)
    return (
        (first - together[1], first - together[0]),
        (second - together[1], second - together[0]),
    )


def _phi(pairs: Pairs) -> float:
    """Correlation of both answers, with Newcombe's continuity correction where it is positive."""
    a, b, c, d = pairs.both, pairs.only_first, pairs.only_second, pairs.neither
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if not margins:
        return 0.0
    cross = a * d - b * c
    corrected = max(cross - pairs.n / 2, 0) if cross > 0 else cross
    return corrected / math.sqrt(margins)


def _bound(b: float, c: float, n: float, side: int, level: float) -> float:
    """The difference at which the score statistic reaches the level, on one side."""
    from scipy.optimize import brentq

    z = NormalDist().inv_cdf(0.5 + level / 2)
    end = float(side)

    def beyond(delta: float) -> float:
        return side * (_score(b, c, n, delta)) + z

    # At the end of the range the statistic may stay within the level: then that end is the bound.
    if beyond(end * (1 - 1e-12)) > 0:
        return end
    return float(brentq(beyond, (c - b) / n, end * (1 - 1e-12), xtol=1e-12))


def _score(b: float, c: float, n: float, delta: float) -> float:
    """Tango's statistic for a difference `delta`; zero at the observed one, falling in `delta`."""
    # the share of pairs that are a yes at the first time alone, most likely given the difference
    linear = -b - c + (2 * n - c + b) * delta
    square = linear**2 + 8 * n * b * delta * (1 - delta)
    q = (math.sqrt(max(0.0, square)) - linear) / (4 * n)
    variance = n * (2 * q + delta * (1 - delta))
    gap = c - b - n * delta
    if variance <= 0:
        return 0.0 if not gap else math.copysign(math.inf, gap)
    return gap / math.sqrt(variance)
