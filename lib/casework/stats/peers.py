"""Whose share of events stands apart from that of their peers, where peers differ by themselves.

Shares of people differ more than counts alone would: each person has a share of their own, and the
beta-binomial describes how these vary (Skellam, JRSSB 1948). Against it, and not against the
binomial, a person with many events is no outlier for having many.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 20
"""People below which how they differ is too poorly known."""

_FARTHEST = math.log(1e6)
"""Of the logarithm of the sum of both parameters: beyond it people do not differ."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Peers:
    """The beta distribution of the shares of people, and how far each cell stands from it.

    Attributes:
        people: whose shares were compared.
        alpha: first parameter of the beta.
        beta: second parameter.
        p: two-sided p-values, one a cell, in the order in which they were given.
        q: the same adjusted over all people (Benjamini & Hochberg, JRSSB 1995).
    """

    people: int
    alpha: float
    beta: float
    p: tuple[float, ...]
    q: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The share of a person, on average over people."""
        return self.alpha / (self.alpha + self.beta)


def compare_with_peers(cells: Sequence[tuple[int, int, int]]) -> Peers | None:
    """Fit the beta-binomial by maximum likelihood, and test each person against it.

    The one tested is among those that are fitted, so that a few who stand far apart widen the
    distribution, and are found less easily, not more.

    Args:
        cells: distinct `(k, n, people)`: k of n events, and how many people have these.

    Returns:
        None with fewer than twenty people, or where all events are of one kind.
    """
    from scipy.optimize import minimize
    from scipy.stats import betabinom

    counts = np.asarray(cells, np.int64).reshape(-1, 3)
    k, n, people = counts.T
    if people.sum() < FEWEST or not 0 < k.sum() < n.sum():
        return None

    def loss(at: Floats) -> float:
        return -float(people @ betabinom.logpmf(k, n, *_parameters(at)))

    mean = (people @ k + 0.5) / (people @ n + 1)
    start = np.array([math.log(mean / (1 - mean)), math.log(10)])
    bounds = [(-_FARTHEST, _FARTHEST), (-_FARTHEST, _FARTHEST)]
    a, b = _parameters(minimize(loss, start, method="L-BFGS-B", bounds=bounds, tol=1e-12).x)
    tail = np.minimum(betabinom.cdf(k, n, a, b), betabinom.sf(k - 1, n, a, b))
    p = np.clip(2 * tail, 0.0, 1.0)
    return Peers(int(people.sum()), a, b, tuple(p.tolist()), tuple(_adjusted(p, people)))


def _parameters(at: Floats) -> tuple[float, float]:
    """Both parameters of the beta from the logit of its mean and the logarithm of their sum."""
    mean, size = 1 / (1 + math.exp(-at[0])), math.exp(at[1])
    return mean * size, (1 - mean) * size


def _adjusted(p: Floats, people: NDArray[np.int64]) -> list[float]:
    """Benjamini and Hochberg over people, of whom those of a cell share a p-value."""
    order = np.argsort(p, kind="stable")
    rank = np.cumsum(people[order])
    steps = p[order] * people.sum() / rank
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1])
    return [float(value) for value in adjusted]
