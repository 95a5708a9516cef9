"""Does a set of items hold something like each question that is asked? By nearest neighbours.

A question is covered where its nearest item is within a radius. The radius comes from the
questions themselves: the distance within which 95 % of them have a neighbour among as many other
questions as the set has items. So a set of that size that was drawn at random covers 95 %.
A question is not covered by the item that was made from it: others ask what it asks, or none.
Compare recall in Kynkäänniemi et al. (NeurIPS 2019) and coverage in Naeem et al. (ICML 2020).
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEVEL = 0.95
_ROUNDS = 24
_BLOCK = 500


class Positions:
    """Texts or vectors as rows of unit length, compared by cosine."""

    def __init__(self, rows: Any, n: int) -> None:
        self._rows = rows
        self.n = n

    @classmethod
    def of_vectors(cls, vectors: ArrayLike) -> "Positions":
        """Rows of an array of shape (n, dimensions), each scaled to length one."""
        rows = np.asarray(vectors, np.float64)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return cls(rows / np.where(length > 0, length, 1), len(rows))

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> "Positions":
        """Texts by their words and pairs of words, weighted by how rare these are (TF-IDF).

        By scikit-learn's `TfidfVectorizer`. A text without a word is like no other.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        # single letters and digits are words too
        words = re.compile(r"\w+").findall
        vectorizer = TfidfVectorizer(tokenizer=words, token_pattern=None, ngram_range=(1, 2),
                                     sublinear_tf=True)  # fmt: skip
        try:
            rows = vectorizer.fit_transform(texts)
        except ValueError:  # no text has a word
            return cls(np.zeros((len(texts), 1)), len(texts))
        return cls(rows, len(texts))

    def rows(self, of: NDArray[np.int64]) -> Any:
        """The numbers of these rows, dense or sparse, shape (of, dimensions)."""
        return self._rows[of]

    def distances(self, of: NDArray[np.int64], to: NDArray[np.int64]) -> Floats:
        """Cosine distances between rows, shape (of, to), from 0 (same) to 1 (nothing shared)."""
        product = self.rows(of) @ self.rows(to).T
        dense = product.toarray() if hasattr(product, "toarray") else product
        return np.clip(1 - np.asarray(dense, np.float64), 0.0, 2.0)

    def nearest(
        self,
        of: NDArray[np.int64],
        to: NDArray[np.int64],
        origin: NDArray[np.int64] | None = None,
    ) -> Floats:
        """Distance of each row to the nearest of the others, shape (of,), in blocks.

        Args:
            of: rows that look for a neighbour.
            to: rows that may be it.
            origin: of each row of `to`, the position in `of` that it was made from, else -1. What
                was made from a row is no neighbour of it; without any other it is infinitely far.
        """
        found = []
        for start in range(0, len(of), _BLOCK):
            distance = self.distances(of[start : start + _BLOCK], to)
            if origin is not None:
                own = origin[None, :] == np.arange(start, start + len(distance))[:, None]
                distance[own] = np.inf
            found.append(distance.min(axis=1))
        return np.concatenate(found)

    def between(self, rows: NDArray[np.int64]) -> Floats:
        """Distances of rows to each other, shape (rows, rows), each infinitely far from itself."""
        found = np.empty((len(rows), len(rows)))
        for start in range(0, len(rows), _BLOCK):
            found[start : start + _BLOCK] = self.distances(rows[start : start + _BLOCK], rows)
        np.fill_diagonal(found, np.inf)
        return found

    def groups(self, k: int, seed: int) -> NDArray[np.int64]:
        """Group the rows by k-means, shape (n,), for want of named topics (scikit-learn)."""
        from sklearn.cluster import MiniBatchKMeans

        found = MiniBatchKMeans(k, random_state=seed, n_init=3).fit(self._rows)
        return np.asarray(found.labels_, np.int64)


def radius(
    distances: Floats, weights: ArrayLike, items: int, seed: int, level: float = LEVEL
) -> float:
    """Distance within which a share `level` of the questions has one of `items` other questions.

    Args:
        distances: of questions from production to each other, shape (n, n), infinite to itself.
        weights: how much traffic each of them stands for, shape (n,).
        items: size of the set that is judged.
        seed: of the draws.
        level: the share.

    Raises:
        ValueError: fewer than two questions.
    """
    if len(distances) < 2:
        raise ValueError("two questions at least have a distance")
    rng = np.random.default_rng([seed, len(distances)])
    w = np.asarray(weights, np.float64)
    found = []
    for _ in range(_ROUNDS):
        drawn = drawn_as_traffic(w, items + 1, rng)
        # one more than there are items: a drawn question meets the others, any other question
        # meets all but the last
        nearest = distances[:, drawn[:-1]].min(axis=1)
        nearest[drawn[-1]] = distances[drawn[-1], drawn[:-1]].min()
        nearest[drawn[:-1]] = distances[np.ix_(drawn[:-1], drawn)].min(axis=1)
        found.append(nearest)
    distance = np.concatenate(found)
    weight = np.tile(w, _ROUNDS)
    ranked = np.argsort(distance, kind="stable")
    reached = np.cumsum(weight[ranked]) / weight.sum()
    return float(distance[ranked[min(int(np.searchsorted(reached, level)), len(ranked) - 1)]])


def drawn_as_traffic(weights: Floats, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows without replacement, each next one by its weight (Gumbel's trick)."""
    with np.errstate(divide="ignore"):
        order = np.argsort(-(np.log(weights) + rng.gumbel(size=len(weights))))
    return order[:size]
