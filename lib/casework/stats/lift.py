"""The lift of an experiment: as read out, adjusted for who was in the arms, and how sure it is.

All functions take sums, not rows, so that a database can do the summing. The rows summed must be
units of randomisation: requests of one user are not independent of each other.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr, stdtrit

from casework.stats.estimates import Z95, Estimate

Floats = NDArray[np.float64]
Pair = tuple[float, float]

NORMAL = NormalDist()
NEGLIGIBLE = 1e-10
"""Share of a column's second moment below which its variance is rounding error."""


@dataclass(frozen=True, slots=True)
class Difference(Estimate):
    """A difference of two arms, treatment - control.

    Attributes:
        se: its standard error.
        p: two-sided p-value of no difference.
    """

    se: float
    p: float


def difference_of_means(n: tuple[int, int], mean: Pair, var: Pair) -> Difference:
    """Difference of means, each argument (control, treatment), with unequal variances.

    Welch, Biometrika 1947: t interval with the Welch-Satterthwaite degrees of freedom.

    Args:
        n: units per arm.
        mean: means per arm.
        var: variances per arm, with denominator n - 1.

    Raises:
        ValueError: if an arm has fewer than two units.
    """
    if min(n) < 2:
        raise ValueError("needs at least two units per arm")
    parts = [v / m for v, m in zip(var, n, strict=True)]
    share = sum(part**2 / (m - 1) for part, m in zip(parts, n, strict=True))
    df = sum(parts) ** 2 / share if share else math.inf
    return _difference(mean[1] - mean[0], math.sqrt(sum(parts)), sum(n), df)


@dataclass(frozen=True, slots=True)
class RatioSums:
    """Sums over the units of one arm for a ratio metric sum Y / sum N, such as clicks per request.

    Attributes:
        n: units.
        y: sum of the numerators Y.
        d: sum of the denominators N.
        yy: sum of Y squared.
        yd: sum of Y times N.
        dd: sum of N squared.
    """

    n: float
    y: float
    d: float
    yy: float
    yd: float
    dd: float

    @property
    def ratio(self) -> float:
        """The metric of the arm."""
        return self.y / self.d

    @property
    def variance(self) -> float:
        """Variance of the metric by the delta method, with residuals e = Y - ratio N."""
        squares = self.yy - 2 * self.ratio * self.yd + self.ratio**2 * self.dd
        return max(0.0, squares) / ((self.n - 1) * self.n * (self.d / self.n) ** 2)


def ratio_difference(control: RatioSums, treatment: RatioSums) -> Difference:
    """Difference of a ratio metric whose denominator varies by unit, with a normal interval.

    Deng, Knoblich & Lu, Applying the delta method in metric analytics, KDD 2018.

    Raises:
        ValueError: if an arm has fewer than two units or no denominator.
    """
    if min(control.n, treatment.n) < 2 or min(control.d, treatment.d) <= 0:
        raise ValueError("needs at least two units and a positive denominator per arm")
    se = math.sqrt(control.variance + treatment.variance)
    return _difference(treatment.ratio - control.ratio, se, control.n + treatment.n, math.inf)


def _difference(value: float, se: float, n: float, df: float) -> Difference:
    """Interval and p-value by Student's t, which is the normal for infinite `df`."""
    half = float(stdtrit(df, 0.975)) * se
    p = 2 * float(stdtr(df, -abs(value) / se)) if se else float(value == 0)
    low, high = float(value - half), float(value + half)
    return Difference(float(value), low, high, int(n), float(se), p)


def exaggeration(effect: float, se: float) -> float:
    """Mean factor by which a significant result overstates a true `effect` measured with `se`.

    The type M error of Gelman & Carlin, Perspectives on Psychological Science 2014, at 5 %, in
    the closed form of Lu, Qiu & Deng, BJMSP 2019. Infinite for no effect.

    Raises:
        ValueError: if `se` is not positive.
    """
    if se <= 0:
        raise ValueError("needs a positive standard error")
    if effect == 0:
        return math.inf
    size = abs(effect) / se
    above, below = NORMAL.cdf(size - Z95), NORMAL.cdf(-size - Z95)
    mean = size * (above - below) + NORMAL.pdf(Z95 - size) + NORMAL.pdf(Z95 + size)
    return mean / (above + below) / size


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums over random groups of units (by hash), per arm: axis 0 is control, treatment.

    The last of the d columns is the outcome, those before it are pre-exposure covariates. Take
    a common mean off each column before summing, or squares of large numbers lose the variance.
    The groups stand for the units in the bootstrap: make 100 or more.

    Attributes:
        n: units, shape (2, G).
        s: sums, shape (2, G, d).
        ss: sums of products of the columns, shape (2, G, d, d).
    """

    n: Floats
    s: Floats
    ss: Floats


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Raw lift = adjusted lift + composition part, in the unit of the outcome.

    Attributes:
        raw: difference of the mean outcomes, treatment - control.
        adjusted: what is left of it between units with the same covariates.
        composition: what the difference in covariates accounts for.
        share: composition over raw; None if the interval of `raw` holds zero, since the share
            of what may be nothing can be any number.
        raw_excludes_zero: whether the interval of `raw` excludes zero, so that there is a share.
        parts: the composition part of each covariate; they sum to `composition`.
        slopes: the regression coefficient of each covariate, pooled within the arms.
    """

    raw: Estimate
    adjusted: Estimate
    composition: Estimate
    share: Estimate | None
    raw_excludes_zero: bool
    parts: tuple[float, ...]
    slopes: tuple[float, ...]


