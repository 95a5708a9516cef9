"""Are the counts per arm those that the allocation should give? Sample ratio mismatch (SRM).

Count units of randomisation here, never requests: with a heavy tail of activity the request
counts of a perfect split fail the test most of the time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The fixed-sample test of counts against shares.

    Attributes:
        chi2: Pearson's statistic, arms - 1 degrees of freedom.
        p: its p-value. A p near 1 is a sign too: an allocation more even than chance allows.
        cohens_w: effect size, the root of chi2 per unit.
        ratio: second count per first (treatment per control); None unless there are two arms
            and the first has units.
    """

    chi2: float
    p: float
    cohens_w: float
    ratio: float | None


def sample_ratio(counts: Sequence[int], expected: Sequence[float]) -> SampleRatio:
    """Test counts per arm against expected shares (any positive scale) with Pearson's chi-square.

    Fabijan et al., Diagnosing Sample Ratio Mismatch, KDD 2019.

    Raises:
        ValueError: if there are fewer than two arms, a share is not positive, or no unit.
    """
    from scipy.stats import chisquare

    observed, shares = np.asarray(counts, np.float64), _shares(expected)
    total = float(observed.sum())
    if len(observed) != len(shares) or total <= 0:
        raise ValueError("needs one count per share and at least one unit")
    test = chisquare(observed, shares * total)
    two = len(observed) == 2 and observed[0] > 0
    return SampleRatio(
        chi2=float(test.statistic),
        p=float(test.pvalue),
        cohens_w=math.sqrt(float(test.statistic) / total),
        ratio=float(observed[1] / observed[0]) if two else None,
    )


@dataclass(frozen=True, slots=True)
class SequentialSampleRatio:
    """The running test after each increment; natural logarithms.

    Attributes:
        log_m0: log likelihood of the increments so far under the intended shares.
        log_m1: log marginal likelihood under unknown shares.
        log_bayes_factor: log_m1 - log_m0.
        p: anytime-valid p-value, min(1, smallest 1/BF so far): may be looked at after every
            increment without inflating the false alarms.
    """

    log_m0: tuple[float, ...]
    log_m1: tuple[float, ...]
    log_bayes_factor: tuple[float, ...]
    p: tuple[float, ...]


def sequential_sample_ratio(
    increments: ArrayLike, p0: Sequence[float], concentration: Sequence[float] | None = None
) -> SequentialSampleRatio:
    """Test increments of counts, shape (looks, arms), against the intended shares `p0`.

    The multinomial e-process of Lindon & Malek, Anytime-valid inference for multinomial count
    data, NeurIPS 2022: under the alternative the shares are Dirichlet(`concentration`), by
    default 10,000 times `p0`, which is tuned to mismatches of about one percent.

    Raises:
        ValueError: if a share is not positive or the shapes differ.
    """
    counts, shares = np.asarray(increments, np.float64), _shares(p0)
    prior = 1e4 * shares if concentration is None else np.asarray(concentration, np.float64)
    if counts.ndim != 2 or counts.shape[1] != len(shares) or len(prior) != len(shares):
        raise ValueError("needs increments of shape (looks, arms), with one share per arm")
    # alpha of the Dirichlet before each increment: the posterior of all earlier ones
    before = prior + np.cumsum(counts, axis=0) - counts
    ways = gammaln(counts.sum(axis=1) + 1) - gammaln(counts + 1).sum(axis=1)
    m0 = np.cumsum(ways + counts @ np.log(shares))
    m1 = np.cumsum(ways + _log_beta(before + counts) - _log_beta(before))
    log_bayes = m1 - m0
    p = np.exp(-np.maximum(0.0, np.maximum.accumulate(log_bayes)))
    rows = (tuple(map(float, row)) for row in (m0, m1, log_bayes, p))
    return SequentialSampleRatio(*rows)


def seed_collision(seeds: int, experiments: int) -> float:
    """Chance that at least two of `experiments` drew the same of `seeds` salts (birthday problem).

    Kohavi et al., Trustworthy online controlled experiments: five puzzling outcomes, KDD 2012.
    """
    if experiments > seeds:
        return 1.0
    return -math.expm1(sum(math.log1p(-i / seeds) for i in range(experiments)))


def _shares(weights: Sequence[float]) -> NDArray[np.float64]:
    shares = np.asarray(weights, np.float64)
    if len(shares) < 2 or not np.all(shares > 0):
        raise ValueError("needs at least two arms, each with a positive expected share")
    normalised: NDArray[np.float64] = shares / shares.sum()
    return normalised


def _log_beta(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = gammaln(alpha).sum(axis=1) - gammaln(alpha.sum(axis=1))
    return values
