"""Do the arms hold the same kind of units, and what follows for the lift if they do not?

All covariates must stem from before the exposure; what the treatment can move is an outcome.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from casework.stats.estimates import PRINTED_95, Estimate


def standardised_difference(mean_a: float, var_a: float, mean_b: float, var_b: float) -> float:
    """Difference of means, a - b, in units of the standard deviation averaged over the arms.

    Does not grow with n, unlike a test statistic (Austin, Statistics in Medicine 2009;28:3083).
    Zero where neither arm varies and the means agree, infinite where they then differ.
    """
    gap, spread = mean_a - mean_b, math.sqrt((var_a + var_b) / 2)
    if spread == 0:
        return math.copysign(math.inf, gap) if gap else 0.0
    return gap / spread


def standardised_difference_of_shares(p1: float, p0: float) -> float:
    """Standardised difference, 1 - 0, of a yes-or-no covariate (Austin 2009)."""
    return standardised_difference(p1, p1 * (1 - p1), p0, p0 * (1 - p0))


def standardised_interval(difference: float, n1: int, n0: int, level: float = 0.95) -> Estimate:
    """Interval of a standardised difference between arms of `n1` and `n0` units.

    Normal approximation with variance 1/n1 + 1/n0 + d^2 / 2(n1 + n0) (Hedges & Olkin 1985). An
    infinite difference, of arms that do not vary and differ, is its own interval.
    """
    if math.isinf(difference):
        return Estimate(difference, difference, difference, n1 + n0)
    se = math.sqrt(1 / n1 + 1 / n0 + difference**2 / (2 * (n1 + n0)))
    half = NormalDist().inv_cdf(0.5 + level / 2) * se
    return Estimate(difference, difference - half, difference + half, n1 + n0)


def chance_band(n1: int, n0: int, z: float = PRINTED_95) -> float:
    """Half-width of the band that holds a standardised difference of random arms.

    The default `z` is for 95 % of single covariates; with 500 against 9,500 units the band is
    already 0.09, so that the usual flag at 0.1 is nearly chance.
    """
    return z * math.sqrt(1 / n1 + 1 / n0)


def kish(weights: ArrayLike) -> float:
    """Effective number of units with unequal weights, (sum w)^2 / sum w^2 (Kish 1965)."""
    w = np.asarray(weights, np.float64)
    return kish_from_sums(float(w.sum()), float(w @ w))


def kish_from_sums(sum_w: float, sum_w2: float) -> float:
    """Effective number of units from the sum of weights and of their squares; 0 for no weight."""
    return sum_w**2 / sum_w2 if sum_w2 else 0.0


@dataclass(frozen=True, slots=True)
class Kitagawa:
    """A difference of two means, treatment - control, as the sum of two terms.

    Attributes:
        total: the difference of the means.
        composition: due to other shares of the groups.
        rate: due to other values within the groups.
    """

    total: float
    composition: float
    rate: float


def kitagawa(w_t: ArrayLike, w_c: ArrayLike, y_t: ArrayLike, y_c: ArrayLike) -> Kitagawa:
    """Split the difference of two arms over groups, each array of shape (groups,).

    `w` are the shares of the groups in an arm, `y` their mean outcomes. The two-term form, with
    the average of the arms as reference, leaves no interaction term (Kitagawa, JASA 1955).
    """
    wt, wc, yt, yc = (np.asarray(a, np.float64) for a in (w_t, w_c, y_t, y_c))
    composition = float((wt - wc) @ (yt + yc) / 2)
    rate = float((wt + wc) @ (yt - yc) / 2)
    return Kitagawa(composition + rate, composition, rate)


def transport(w_population: Sequence[float], effects: Sequence[float]) -> float:
    """Effect on a population with stratum shares `w_population`, from the effects per stratum.

    Shares may be on any scale. This is post-stratification: it holds if the strata carry all
    that makes the effect differ between the sample and the population.

    Raises:
        ValueError: if a stratum with weight has no finite effect: it was never observed, and
            the population effect cannot be known.
    """
    weights = np.asarray(w_population, np.float64)
    used = weights > 0
    values = np.asarray(effects, np.float64)[used]
    if not np.all(np.isfinite(values)):
        raise ValueError("a stratum of the population was not observed")
    return float(weights[used] @ values / weights[used].sum())


def transport_interval(w_population: Sequence[float], effects: Sequence[Estimate]) -> Estimate:
    """Transport effects with their intervals; the strata must hold different units.

    The half-widths are combined by MOVER (Zou & Donner, Statistics in Medicine
    2008;27:1693), which keeps asymmetric intervals asymmetric.
    """
    value = transport(w_population, [e.value for e in effects])
    total = sum(w_population)
    used = [(w / total, e) for w, e in zip(w_population, effects, strict=True) if w > 0]
    below = math.hypot(*(share * (e.value - e.low) for share, e in used))
    above = math.hypot(*(share * (e.high - e.value) for share, e in used))
    return Estimate(value, value - below, value + above, sum(e.n for _, e in used))


def evaporated_share(local: float, transported: float) -> float | None:
    """Share of a local effect that is not there in the population; None without local effect."""
    return 1 - transported / local if local else None


@dataclass(frozen=True, slots=True)
class Independence:
    """Pearson's test that rows and columns of a table of counts are independent.

    Attributes:
        chi2: the statistic, without continuity correction.
        p: its p-value.
        df: degrees of freedom, after rows and columns without counts are left out.
        cramers_v: effect size from 0 to 1.
    """

    chi2: float
    p: float
    df: int
    cramers_v: float


def independence(table: ArrayLike) -> Independence | None:
    """Test a table of counts, shape (rows, columns), such as sign-up cohort by arm.

    Returns:
        The test, or None where fewer than two rows or two columns hold any count.
    """
    from scipy.stats import chi2_contingency

    counts = np.asarray(table, np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return None
    test = chi2_contingency(counts, correction=False)
    v = math.sqrt(float(test.statistic) / (counts.sum() * (min(counts.shape) - 1)))
    return Independence(float(test.statistic), float(test.pvalue), int(test.dof), v)
