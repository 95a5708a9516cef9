"""Net promoter score: share of promoters minus share of detractors, with its interval.

A score lies between -1 and 1; a hundred times that is what is usually printed.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from casework.stats.estimates import Estimate

_SPREAD = 0.78
"""Standard deviation of an answer where half are promoters and a fifth are detractors."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How many answered 9 or 10, 7 or 8, and 0 to 6.

    Raises:
        ValueError: a count is negative, or nobody answered.
    """

    promoters: int
    passives: int
    detractors: int

    def __post_init__(self) -> None:
        if min(self.promoters, self.passives, self.detractors) < 0 or not self.n:
            raise ValueError("counts of answers must not be negative, and one above zero")

    @property
    def n(self) -> int:
        """Answers."""
        return self.promoters + self.passives + self.detractors

    @property
    def score(self) -> float:
        """Share of promoters minus share of detractors."""
        return (self.promoters - self.detractors) / self.n

    @property
    def standard_error(self) -> float:
        """Of the score, for independent answers: p + d - (p - d)^2 is the variance of one."""
        return _standard_error(self.promoters, self.detractors, self.n)


@dataclass(frozen=True, slots=True)
class Difference:
    """Score of the second wave minus that of the first, for independent answers.

    Attributes:
        value: the difference.
        standard_error: of the difference.
        z: the absolute difference in standard errors.
        p: two-sided p-value of no difference.
    """

    value: float
    standard_error: float
    z: float
    p: float


def wald(answers: Answers, level: float = 0.95) -> Estimate:
    """Score with the plain normal interval."""
    return _interval(answers.score, answers.standard_error, answers.n, level)


def adjusted_wald(answers: Answers, level: float = 0.95) -> Estimate:
    """Score with the adjusted Wald interval, which covers with few answers.

    Three answers are added, three quarters of one to the promoters and to the detractors each
    (Rocks, The American Statistician 2016). The value is the adjusted score.
    """
    p, d, n = answers.promoters + 0.75, answers.detractors + 0.75, answers.n + 3
    adjusted = _interval((p - d) / n, _standard_error(p, d, n), n, level)
    return Estimate(adjusted.value, adjusted.low, adjusted.high, answers.n)


def nps_difference(first: Answers, second: Answers) -> Difference:
    """Compare two waves of independent answers by z; accounts that answer twice need clusters.

    Where all of a wave gave the same answer, the spread is that of both waves together.
    """
    value = second.score - first.score
    se = math.hypot(first.standard_error, second.standard_error)
    if not se:
        n = first.n + second.n
        both = (first.promoters + second.promoters, first.detractors + second.detractors)
        se = _standard_error(*both, n) * math.sqrt(n / first.n + n / second.n)
    z = abs(value) / se if se else 0.0
    return Difference(value, se, z, 2 * NormalDist().cdf(-z))


def answers_needed(drop: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Answers in each of two waves that show a change of `drop` with such power.

    Raises:
        ValueError: `drop` is zero.
    """
    if not drop:
        raise ValueError("no number of answers shows a change of zero")
    z = NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)
    return math.ceil(2 * (z * _SPREAD / drop) ** 2)


def _standard_error(promoters: float, detractors: float, n: float) -> float:
    p, d = promoters / n, detractors / n
    return math.sqrt(max(0.0, p + d - (p - d) ** 2) / n)


def _interval(value: float, se: float, n: int, level: float) -> Estimate:
    half = NormalDist().inv_cdf(0.5 + level / 2) * se
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), n)
