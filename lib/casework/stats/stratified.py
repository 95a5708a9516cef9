"""A share of a finite set from a sample drawn within strata, weighted by what each row weighs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from casework.stats.estimates import Z95, Estimate


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum: all its rows, and sums over those that were sampled.

    A row has a weight w and a value y between 0 and 1, which is a share of votes where raters
    are split.

    Attributes:
        weight: sum of w over all rows.
        rows: all rows.
        sampled: rows in the sample.
        w: sum of w over the sample.
        ww: sum of w squared.
        wy: sum of w times y.
        wwy: sum of w squared times y.
        wwyy: sum of w squared times y squared.
    """

    weight: float
    rows: int
    sampled: int
    w: float
    ww: float
    wy: float
    wwy: float
    wwyy: float

    @property
    def share(self) -> float | None:
        """Weighted mean of y over the sample; None without one that weighs."""
        return min(1.0, max(0.0, self.wy / self.w)) if self.w > 0 else None

    def effective(self, reliability: float = 1.0) -> float:
        """Independent rows of one weight that would tell as much.

        From the linearised variance of a ratio (Cochran, Sampling Techniques, 6.4), at most the
        sample; by Kish where all y are the same. The correction for drawing without return is made
        for the reliable part of the variance alone: what raters err in, a whole stratum shows too.
        Infinite for a whole stratum that is judged without error.
        """
        left = 1 - reliability * self.sampled / self.rows
        if left <= 0:
            return math.inf
        p = self.share or 0.0
        kish = self.w**2 / self.ww
        spread = self.wwyy - 2 * p * self.wwy + p * p * self.ww
        by_spread = p * (1 - p) * self.w**2 / spread if spread > 1e-12 * self.ww else kish
        n = min(by_spread, float(self.sampled)) if 0 < p < 1 else kish
        return n / left


@dataclass(frozen=True, slots=True)
class Stratified:
    """A share over all strata.

    Attributes:
        estimate: over the rows of all strata, in units of the whole weight.
        covered: share of the weight in strata of which at least one row was sampled.
        effective: effective rows behind the estimate; infinite for a census.
    """

    estimate: Estimate
    covered: float
    effective: float


def stratified_share(
    strata: Sequence[Stratum], whole: float | None = None, reliability: float = 1.0
) -> Stratified | None:
    """Sum of W_h p_h with an interval from the Wilson limits of the strata, 95 %.

    Limits of the strata are combined by the squares of their distances (MOVER: Zou & Donner,
    Statistics in Medicine 2008; for strata Yan & Su, Statistics in Biopharmaceutical Research
    2010). A stratum of which nothing was sampled may hold any share: its weight widens the interval
    by itself (Manski), and the value takes it to be as the others are.

    Args:
        strata: all strata of the part of the set that is asked about.
        whole: weight of the whole set, of which the share is one; else that of the strata.
        reliability: share of the variance of y that is no error of judgement, such as alpha.

    Returns:
        None where nothing was sampled or nothing weighs.
    """
    total = whole if whole is not None else sum(s.weight for s in strata)
    seen = [s for s in strata if s.share is not None]
    weighed, every = sum(s.weight for s in seen), sum(s.weight for s in strata)
    if not seen or total <= 0 or weighed <= 0:
        return None
    value = below = above = variance = 0.0
    for s in seen:
        p, part = s.share or 0.0, s.weight / total
        n = s.effective(reliability)
        low, high = wilson_limits(p, n)
        value += part * p
        below += (part * (p - low)) ** 2
        above += (part * (high - p)) ** 2
        variance += 0.0 if math.isinf(n) else (s.weight / weighed) ** 2 / n
    unseen = (every - weighed) / total
    estimate = Estimate(
        value * every / weighed,
        max(0.0, value - math.sqrt(below)),
        min(every / total, value + math.sqrt(above) + unseen),
        sum(s.sampled for s in seen),
    )
    return Stratified(estimate, weighed / every, 1 / variance if variance else math.inf)


def wilson_limits(p: float, n: float) -> tuple[float, float]:
    """Score limits, 95 %, of a share `p` of effectively `n` rows (Wilson, JASA 1927)."""
    if math.isinf(n):
        return p, p
    zz = Z95 * Z95
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z95 / (1 + zz / n) * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))