def decompose(cells: Cells, draws: int = 999, seed: int = 0) -> Decomposition:
    """Split the raw lift by regression on the covariates (CUPED with several covariates).

    The slope theta comes from the regression pooled within the arms, so that `adjusted` is the
    coefficient of the arm in `y ~ arm + covariates`; composition = theta . (difference of the
    covariate means). Deng et al., Improving the sensitivity of online controlled experiments,
    WSDM 2013. Intervals are 95 % percentiles of a bootstrap of the groups within each arm.

    Args:
        cells: sums per arm and group.
        draws: bootstrap draws.
        seed: of the bootstrap; the same seed gives the same result.

    Raises:
        ValueError: if an arm has units in fewer than two groups, or there is no covariate.
    """
    groups = (cells.n > 0).sum(axis=1)
    if cells.s.shape[-1] < 2 or min(groups) < 2:
        raise ValueError("needs a covariate, and two groups with units per arm")
    (raw,), (parts,), (theta,) = _split_once(cells)
    rng = np.random.default_rng(seed)
    raws, parts_drawn, _ = _split(
        *(_total(cells, arm, _weights(cells, arm, draws, rng)) for arm in (0, 1))
    )
    composition, compositions = parts.sum(), parts_drawn.sum(axis=1)
    n = int(cells.n.sum())
    few = int(min(groups))
    lift = _estimate(raw, raws, n, few)
    defined = lift.excludes(0)
    return Decomposition(
        raw=lift,
        adjusted=_estimate(raw - composition, raws - compositions, n, few),
        composition=_estimate(composition, compositions, n, few),
        share=_estimate(composition / raw, compositions / raws, n, few) if defined else None,
        raw_excludes_zero=defined,
        parts=tuple(parts.tolist()),
        slopes=tuple(theta.tolist()),
    )


def slopes(cells: Cells) -> tuple[float, ...]:
    """Regression coefficient of each covariate, pooled within the arms, as in `decompose`."""
    return tuple(_split_once(cells)[2][0].tolist())


@dataclass(frozen=True, slots=True)
class _Total:
    """Sums over all groups of an arm, per draw: shapes (draws,), (draws, d), (draws, d, d)."""

    n: Floats
    s: Floats
    ss: Floats

    @property
    def mean(self) -> Floats:
        return self.s / self.n[:, None]

    @property
    def within(self) -> Floats:
        """Sums of products about the mean of the arm."""
        return self.ss - self.mean[:, :, None] * self.s[:, None, :]


def _weights(cells: Cells, arm: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each group is drawn, shape (draws, G); groups without units stay out."""
    filled = cells.n[arm] > 0
    size = int(filled.sum())
    weights = np.zeros((draws, len(filled)))
    weights[:, filled] = rng.multinomial(size, np.full(size, 1 / size), size=draws)
    return weights


def _total(cells: Cells, arm: int, weights: Floats) -> _Total:
    groups, d = cells.s.shape[1:]
    products = weights @ cells.ss[arm].reshape(groups, d * d)
    return _Total(weights @ cells.n[arm], weights @ cells.s[arm], products.reshape(-1, d, d))


def _split_once(cells: Cells) -> tuple[Floats, Floats, Floats]:
    """What `_split` gives for the groups as they are, without a draw."""
    once = np.ones((1, cells.n.shape[1]))
    return _split(_total(cells, 0, once), _total(cells, 1, once))


def _split(control: _Total, treatment: _Total) -> tuple[Floats, Floats, Floats]:
    """Raw lift, (draws,), its composition part by covariate, (draws, d - 1), and the slopes."""
    gap = treatment.mean - control.mean
    within = control.within + treatment.within
    spread = np.diagonal(within, axis1=1, axis2=2)[:, :-1]
    moment = np.diagonal(control.ss + treatment.ss, axis1=1, axis2=2)[:, :-1]
    constant = spread <= NEGLIGIBLE * moment
    scale = np.where(constant, np.inf, np.sqrt(np.where(constant, 1.0, spread)))
    correlation = within[:, :-1, :-1] / scale[:, :, None] / scale[:, None, :]
    # the pseudo-inverse shares the slope among covariates that repeat each other
    inverse = np.linalg.pinv(correlation, rcond=NEGLIGIBLE, hermitian=True)
    theta = (inverse @ (within[:, :-1, -1] / scale)[:, :, None])[:, :, 0] / scale
    return gap[:, -1], theta * gap[:, :-1], theta


def _estimate(value: float, drawn: Floats, n: int, groups: int) -> Estimate:
    """Take the percentiles, a little further out than 95 % for the bias of few groups.

    The expanded percentile interval of Hesterberg, The American Statistician 2015;69:371: plain
    percentiles are narrow by sqrt((G - 1) / G) and by the normal in place of Student's t.
    """
    tail = ndtr(math.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, 0.025))
    low, high = np.quantile(drawn, [tail, 1 - tail], method="weibull").tolist()
    return Estimate(float(value), low, high, n)
