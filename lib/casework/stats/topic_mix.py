"""A score that changed between two runs of a set: another mix of topics, or scores in them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate
from casework.stats.item_set import percentiles

Floats = NDArray[np.float64]

_DRAWS = 499


@dataclass(frozen=True, slots=True)
class TopicPart:
    """What one topic adds to the change.

    Attributes:
        name: the topic.
        first, last: items of it in either run.
        mix: due to another share of items, at the topic's mean score against that of all.
        scores: due to another mean score of its items.
        stands_out: whether `mix` is not zero by intervals that hold for all topics at once, so that
            the largest of many may be named.
    """

    name: str
    first: int
    last: int
    mix: Estimate
    scores: Estimate
    stands_out: bool


@dataclass(frozen=True, slots=True)
class TopicMix:
    """The change as the sum of both terms, and the topics, the one that adds most by mix first."""

    mix: Estimate
    scores: Estimate
    topics: tuple[TopicPart, ...]


def split_by_topic(
    first: ArrayLike, last: ArrayLike, topics: ArrayLike, seed: int
) -> TopicMix | None:
    """Split the change of a mean score over topics, with percentile intervals over items.

    Kitagawa's two-term form (JASA 1955). A topic that one of the runs lacks has there the score
    that it has in the other, so that all of it is mix.

    Args:
        first: scores in the first run, shape (items,); NaN where an item was not in it.
        last: the same of the last run.
        topics: the topic of each item, shape (items,).
        seed: of the bootstrap.

    Returns:
        the parts, or None where one of the runs has no item.
    """
    scores = np.stack([np.asarray(first, np.float64), np.asarray(last, np.float64)])
    inside = ~np.isnan(scores)
    if not inside.any(axis=1).all():
        return None
    names, place = np.unique(np.asarray(topics, str), return_inverse=True)
    n, k = scores.shape[1], len(names)
    known = np.nan_to_num(scores)
    rng = np.random.default_rng([seed, n])
    drawn = np.stack([
        _parts(known, inside, place, k, rng.multinomial(n, np.full(n, 1 / n)))
        for _ in range(_DRAWS)
    ])  # fmt: skip
    value = _parts(known, inside, place, k, np.ones(n))
    mix, by_scores = (percentiles(value[i], drawn[:, i], n) for i in (0, 1))
    sizes = [np.bincount(place, one, k) for one in inside]
    stand_out = _stands_out(drawn[:, 0, :k])
    parts = [
        TopicPart(
            str(name), int(sizes[0][i]), int(sizes[1][i]), mix[i], by_scores[i], bool(stand_out[i])
        )
        for i, name in enumerate(names)
    ]
    parts.sort(key=lambda part: (-abs(part.mix.value), part.name))
    return TopicMix(mix[-1], by_scores[-1], tuple(parts))


def _parts(
    scores: Floats,
    inside: NDArray[np.bool_],
    place: NDArray[np.int64],
    k: int,
    times: Floats | NDArray[np.int64],
) -> Floats:
    """Mix and scores of each topic and, last, of all, where item i counts `times[i]`."""
    counts = np.stack([np.bincount(place, times * one, k) for one in inside])
    sums = np.stack([np.bincount(place, times * one * y, k)
                     for one, y in zip(inside, scores, strict=True)])  # fmt: skip
    totals = counts.sum(axis=1)
    if not totals.all():
        return np.full((2, k + 1), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    means = np.where(counts > 0, means, means[::-1])
    means = np.where(counts.sum(axis=0) > 0, means, 0.0)
    shares = counts / totals[:, None]
    # the shares change by nothing in sum, so that the mean of all may be set against each topic
    middle = float((sums.sum(axis=1) / totals).mean())
    mix = (shares[1] - shares[0]) * (means.mean(axis=0) - middle)
    by_scores = (means[1] - means[0]) * shares.mean(axis=0)
    found = np.stack([mix, by_scores])
    return np.concatenate([found, found.sum(axis=1, keepdims=True)], axis=1)


def _stands_out(drawn: Floats) -> NDArray[np.bool_]:
    """Of which topics the interval holds no zero, where all intervals hold at once.

    The intervals go from the same rank to the same rank of the draws of each topic, such that 95 of
    100 draws lie inside of all (Besag et al., Statistical Science 1995;10:3, section 6.3). A topic
    of which no draw differs shows nothing.

    Args:
        drawn: mix by draw and topic; NaN where a draw left nothing to compare.
    """
    from scipy.stats import rankdata

    drawn = drawn[~np.isnan(drawn).any(axis=1)]
    varies = np.asarray(np.ptp(drawn, axis=0) > 1e-12, bool)
    if not varies.any():
        return varies
    ordered, draws = np.sort(drawn, axis=0), len(drawn)
    rank = rankdata(drawn[:, varies], axis=0)
    farthest = np.maximum(rank, draws + 1 - rank).max(axis=1)
    last = math.ceil(np.quantile(farthest, 0.95))
    return np.asarray(varies & ((ordered[draws - last] > 0) | (ordered[last - 1] < 0)), bool)
