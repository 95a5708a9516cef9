"""Whether one score belongs among the scores of repeated runs."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from casework.stats.estimates import Estimate
from casework.stats.sign_flips import sign_flip_p, with_unseen

FEWEST = 5
"""Runs below which the spread is too poorly known for an interval (t = 2.78 with five)."""

_MOST_RUNS = 1_000
_MOST_CELLS = 5_000
_MANY_CHANGED = 30
_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class Prediction:
    """Where the next run is expected, and how one score stands to it.

    Attributes:
        interval: mean of the runs with the 95 % prediction interval of one more.
        gap: mean of the runs minus the score, with the interval of the same width.
        outside: whether the score lies outside the prediction interval.
        p: two-sided p-value of the score being one of the runs.
        seen: standard deviation of the runs.
        spread: that of one run, on which the interval rests; never less than `seen`.
    """

    interval: Estimate
    gap: Estimate
    outside: bool
    p: float
    seen: float
    spread: float


def predict(
    score: float, runs: Sequence[float], level: float = 0.95, least_spread: float = 0.0
) -> Prediction | None:
    """Compare one score with the runs of a recipe: m +- t s sqrt(1 + 1/k), t with k - 1 df.

    The interval of one further observation of a normal sample (Hahn, JASA 1969;64:878). It holds
    the spread between seeds, which a comparison of items alone leaves out.

    Few runs over few items may agree by chance: then s is too small, and every score looks far
    away. `least_spread` is the standard deviation that the items alone give, where it is known.

    Args:
        score: of the artifact in question, on the same scale.
        runs: scores of k rebuilds.
        level: of the interval.
        least_spread: of one run, in the unit of the scores.

    Returns:
        The comparison, or None with fewer than `FEWEST` runs.
    """
    from scipy.special import stdtr, stdtrit

    k = len(runs)
    if k < FEWEST:
        return None
    mean = math.fsum(runs) / k
    seen = math.sqrt(math.fsum((run - mean) ** 2 for run in runs) / (k - 1))
    # runs that repeat each other to the last digit differ by rounding alone
    rounding = 1e-12 * max(1.0, abs(mean))
    seen = seen if seen > rounding else 0.0
    spread = max(seen, least_spread)
    scale = spread * math.sqrt(1 + 1 / k)
    half = float(stdtrit(k - 1, 0.5 + level / 2)) * scale
    gap = mean - score
    alike = abs(gap) <= rounding
    p = 2 * float(stdtr(k - 1, -abs(gap) / scale)) if scale else float(alike)
    return Prediction(
        interval=Estimate(mean, mean - half, mean + half, k),
        gap=Estimate(gap, gap - half, gap + half, k),
        outside=not alike and abs(gap) > half,
        p=p,
        seen=seen,
        spread=spread,
    )


def detectable_gap(spread: float, k: int, level: float = 0.95, power: float = 0.8) -> float:
    """The true gap that `predict` finds outside its interval so often.

    The gap by its standard error is a noncentral t with k - 1 degrees of freedom, as in a t test
    of two samples of which one has a single member.

    Args:
        spread: standard deviation of one run.
        k: runs, at least two.
        level: of the interval.
        power: how often.
    """
    from scipy.special import nctdtrinc, stdtrit

    edge = float(stdtrit(k - 1, 0.5 + level / 2))
    return spread * math.sqrt(1 + 1 / k) * float(nctdtrinc(k - 1, 1 - power, edge))


def runs_to_find(gap: float, spread: float) -> int | None:
    """The fewest runs by which `predict` finds a true gap 80 times in 100 at 95 %.

    The score in question is one draw too, so that a gap below 2.8 standard deviations is found by
    no number of runs.

    Returns:
        At least `FEWEST`; None where a thousand do not suffice.
    """
    found = bisect_left(
        range(FEWEST, _MOST_RUNS + 1), True, key=lambda k: detectable_gap(spread, k) <= gap
    )
    return FEWEST + found if FEWEST + found <= _MOST_RUNS else None


def difference_p(differences: Sequence[float], counts: Sequence[int], seed: int = 0) -> float:
    """Two-sided p-value of no mean difference of paired scores, by `sign_flip_p`.

    Items that did not change have no sign to flip and are left out. Where more than 30 did, the
    sum of the flipped changes is taken for normal, less its smallest step: McNemar's test with
    the correction for continuity (Edwards, Psychometrika 1948), for changes of any size.

    Args:
        differences: distinct values, shape (c,).
        counts: items that have each, shape (c,).
        seed: of the signs that are drawn.
    """
    import numpy as np

    changes = np.repeat(np.array(differences, float), np.array(counts, int))
    changed = changes[changes != 0]
    if len(changed) > _MANY_CHANGED:
        beyond = abs(float(changed.sum())) - float(np.abs(changed).min())
        return math.erfc(max(0.0, beyond) / math.sqrt(2 * float(changed @ changed)))
    return sign_flip_p(changed, seed) if len(changed) else 1.0


def mean_difference(
    differences: Sequence[float],
    counts: Sequence[int],
    level: float = 0.95,
    draws: int = 1_999,
    seed: int = 0,
    size: float = 0.0,
) -> Estimate | None:
    """Mean of paired differences with its percentile bootstrap interval over the items.

    Items with the same difference are one cell with a count, so that resampling them is one draw
    from a multinomial distribution. With more than 5,000 cells the interval is Student's t, from
    which the bootstrap does not differ at such numbers. Where no item changed there is nothing to
    resample: the interval is then what `with_unseen` leaves open at `size`.

    Args:
        differences: distinct values, shape (c,).
        counts: items that have each, shape (c,).
        level: of the interval; 0.90 for two one-sided tests at 5 %.
        draws: bootstrap draws.
        seed: of the bootstrap.
        size: by how much an item that changes may change.

    Returns:
        The mean, or None with fewer than two items.
    """
    import numpy as np

    n = int(sum(counts))
    if n < 2:
        return None
    value, weight = np.array(differences, float), np.array(counts, float)
    mean, tail = float(value @ weight / n), (1 - level) / 2
    if len(value) > _MOST_CELLS:
        from scipy.special import stdtrit

        se = math.sqrt(float(weight @ (value - mean) ** 2) / (n - 1) / n)
        half = float(stdtrit(n - 1, 0.5 + level / 2)) * se
        return Estimate(mean, mean - half, mean + half, n)
    size_of_one = math.sqrt(float(weight @ value**2) / n)
    rng, at_once = np.random.default_rng(seed), max(1, _CHUNK // len(value))
    drawn = (min(at_once, draws - first) for first in range(0, draws, at_once))
    means = [rng.multinomial(n, weight / n, size=many) @ value / n for many in drawn]
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail]).tolist()
    return with_unseen(Estimate(mean, float(low), float(high), n), size_of_one or size, level)


def fewest_items(margin: float, size: float, level: float = 0.95) -> int:
    """The fewest items that show a mean change below `margin`, even where none of them changed.

    Of fewer, a share of all items that would move the mean by `margin` may well hold none
    (`upper_if_none`). At 95 %, which two one-sided tests at 5 % ask, 299 items that are right or
    wrong rule out a loss of one point.

    Args:
        margin: above zero.
        size: by how much an item that changes may change.
        level: of the one-sided bound.

    Returns:
        At least two, as fewer have no interval.
    """
    if margin >= size:
        return 2
    return max(2, math.ceil(math.log1p(-level) / math.log1p(-margin / size)))
