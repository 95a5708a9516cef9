"""Nearest neighbours among embeddings, and how near unrelated texts come to each other by chance.

How near two paraphrases lie depends on the embedding and on the texts. So the radius within which a
text may be a paraphrase of another is taken from the texts themselves: how near each item comes to
another item, with which it has nothing to do but the subject.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats.tokens import Places

Floats = NDArray[np.float64]

FEWEST = 50
"""Items below which their distances from each other tell no radius."""
BY_CHANCE = 0.01
"""Share of unrelated items that may lie within the radius."""
_PAIRS = 25_000_000
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Radius:
    """How near an unrelated text comes.

    Attributes:
        similarity: cosine from which a neighbour lies within the radius.
        by_chance: share of unrelated items that have a neighbour within it.
        items: items that it was taken from.
    """

    similarity: float
    by_chance: float
    items: int


def unit_vectors(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], Places]:
    """Vectors of length one, and their rows; those without a direction are left out.

    Args:
        vectors: shape (n, dimensions).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.linalg.norm(vectors, axis=1)
    rows = np.flatnonzero(np.isfinite(length) & (length > 0))
    return vectors[rows] / length[rows, None], rows


def nearest(
    vectors: NDArray[np.float32], among: NDArray[np.float32], k: int = 1
) -> tuple[Places, Floats]:
    """The nearest neighbours of each vector and their cosines, shape (n, k), nearest first.

    All pairs are compared, by scikit-learn.

    Args:
        vectors: of length one, shape (n, dimensions).
        among: of length one, shape (m, dimensions).
        k: neighbours of each; all of them where there are fewer.
    """
    from sklearn.neighbors import NearestNeighbors

    model = NearestNeighbors(n_neighbors=min(k, len(among)), algorithm="brute").fit(among)
    distances, places = model.kneighbors(vectors)
    return places, 1 - np.asarray(distances, np.float64) ** 2 / 2


def radius_of(items: NDArray[np.float32], others: int, seed: int = 0) -> Radius | None:
    """The radius that but a hundredth of the items would find a neighbour in by chance.

    Each item is compared with the other items. The nearest of m neighbours is nearer than that of
    p, and where pairs are alike the chance that all of them stay out is to the power of their
    number: the radius is the quantile 0.99^(p / m) of the items' nearest. Where it lies beyond the
    nearest two of them, the radius is theirs, and `by_chance` is larger.

    Args:
        items: vectors of length one, no text twice, shape (n, dimensions).
        others: neighbours m that items will be compared with.
        seed: of the items drawn, where there are more than five thousand.

    Returns:
        None with fewer than 50 items, or without neighbours.
    """
    from sklearn.neighbors import NearestNeighbors

    most = int(_PAIRS**0.5)
    if len(items) > most:
        items = items[np.random.default_rng(seed).choice(len(items), most, replace=False)]
    n = len(items)
    if n < FEWEST or others < 1:
        return None
    model = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(items)
    distances, _ = model.kneighbors()
    cosines = np.sort(1 - np.asarray(distances[:, 0], np.float64) ** 2 / 2)[::-1]
    power = (n - 1) / others
    allowed = int((1 - (1 - BY_CHANCE) ** power) * (n + 1))
    similarity = float(cosines[max(allowed, 2) - 1])
    # two items that are nearest to each other are one pair, and come in or stay out together
    within = int((cosines >= similarity - _SAME).sum())
    outside = (1 - min(within / (n + 1), 1)) ** (1 / power)
    return Radius(similarity, float(1 - outside), n)


def most_items(others: int) -> int:
    """Items that can be compared with so many others in a second or two."""
    return max(FEWEST, _PAIRS // max(1, others))
