"""A ratio of sums in two periods, where clusters (queries, users) may be in one of them or in both.

The drop rate of a gate is documents dropped per document offered; documents of one query are not
independent of each other, and a query that is asked in both periods is paired with itself. All
that is needed are sums over the clusters, so that a database can do the summing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.stats.estimates import Z95, Estimate


@dataclass(frozen=True, slots=True)
class PeriodSums:
    """Sums over clusters of y (numerator) and n (denominator), before (0) and after (1).

    Attributes:
        clusters: clusters with a denominator in either period.
        n0, y0, n1, y1: plain sums.
        n0n0 and so on: sums of products within a cluster.
    """

    clusters: int
    n0: float
    y0: float
    n1: float
    y1: float
    n0n0: float
    n0y0: float
    y0y0: float
    n1n1: float
    n1y1: float
    y1y1: float
    n0n1: float
    n0y1: float
    y0n1: float
    y0y1: float

    @classmethod
    def of(cls, row: Mapping[str, Any], scale: float = 1.0) -> "PeriodSums":
        """Read them from a row of a query, in which each y is an integer in steps of 1/scale."""
        sums = {
            name: float(row[name] or 0) / scale ** name.count("y")
            for name in cls.__slots__
            if name != "clusters"
        }
        return cls(int(row["clusters"]), **sums)

    @property
    def testable(self) -> bool:
        """Whether there is something to compare: two clusters, a denominator in both periods."""
        return self.clusters > 1 and self.n0 > 0 and self.n1 > 0

    @property
    def before(self) -> float:
        """The ratio before."""
        return self.y0 / self.n0

    @property
    def after(self) -> float:
        """The ratio after."""
        return self.y1 / self.n1

    def variances(self) -> tuple[float, float, float]:
        """Variances of the ratio before and after, and their covariance, by the delta method.

        Of each cluster the residual y - ratio n counts (Deng, Knoblich & Lu, KDD 2018).
        """
        a, b = self.before, self.after
        grow = self.clusters / (self.clusters - 1)
        old = self.y0y0 - 2 * a * self.n0y0 + a * a * self.n0n0
        new = self.y1y1 - 2 * b * self.n1y1 + b * b * self.n1n1
        both = self.y0y1 - a * self.n0y1 - b * self.y0n1 + a * b * self.n0n1
        return (
            grow * max(0.0, old) / self.n0**2,
            grow * max(0.0, new) / self.n1**2,
            grow * both / (self.n0 * self.n1),
        )

    def level(self, *, after: bool) -> Estimate:
        """The ratio of one period, with a normal interval."""
        value = self.after if after else self.before
        half = Z95 * math.sqrt(self.variances()[1 if after else 0])
        return Estimate(value, value - half, value + half, self.clusters)

    @property
    def difference_se(self) -> float:
        """Standard error of after - before."""
        old, new, both = self.variances()
        return math.sqrt(max(0.0, old + new - 2 * both))

    @property
    def difference(self) -> Estimate:
        """After - before, with a normal interval."""
        value, half = self.after - self.before, Z95 * self.difference_se
        return Estimate(value, value - half, value + half, self.clusters)

    @property
    def p(self) -> float | None:
        """Two-sided p-value of an equal ratio in both periods; None where nothing varies."""
        se = self.difference_se
        if se <= 0:
            return None
        return math.erfc(abs(self.after - self.before) / se / math.sqrt(2))

    @property
    def ratio(self) -> Estimate | None:
        """After / before, with an interval that is normal in the logarithm.

        None where there is nothing to compare, or one of them is not positive.
        """
        if not self.testable or self.y0 <= 0 or self.y1 <= 0:
            return None
        a, b = self.before, self.after
        old, new, both = self.variances()
        half = Z95 * math.sqrt(max(0.0, old / a**2 + new / b**2 - 2 * both / (a * b)))
        return Estimate(b / a, b / a * math.exp(-half), b / a * math.exp(half), self.clusters)
