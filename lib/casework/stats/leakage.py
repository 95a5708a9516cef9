"""What leaked items do to a score: with and without them, as run and with the leak taken out."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.composition import kish
from casework.stats.estimates import Z95, Estimate, minus
from casework.stats.paired import Pairs, mcnemar, tango
from casework.stats.proportions import difference_of_shares, fisher
from casework.stats.sign_flips import sign_flip_p, usual_size, with_unseen
from casework.stats.stratified import wilson_limits

Floats = NDArray[np.float64]
DRAWS = 9_999
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Split:
    """Items right among leaked and clean ones; `gap` is leaked minus clean.

    Attributes:
        score_all: share right of all.
        score_leaked: of the leaked ones.
        score_clean: of the others.
        gain: `score_all` minus `score_clean`, what the leaked items add (Singh et al. 2024).
        gap: with Newcombe's interval; leaked items may be easier, so it is no effect.
        p: of equal shares, Fisher's exact test.
    """

    score_all: float
    score_leaked: float
    score_clean: float
    gain: float
    gap: Estimate
    p: float


def split_score(leaked: tuple[int, int], clean: tuple[int, int]) -> Split:
    """Split a score by whether the items leaked; each is `(right, items)`.

    Raises:
        ValueError: unless both are shares of one item at least.
    """
    gap = difference_of_shares(clean, leaked)
    everything = (leaked[0] + clean[0]) / (leaked[1] + clean[1])
    of_clean = clean[0] / clean[1]
    return Split(
        everything, leaked[0] / leaked[1], of_clean, everything - of_clean, gap,
        fisher(leaked, clean),
    )  # fmt: skip


def contamination_z(mean: float, expected: float, n: int) -> float:
    """Distance of a subset's score from that of all, in standard errors (Llama 2, appendix A.6).

    Raises:
        ValueError: unless 0 < expected < 1 and n >= 1.
    """
    if not 0 < expected < 1 or n < 1:
        raise ValueError(f"{expected} of {n} has no standard error")
    return (mean - expected) / math.sqrt(expected * (1 - expected) / n)


@dataclass(frozen=True, slots=True)
class Drop:
    """How much a score falls, with its interval and the two-sided p-value of no fall."""

    estimate: Estimate
    p: float


def paired_drop(
    before: ArrayLike, after: ArrayLike, seed: int = 0, scale: float | None = None
) -> Drop:
    """Fall of the mean score of the same items, `before` minus `after`.

    Scores of 0 and 1 have Tango's interval and McNemar's mid-p; others a bootstrap over items,
    widened to what few items cannot show (`with_unseen`), and the test of their signs.

    Args:
        before: scores, shape (n,).
        after: of the same items.
        seed: of the draws.
        scale: by how much a score may change where none of these did; else what they span.

    Raises:
        ValueError: there is no item.
    """
    first, second = np.asarray(before, float), np.asarray(after, float)
    if not len(first):
        raise ValueError("there is no pair")
    if is_binary(first) and is_binary(second):
        a, b = first > 0, second > 0
        counts = (a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()
        pairs = Pairs(*map(int, counts))
        change = tango(pairs)
        fall = Estimate(0.0 - change.value, 0.0 - change.high, 0.0 - change.low, change.n)
        return Drop(fall, mcnemar(pairs).mid)
    falls = first - second
    span = float(np.ptp(np.concatenate([first, second]))) if scale is None else scale
    return Drop(_mean_change(falls, seed, span), sign_flip_p(falls, seed))


def difference_in_differences(leaked: ArrayLike, clean: ArrayLike, seed: int = 0) -> Estimate:
    """How much more the score of leaked items changed than that of clean ones.

    Each group has its interval over items, and the difference the one that follows from both.

    Args:
        leaked: change of each leaked item between two conditions.
        clean: the same of the others.
        seed: of the draws.

    Raises:
        ValueError: a group has no item.
    """
    first, second = np.asarray(leaked, float), np.asarray(clean, float)
    if not len(first) or not len(second):
        raise ValueError("both groups need an item")
    span = float(np.ptp(np.concatenate([first, second])))
    return minus(_mean_change(first, seed, span), _mean_change(second, seed + 1, span))


def weighted_drop(
    before: ArrayLike, after: ArrayLike, weights: ArrayLike, seed: int = 0, scale: float = 0.0
) -> Estimate:
    """Fall of the mean score of the same items, each as often as its weight says.

    A ratio of means, with a bootstrap interval over items: an item is drawn with its weight. It is
    as wide as so many items of equal weight would make it (Kish 1965) as these are worth; `n` of
    the estimate is the number of items.

    Args:
        before: scores, shape (n,).
        after: of the same items.
        weights: of the same items, above zero.
        seed: of the draws.
        scale: by how much a score may change where none of these did.

    Raises:
        ValueError: there is no item.
    """
    falls, w = np.asarray(before, float) - np.asarray(after, float), np.asarray(weights, float)
    if not len(falls):
        raise ValueError("there is no pair")
    worth = kish(w)
    value = float(w @ falls / w.sum())
    low, high = np.quantile(_means(falls, seed, w), [0.025, 0.975])
    drawn = Estimate(value, float(low), float(high), max(1, math.floor(worth)))
    found = with_unseen(drawn, usual_size(falls) or scale)
    return Estimate(value, found.low, found.high, len(falls))


def _mean_change(changes: Floats, seed: int, scale: float) -> Estimate:
    """Mean of changes of items; one may be of `scale` where all of these are nothing."""
    return with_unseen(_drawn_mean(changes, seed), usual_size(changes) or scale)


def is_binary(scores: ArrayLike) -> bool:
    """Whether all scores are 0 or 1."""
    found = np.asarray(scores, float)
    return bool(((found == 0) | (found == 1)).all())


def bootstrap_mean(values: ArrayLike, seed: int = 0) -> Estimate:
    """Mean with a bootstrap interval over items, without bounds where all have the same value.

    Raises:
        ValueError: there is no value.
    """
    found = _drawn_mean(np.asarray(values, float), seed)
    if found.low < found.high:
        return found
    return Estimate(found.value, -math.inf, math.inf, found.n)


def _drawn_mean(values: Floats, seed: int) -> Estimate:
    if not len(values):
        raise ValueError("there is no value")
    low, high = np.quantile(_means(values, seed), [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def _means(values: Floats, seed: int, weights: Floats | None = None) -> Floats:
    """Means of samples drawn anew, widened as Student's t is for few items (Hesterberg 2015)."""
    from scipy.stats import t

    n, middle, worth = len(values), float(values.mean()), float(len(values))
    kinds, counts = np.unique(values, return_counts=True)
    w = np.ones(len(kinds))
    if weights is not None:
        kinds, counts, w = values, np.ones(n, np.int64), weights
        middle, worth = float(w @ values / w.sum()), kish(w)
    draws = DRAWS if n <= 2_000 else 1_999
    rng, parts = np.random.default_rng(seed), []
    step = max(1, _AT_ONCE // len(kinds))
    for begin in range(0, draws, step):
        drawn = rng.multinomial(n, counts / n, size=min(step, draws - begin))
        parts.append(drawn @ (w * kinds) / (drawn @ w))
    means = np.concatenate(parts)
    if worth < 2:
        return means
    widen = math.sqrt(worth / (worth - 1)) * float(t.ppf(0.975, worth - 1))
    return np.asarray(middle + (means - middle) * widen / Z95)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Score of the clean items, weighted to all items' strata.

    Attributes:
        score: mean over strata, with a normal interval; of right and wrong with Wilson's.
        gain: score of all items minus that; strata and which items leaked are taken as given. Its
            interval joins those of what they have and what the clean ones would.
        n_eff: clean items of equal weight that would be as precise.
        left_out: items in strata that have no clean item, which are not in either score.
        leaked: share of the leaked items among those that are in the scores.
    """

    score: Estimate
    gain: Estimate
    n_eff: float
    left_out: int
    leaked: float

    @property
    def gap(self) -> Estimate | None:
        """Score of the leaked items minus that of clean ones at their strata; None without any."""
        if not self.leaked:
            return None
        value, low, high = (
            x / self.leaked for x in (self.gain.value, self.gain.low, self.gain.high)
        )
        return Estimate(value, low, high, self.gain.n)


def adjusted_score(scores: ArrayLike, leaked: ArrayLike, strata: ArrayLike) -> Adjusted | None:
    """Post-stratify the clean items to the mix of all; None where no stratum has a clean item.

    Args:
        scores: of the items, shape (n,).
        leaked: whether each leaked.
        strata: a label for each, such as its topic.
    """
    y, bad = np.asarray(scores, float), np.asarray(leaked, bool)
    names, place = np.unique(np.asarray(strata), return_inverse=True)
    k = len(names)
    n = np.stack([np.bincount(place[bad == flag], minlength=k) for flag in (False, True)])
    kept = n[0] > 0
    total = int(n[:, kept].sum())
    if not total:
        return None
    sums = [np.bincount(place[bad == f], y[bad == f], k) for f in (False, True)]
    squares = [np.bincount(place[bad == f], y[bad == f] ** 2, k) for f in (False, True)]
    pooled = float(y.var())
    mean, error = np.zeros((2, k)), np.zeros((2, k))
    for f in (0, 1):
        some = np.maximum(n[f], 1)
        mean[f] = sums[f] / some
        spread = (squares[f] / some - mean[f] ** 2) * some / np.maximum(n[f] - 1, 1)
        # one item of a kind says nothing of its spread
        error[f] = np.where(n[f] > 1, np.maximum(spread, 0), pooled) / some
    weight = np.where(kept, n.sum(axis=0), 0) / total
    part = weight * n[1] / np.maximum(n.sum(axis=0), 1)
    score, n_eff = _weighted(weight, mean[0], error[0], n[0], binary=is_binary(y))
    gain = Estimate(0.0, 0.0, 0.0, total)
    if part.any():
        # what the leaked items have, and what they would have if they were as the clean ones are
        with_leak, without = (
            _weighted(part, mean[f], error[f], n[f], binary=is_binary(y))[0] for f in (1, 0)
        )
        by, more = float(part.sum()), minus(with_leak, without)
        gain = Estimate(by * more.value, by * more.low, by * more.high, total)
    return Adjusted(score, gain, n_eff, int(n[:, ~kept].sum()), float(part.sum()))


def _weighted(
    weight: Floats, mean: Floats, error: Floats, n: NDArray[np.int64], *, binary: bool
) -> tuple[Estimate, float]:
    """Mean over strata with its interval, and the items of equal weight that would be as precise.

    Shares have Wilson's interval at the number of items that their variance is worth, at most as
    many as there are: items that are all right are not sure to be.
    """
    w = weight / weight.sum()
    value, variance, items = float(w @ mean), float(w**2 @ error), int(n[w > 0].sum())
    n_eff = 1 / float((w**2 / np.maximum(n, 1)).sum())
    if not binary:
        half = Z95 * math.sqrt(variance)
        return Estimate(value, value - half, value + half, items), n_eff
    told = variance > 0 and 1e-12 < value < 1 - 1e-12
    low, high = wilson_limits(value, min(items, value * (1 - value) / variance if told else n_eff))
    return Estimate(value, low, high, items), n_eff
