"""The same items judged at two times, each perhaps several times: the item is what counts.

An item that is sampled k times has a share of yes at each time. The table of pairs is then that of
one sample drawn of each item, on average; with one sample an item it is the table of
`casework.stats.paired`. Samples of one item are alike, so they are never counted as items.
"""

import math
from dataclasses import dataclass, replace

from casework.stats.estimates import Estimate
from casework.stats.paired import Pairs, mcnemar, tango_of_counts
from casework.stats.sign_flips import with_unseen

_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class Repeats:
    """Sums over items; `p` and `q` are the shares of yes of an item, first and second.

    Attributes:
        n: items.
        both: sum of p q.
        only_first: sum of p (1 - q).
        only_second: sum of (1 - p) q.
        fewer: items with q below p.
        more: items with q above p.
        squares: sum of (q - p)^2.
        samples: samples of an item at one time, on average.

    Raises:
        ValueError: there is no item.
    """

    n: int
    both: float
    only_first: float
    only_second: float
    fewer: int
    more: int
    squares: float
    samples: float = 1.0

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError("there must be at least one item")

    @property
    def first(self) -> float:
        """Share of yes at the first time."""
        return (self.both + self.only_first) / self.n

    @property
    def second(self) -> float:
        """Share of yes at the second time."""
        return (self.both + self.only_second) / self.n

    @property
    def difference(self) -> float:
        """Share of yes at the second time minus that at the first."""
        return (self.only_second - self.only_first) / self.n

    @property
    def discordant(self) -> float:
        """Share of items that change, where one sample is drawn of each."""
        return (self.only_first + self.only_second) / self.n

    @property
    def moved(self) -> Pairs:
        """Items by the direction in which they moved; those that did not count as neither."""
        return Pairs(0, self.fewer, self.more, max(0, self.n - self.fewer - self.more))

    @property
    def cells(self) -> Pairs | None:
        """The table of pairs, where each item was judged once at each time."""
        if self.samples != 1:
            return None
        cells = round(self.both), round(self.only_first), round(self.only_second)
        return Pairs(*cells, self.n - sum(cells))

    def of(self, n: int) -> "Repeats":
        """As many items as given, of which the same shares change."""
        by = n / self.n
        return replace(
            self, n=n, both=by * self.both, only_first=by * self.only_first,
            only_second=by * self.only_second, squares=by * self.squares,
        )  # fmt: skip

    @property
    def n_eff(self) -> float:
        """Items with one sample each that would tell as much, between n and n times samples."""
        single = self.discordant - self.difference**2
        clustered = self.squares / self.n - self.difference**2
        if self.samples <= 1 or single <= 0:
            return float(self.n)
        if clustered * self.samples <= single:
            return self.n * self.samples
        return self.n * max(1.0, single / clustered)


def change(repeats: Repeats, level: float = 0.95) -> Estimate:
    """Difference of the shares with Tango's score interval at the effective number of items.

    The effective number is the variance of a single draw over that of the means of the items
    (the design effect; its use in a score interval as in Korn & Graubard, Survey Methodology
    1998). `n` of the estimate is the number of items.
    """
    scale = repeats.n_eff / repeats.n
    found = tango_of_counts(
        repeats.only_first * scale, repeats.only_second * scale, repeats.n_eff, level
    )
    return Estimate(repeats.difference, found.low, found.high, repeats.n)


def items_to_settle(repeats: Repeats, margin: float) -> int | None:
    """Least items, of which as many change as here, that exclude no loss or one beyond the margin.

    None beyond ten million, as with a margin of nought.
    """

    def settles(n: int) -> bool:
        found = change(repeats.of(n))
        return found.high < 0 or found.low > -margin

    low, high = 0, 1
    while not settles(high):
        low, high = high, 2 * high
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settles(middle) else (middle, high)
    return high


def sign_test(repeats: Repeats) -> float:
    """Two-sided exact p-value for as many items that fell as rose; McNemar's with one sample."""
    return mcnemar(repeats.moved).exact


def mean_change(n: int, total: float, squares: float, level: float = 0.95) -> Estimate | None:
    """Mean of paired differences with Student's interval; None for fewer than two.

    Widened to what few items cannot show (`casework.stats.sign_flips`).

    Args:
        n: items.
        total: sum of the differences.
        squares: sum of their squares.
        level: of the interval.
    """
    from scipy.stats import t

    if n < 2:
        return None
    mean = total / n
    variance = max(0.0, squares - n * mean**2) / (n - 1)
    half = float(t.ppf(0.5 + level / 2, n - 1)) * math.sqrt(variance / n)
    return with_unseen(Estimate(mean, mean - half, mean + half, n), math.sqrt(squares / n), level)
