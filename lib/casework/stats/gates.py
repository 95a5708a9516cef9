"""A gate lets what scores at or above a threshold pass. Which threshold means what the old one did?

Two answers: the threshold that lets as large a share pass, and the one that gives the same
precision. And the share that each of two changes has in what happened (Shapley).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Restored:
    """The threshold that lets `k` scores pass, where ties allow it.

    Attributes:
        threshold: the k-th largest score; the least threshold that is not too strict.
        passing: scores at or above it; more than k where scores tie.
        stricter: the next score above; None where there is none.
        stricter_passing: scores at or above that, fewer than k.
    """

    threshold: float
    passing: int
    stricter: float | None
    stricter_passing: int


def restoring_rank(passed: int, n_before: int, n_after: int) -> int:
    """How many of `n_after` scores must pass for the share `passed` of `n_before`; at least one."""
    return min(n_after, max(1, round(passed / n_before * n_after)))


def restoring_threshold(steps: Sequence[tuple[float, int]], k: int) -> Restored:
    """The k-th order statistic from above, with its tie.

    A quantile of the scores will not do: with `numpy.quantile` one score too many passes.

    Args:
        steps: distinct scores, falling, each with the number of scores at or above it; those
            around the k-th are enough.
        k: how many should pass.

    Raises:
        ValueError: fewer than k scores.
    """
    stricter: tuple[float | None, int] = (None, 0)
    for score, passing in steps:
        if passing >= k:
            return Restored(score, passing, *stricter)
        stricter = score, passing
    raise ValueError(f"fewer than {k} scores")


@dataclass(frozen=True, slots=True)
class JudgedBins:
    """Judged pairs by group of queries (rows) and by bin of the score (columns, rising).

    Attributes:
        judged: how many, shape (G, B).
        relevant: how many of them are relevant, shape (G, B).
        offered: all candidates by bin, judged or not, shape (B,).
        scores: lower edge of each bin, shape (B,).
    """

    judged: Floats
    relevant: Floats
    offered: Floats
    scores: Floats


def precision_above(judged: ArrayLike, relevant: ArrayLike, offered: ArrayLike) -> Floats:
    """Precision of a gate at each bin's lower edge: mean chance of relevance above it, shape (B,).

    The chance rises with the score: isotonic regression of relevance on the score over the judged
    pairs, averaged over all that is offered. Bins without a judged pair take the chance of their
    neighbours.
    """
    from scipy.optimize import isotonic_regression

    weights, hits = np.asarray(judged, np.float64), np.asarray(relevant, np.float64)
    known = weights > 0
    fitted = isotonic_regression(hits[known] / weights[known], weights=weights[known]).x
    bins = np.arange(len(weights))
    chance = np.interp(bins, bins[known], fitted)
    mass = np.asarray(offered, np.float64)
    above = np.cumsum((chance * mass)[::-1])[::-1]
    count = np.cumsum(mass[::-1])[::-1]
    last = np.maximum(count, 1e-300)
    return np.where(count > 0, above / last, chance[-1])


def precision_threshold(
    after: JudgedBins, target: ArrayLike, draws: int = 999, seed: int = 0
) -> Estimate | None:
    """The least threshold whose precision reaches a target, with its bootstrap over groups.

    Args:
        after: judged pairs with their scores now.
        target: judged and relevant pairs behind the target by group, shape (G, 2); or one number.
        draws: bootstrap draws of the groups of queries.
        seed: of the bootstrap.

    Returns:
        The threshold and its 95 % percentile interval; None where no threshold reaches the target,
        or nothing was judged.
    """
    goal = np.asarray(target, np.float64)
    groups = len(after.judged)
    once = np.ones(groups)
    value = _threshold(after, goal, once)
    if value is None:
        return None
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=draws)
    top = float(after.scores[-1])
    found = [_threshold(after, goal, row.astype(np.float64)) for row in weights]
    drawn = [top if x is None else x for x in found]
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Estimate(value, min(low, value), max(high, value), int(after.judged.sum()))


def _threshold(after: JudgedBins, goal: Floats, weights: Floats) -> float | None:
    judged, relevant = weights @ after.judged, weights @ after.relevant
    wanted = float(goal) if goal.ndim == 0 else _share(weights @ goal)
    if not judged.any() or wanted is None:
        return None
    reached = np.flatnonzero(precision_above(judged, relevant, after.offered) >= wanted - 1e-12)
    return float(after.scores[reached[0]]) if len(reached) else None


def _share(sums: Floats) -> float | None:
    return float(sums[1] / sums[0]) if sums[0] > 0 else None


@dataclass(frozen=True, slots=True)
class Shapley:
    """What each of two changes contributes to their joint effect; the parts sum to the total."""

    first: float
    second: float
    total: float
    interaction: float


def shapley(values: Mapping[str, float]) -> Shapley:
    """Split the effect of two changes by a replay of all four combinations.

    Args:
        values: outcome by key `00`, `10`, `01`, `11`; the first digit says whether the first
            change was made.
    """
    v00, v10, v01, v11 = (values[key] for key in ("00", "10", "01", "11"))
    return Shapley(
        first=((v10 - v00) + (v11 - v01)) / 2,
        second=((v01 - v00) + (v11 - v10)) / 2,
        total=v11 - v00,
        interaction=v11 - v10 - v01 + v00,
    )
