"""The lift of an experiment in each of several stretches of time, and whether the lifts agree.

A unit is observed in several stretches, so its noise is in several lifts at once. The covariance
of the lifts takes that in: from sums of products within a unit, which a database can give.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from casework.stats.estimates import Z95, Estimate
from casework.stats.multiplicity import holm

Floats = NDArray[np.float64]

_ROUNDING = 1e-12
"""Share of the squares of a stretch below which what its ratio leaves of them is rounding."""


@dataclass(frozen=True, slots=True)
class ArmSums:
    """Sums over the units of one arm; R stretches of time, y numerator and n denominator.

    The arrays may have further axes in front, one entry for each way to deal the units.

    Attributes:
        units: units.
        active: units observed in each stretch, shape (R,).
        n, y: sums, shape (R,).
        nn, ny, yy: sums of products of a unit's n, or n and y, or y, in two stretches, (R, R).
    """

    units: int
    active: Floats
    n: Floats
    y: Floats
    nn: Floats
    ny: Floats
    yy: Floats

    def of(self, weights: ArrayLike) -> "ArmSums":
        """Sums over stretches joined by a matrix of zeros and ones, shape (stretches, R)."""
        w = np.asarray(weights, np.float64)
        return ArmSums(
            self.units, self.active @ w.T, self.n @ w.T, self.y @ w.T,
            w @ self.nn @ w.T, w @ self.ny @ w.T, w @ self.yy @ w.T,
        )  # fmt: skip

    @property
    def effective(self) -> Floats:
        """Units of equal weight that would be as precise in each stretch (Kish), shape (R,)."""
        squares = np.diagonal(self.nn, axis1=-2, axis2=-1)
        return np.asarray(self.n**2 / np.where(squares > 0, squares, 1.0))

    @property
    def ratio(self) -> Floats:
        """The metric in each stretch."""
        return self.y / self.n

    @property
    def covariance(self) -> Floats:
        """Covariance of the ratios by the delta method, residuals y - ratio n, shape (R, R).

        A stretch in which all units have the same ratio, such as none of some that are rare, has
        the variance for its observations that the others have.
        """
        r = self.ratio
        crossed = r[..., :, None] * self.ny
        squares = self.yy - crossed - np.swapaxes(crossed, -1, -2) + _outer(r) * self.nn
        squares = squares + self._unseen(squares)[..., None] * np.eye(squares.shape[-1])
        grow = self.units / max(1, self.units - 1)
        return np.asarray(grow * squares / _outer(self.n))

    def _unseen(self, squares: Floats) -> Floats:
        """What stretches without a residual lack of those that all of them have, shape (R,)."""
        own, n, y = (np.diagonal(a, axis1=-2, axis2=-1) for a in (squares, self.nn, self.yy))
        varies = own > _ROUNDING * y
        below = (n * varies).sum(axis=-1, keepdims=True)
        usual = (own * varies).sum(axis=-1, keepdims=True) / np.where(below > 0, below, 1.0)
        return np.asarray(np.where(varies, 0.0, usual * n))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Do correlated effects agree?

    Attributes:
        q: Cochran's statistic with the whole covariance; his own where effects are independent.
        df: effects - 1.
        p: its p-value if all effects are the same.
        i2: share of the variation beyond chance, 0 to 1.
    """

    q: float
    df: int
    p: float
    i2: float


@dataclass(frozen=True, slots=True)
class Lifts:
    """Lifts of the stretches, shape (R,), with their covariance, shape (R, R)."""

    values: Floats
    covariance: Floats
    units: tuple[int, ...]

    def estimate(self, i: int) -> Estimate:
        """One of them with a normal interval."""
        half = Z95 * math.sqrt(max(0.0, float(self.covariance[i, i])))
        value = float(self.values[i])
        return Estimate(value, value - half, value + half, self.units[i])

    def of(self, which: Sequence[int]) -> "Lifts":
        """Some of them."""
        chosen = list(which)
        units = tuple(self.units[i] for i in chosen)
        return Lifts(self.values[chosen], self.covariance[np.ix_(chosen, chosen)], units)

    def widened(self, factors: Sequence[float]) -> "Lifts":
        """With intervals so many times as wide, shape (R,)."""
        return replace(self, covariance=self.covariance * _outer(np.asarray(factors, np.float64)))

    def without_first(self) -> "Lifts":
        """All but the first, which is the pooled one in `pooled_and_stretches`."""
        return self.of(range(1, len(self.values)))

    def agreement(self) -> Agreement | None:
        """Test whether all are the same; None with fewer than two."""
        if len(self.values) < 2:
            return None
        q = misfit(self, np.ones((len(self.values), 1)))
        df = len(self.values) - 1
        return Agreement(q, df, float(chdtrc(df, q)), max(0.0, 1 - df / q) if q > 0 else 0.0)


def lifts(control: ArmSums, treatment: ArmSums) -> Lifts:
    """Treatment minus control in each stretch (Deng, Knoblich & Lu, KDD 2018, by unit)."""
    units = tuple(int(x) for x in control.active + treatment.active)
    return Lifts(treatment.ratio - control.ratio, control.covariance + treatment.covariance, units)


def pooled_and_stretches(control: ArmSums, treatment: ArmSums) -> Lifts:
    """The lift over all stretches as one, first, then each; with their joint covariance."""
    join = np.vstack([np.ones(len(control.n)), np.eye(len(control.n))])
    found = lifts(control.of(join), treatment.of(join))
    everyone = control.units + treatment.units
    return replace(found, units=(everyone, *found.units[1:]))


def contrast(found: Lifts, i: int, j: int) -> Estimate:
    """Effect i minus effect j, with what both have in common taken off."""
    c = found.covariance
    half = Z95 * math.sqrt(max(0.0, float(c[i, i] + c[j, j] - 2 * c[i, j])))
    value = float(found.values[i] - found.values[j])
    return Estimate(value, value - half, value + half, min(found.units[i], found.units[j]))


def misfit(found: Lifts, design: ArrayLike) -> float:
    """What a linear model leaves of the lifts: generalised sum of squares, chi-squared if it holds.

    Args:
        found: the lifts.
        design: shape (R, parameters).
    """
    x = np.asarray(design, np.float64)
    inverse = np.linalg.pinv(found.covariance, hermitian=True)
    beta = np.linalg.pinv(x.T @ inverse @ x) @ x.T @ inverse @ found.values
    rest = found.values - x @ beta
    return float(rest @ inverse @ rest)


def pairs(found: Lifts) -> list[tuple[int, int, Estimate, float]]:
    """All pairs of stretches: the later minus the earlier, with p-values adjusted by Holm.

    Altman & Bland, BMJ 2003, with the covariance of both.
    """
    r = len(found.values)
    places = [(i, j) for i in range(r) for j in range(i + 1, r)]
    estimates = [contrast(found, j, i) for i, j in places]
    raw = []
    for e in estimates:
        se = (e.high - e.low) / (2 * Z95)
        raw.append(math.erfc(abs(e.value) / se / math.sqrt(2)) if se > 0 else 1.0)
    adjusted = holm(raw)
    return [(i, j, e, p) for (i, j), e, p in zip(places, estimates, adjusted, strict=True)]


def _outer(x: Floats) -> Floats:
    return np.asarray(x[..., :, None] * x[..., None, :])


def p_beyond(e: Estimate, margin: float) -> float:
    """P-value of an effect no larger than a margin on either side, from its normal interval."""
    se = (e.high - e.low) / (2 * Z95)
    if se <= 0:
        return float(abs(e.value) <= margin)
    return min(1.0, math.erfc((abs(e.value) - margin) / se / math.sqrt(2)))
