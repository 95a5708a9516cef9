"""Shares of two arms, in one table and over strata that must not be pooled.

Stages of a ramp differ in allocation and in time: pooled over them, a treatment that wins on
every day can lose (Crook et al., Seven pitfalls to avoid when running controlled experiments on
the web, KDD 2009). Compare within strata, then combine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from casework.stats.estimates import Z95, Estimate


@dataclass(frozen=True, slots=True)
class TwoProportions:
    """Second share against the first.

    Attributes:
        z: the statistic, positive where the second share is larger.
        p: two-sided p-value.
        relative_lift: second share over the first, minus one; None if the first is zero.
    """

    z: float
    p: float
    relative_lift: float | None


def two_proportion_z(k: Sequence[float], n: Sequence[float]) -> TwoProportions:
    """Compare shares `k[i]` of `n[i]` by the z-test with pooled variance.

    The n must be independent units: with requests as units it calls A/A tests significant most
    of the time, see `casework.stats.lift.ratio_difference`.
    """
    (k0, k1), (n0, n1) = map(float, k), map(float, n)
    pooled = (k0 + k1) / (n0 + n1)
    se = math.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1))
    z = (k1 / n1 - k0 / n0) / se if se else 0.0
    lift = (k1 / n1) / (k0 / n0) - 1 if k0 else None
    return TwoProportions(z, math.erfc(abs(z) / math.sqrt(2)), lift)


@dataclass(frozen=True, slots=True)
class Stratified:
    """Treatment against control over strata. A value is None where the tables do not define it.

    Attributes:
        odds_ratio: Mantel-Haenszel, with the interval of Robins, Breslow & Greenland 1986.
        risk_difference: Mantel-Haenszel, with the interval of Sato 1989.
        chi2: Cochran-Mantel-Haenszel statistic, one degree of freedom.
        p: its p-value.
        breslow_day_p: of equal odds ratios in all strata.
        woolf_chi2: the same question by the log odds ratios, each cell plus 1/2.
        woolf_p: its p-value.
        differences: of the shares, treatment - control, per stratum that holds both arms.
        pooled_shares: treatment and control over all strata thrown together.
        pooled_difference: of those.
        pooled_odds_ratio: of those.
        simpson_reversal: whether pooling turns the sign of the stratified difference.
    """

    odds_ratio: Estimate | None
    risk_difference: Estimate
    chi2: float | None
    p: float | None
    breslow_day_p: float | None
    woolf_chi2: float | None
    woolf_p: float | None
    differences: tuple[float, ...]
    pooled_shares: tuple[float, float]
    pooled_difference: float
    pooled_odds_ratio: float | None
    simpson_reversal: bool


def mantel_haenszel(tables: ArrayLike, *, correction: bool = False) -> Stratified | None:
    """Combine 2x2 tables, shape (strata, 2, 2): [[treated yes, no], [control yes, no]].

    Args:
        tables: counts of units.
        correction: subtract 1/2 in the Cochran-Mantel-Haenszel statistic, as R does.

    Returns:
        The comparison over the strata that hold both arms, or None if there is none.
    """
    # statsmodels takes several seconds to import
    from statsmodels.stats.contingency_tables import StratifiedTable

    counts = np.asarray(tables, np.float64)
    counts = counts[(counts.sum(axis=2) > 0).all(axis=1)]
    if not len(counts):
        return None
    difference, woolf = _risk_difference(counts), _woolf(counts)
    both, per_stratum = counts.sum(axis=0), counts[:, :, 0] / counts.sum(axis=2)
    treated, control = (both[:, 0] / both.sum(axis=1)).tolist()
    with np.errstate(divide="ignore", invalid="ignore"):
        table = StratifiedTable(list(counts))
        odds, (low, high) = float(table.oddsratio_pooled), table.oddsratio_pooled_confint()
        null = table.test_null_odds(correction=correction)
        equal_p = table.test_equal_odds().pvalue if len(counts) > 1 else math.nan
        pooled_odds = both[0, 0] * both[1, 1] / (both[0, 1] * both[1, 0])
    return Stratified(
        odds_ratio=Estimate(odds, float(low), float(high), difference.n)
        if low < high < math.inf
        else None,
        risk_difference=difference,
        chi2=_finite(null.statistic),
        p=_finite(null.pvalue),
        breslow_day_p=_finite(equal_p),
        woolf_chi2=woolf.q if woolf else None,
        woolf_p=woolf.p if woolf else None,
        differences=tuple((per_stratum[:, 0] - per_stratum[:, 1]).tolist()),
        pooled_shares=(treated, control),
        pooled_difference=treated - control,
        pooled_odds_ratio=_finite(pooled_odds),
        simpson_reversal=(treated - control) * difference.value < 0,
    )


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Do several effects differ by more than their errors?

    Attributes:
        q: Cochran's statistic.
        df: effects - 1.
        p: its p-value under equal effects.
        i2: share of the variation beyond chance, 0 to 1 (Higgins & Thompson 2002).
        pooled: mean effect with weights 1/variance.
        se: its standard error, if the effects are equal.
    """

    q: float
    df: int
    p: float
    i2: float
    pooled: float
    se: float


def cochran_q(effects: ArrayLike, variances: ArrayLike) -> Heterogeneity:
    """Test independent effects, shape (k,), for equality (Cochran 1954).

    Raises:
        ValueError: if there are fewer than two effects or a variance is not positive.
    """
    values, weights = np.asarray(effects, np.float64), 1 / np.asarray(variances, np.float64)
    if len(values) < 2 or not np.all((weights > 0) & np.isfinite(weights)):
        raise ValueError("needs two or more effects with positive variances")
    pooled = float(weights @ values / weights.sum())
    q, df = float(weights @ (values - pooled) ** 2), len(values) - 1
    i2 = max(0.0, 1 - df / q) if q else 0.0
    return Heterogeneity(q, df, float(chdtrc(df, q)), i2, pooled, float(weights.sum() ** -0.5))


def _risk_difference(counts: NDArray[np.float64]) -> Estimate:
    """Mantel-Haenszel difference with Sato's variance.

    Sato's variance holds for few large strata and for many sparse ones (Sato, Biometrics
    1989;45:1323), unlike that of Greenland & Robins 1985.
    """
    a, c = counts[:, 0, 0], counts[:, 1, 0]
    n1, n0 = counts[:, 0].sum(axis=1), counts[:, 1].sum(axis=1)
    n = n1 + n0
    weight = float((n1 * n0 / n).sum())
    value = float(((a * n0 - c * n1) / n).sum()) / weight
    p = (n1**2 * c - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2
    q = (a * (n0 - c) + c * (n1 - a)) / (2 * n)
    half = Z95 * math.sqrt(max(0.0, value * float(p.sum()) + float(q.sum()))) / weight
    return Estimate(value, value - half, value + half, int(n.sum()))


def _woolf(counts: NDArray[np.float64]) -> Heterogeneity | None:
    if len(counts) < 2:
        return None
    cells = counts + 0.5
    log_odds = np.log(cells[:, 0, 0] * cells[:, 1, 1] / (cells[:, 0, 1] * cells[:, 1, 0]))
    return cochran_q(log_odds, (1 / cells).sum(axis=(1, 2)))


def _finite(x: float) -> float | None:
    return float(x) if math.isfinite(x) else None
