"""Which questions have an item like them, and what sets drawn at random would cover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses._poisoning_sample import Sample
from casework.stats.coverage import Positions, radius
from casework.stats.nearest_groups import neighbours_p
from casework.stats.random_sets import gaps_by_likeness, gaps_by_topic

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_MOST_CALIBRATING = 2_000
_SHARE_DRAWN = 3
_FEW_DRAWS = 49
_SHARES_SOMETHING = 1 - 1e-6
"""At a distance of one nothing is shared: that is not alike, however usual it is."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Questions against items.

    Attributes:
        covered: of the questions, whether an item is like it, shape (questions,).
        radius: cosine distance within which a question is covered; None by topic.
        items: how many items were compared.
        random_gaps: gaps in coverage of sets of so many items drawn at random, shape (draws,).
        others_gap: mean gap of such sets drawn from the questions of others alone; None by topic.
        apart_p: of no difference between the questions of both groups, by who asked the nearest
            question of another account; None by topic.
    """

    covered: NDArray[np.bool_]
    radius: float | None
    items: int
    random_gaps: Floats
    others_gap: float | None
    apart_p: float | None


def accounts_of(sample: Sample) -> NDArray[np.str_]:
    """The account of each question."""
    return np.array([row["account"] for row in sample.questions], object).astype(str)


def likeness(sample: Sample, seed: int) -> Likeness:
    """Compare by position, or by topic where there is none."""
    if sample.positions is None:
        return _by_topic(sample, seed)
    return _by_position(sample, sample.positions, seed)


def _by_topic(sample: Sample, seed: int) -> Likeness:
    names, place = np.unique(np.asarray(sample.topics, str), return_inverse=True)
    held = np.isin(names, sample.item_topics)
    others, target = (_shares(place[mine], len(names))
                      for mine in (~sample.is_target, sample.is_target))  # fmt: skip
    whole = sample.traffic[0] / sum(sample.traffic)
    traffic = whole * target + (1 - whole) * others
    size = len(sample.items)
    gaps = gaps_by_topic(others, target, traffic, size, seed)
    return Likeness(held[place], None, size, gaps, None, None)


def _shares(place: Whole, size: int) -> Floats:
    return np.asarray(np.bincount(place, minlength=size) / len(place), np.float64)


def _by_position(sample: Sample, positions: Positions, seed: int) -> Likeness:
    n = len(sample.questions)
    questions = len(sample.items) + np.arange(n)
    chosen, weights = _calibrating(sample, seed)
    is_target = sample.is_target[chosen]
    # a third at most of what could be drawn as traffic comes, so that the questions of neither
    # group run out; items are in random order
    could = weights.sum() / weights.max()
    size = max(1, min(len(sample.items), int(could) // _SHARE_DRAWN))
    apart = positions.between(questions[chosen])
    reach = min(radius(apart, weights, size, seed), _SHARES_SOMETHING)
    items = np.arange(size)
    distance = positions.nearest(questions, items, _origins(sample)[:size])
    near = apart <= reach + 1e-9
    alone = np.where(is_target, 0.0, weights)
    return Likeness(
        covered=distance <= reach + 1e-9,
        radius=reach,
        items=size,
        random_gaps=gaps_by_likeness(near, is_target, weights, size, seed),
        others_gap=float(
            gaps_by_likeness(
                near, is_target, alone, min(size, int((~is_target).sum())), seed, _FEW_DRAWS
            ).mean()
        ),
        apart_p=neighbours_p(apart, is_target, accounts_of(sample)[chosen], seed),
    )


def _calibrating(sample: Sample, seed: int) -> tuple[Whole, Floats]:
    """Questions that are compared with each other, and how much traffic each stands for."""
    rng = np.random.default_rng([seed, len(sample.questions)])
    chosen, weights = [], []
    for mine in (sample.is_target, ~sample.is_target):
        among = np.flatnonzero(mine)
        kept = np.sort(rng.permutation(among)[:_MOST_CALIBRATING])
        chosen.append(kept)
        weights.append(sample.weights[kept] * len(among) / len(kept))
    return np.concatenate(chosen), np.concatenate(weights)


def _origins(sample: Sample) -> Whole:
    """For each item the position of the question that it was made from, -1 where none is drawn."""
    place = {row["request_id"]: i for i, row in enumerate(sample.questions)}
    return np.array([place.get(row["request_id"], -1) for row in sample.items], np.int64)
