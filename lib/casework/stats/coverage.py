"""Does a set of items hold something like each question that is asked? By nearest neighbours.

A question is covered where its nearest item is within a radius. The radius comes from the
questions themselves: the distance within which 95 % of them have a neighbour among as many other
questions as the set has items. So a set of that size that was drawn at random covers 95 %.
Compare recall in Kynkäänniemi et al. (NeurIPS 2019) and coverage in Naeem et al. (ICML 2020).
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEVEL = 0.95
_ROUNDS = 8
_BLOCK = 500


class Positions:
    """Texts or vectors as rows of unit length, compared by cosine."""

    def __init__(self, rows: object, n: int) -> None:
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

    def distances(self, of: NDArray[np.int64], to: NDArray[np.int64]) -> Floats:
        """Cosine distances between rows, shape (of, to), from 0 (same) to 1 (nothing shared)."""
        rows: object = self._rows
        product = rows[of] @ rows[to].T  # type: ignore[index]
        dense = product.toarray() if hasattr(product, "toarray") else product
        return np.clip(1 - np.asarray(dense, np.float64), 0.0, 2.0)

    def nearest(self, of: NDArray[np.int64], to: NDArray[np.int64]) -> Floats:
        """Distance of each row to the nearest of the others, shape (of,), in blocks."""
        blocks = [of[i : i + _BLOCK] for i in range(0, len(of), _BLOCK)]
        return np.concatenate([self.distances(block, to).min(axis=1) for block in blocks])

    def groups(self, k: int, seed: int) -> NDArray[np.int64]:
        """Group the rows by k-means, shape (n,), for want of named topics (scikit-learn)."""
        from sklearn.cluster import MiniBatchKMeans

        found = MiniBatchKMeans(k, random_state=seed, n_init=3).fit(self._rows)
        return np.asarray(found.labels_, np.int64)


def radius(
    positions: Positions,
    questions: NDArray[np.int64],
    weights: ArrayLike,
    items: int,
    seed: int,
    level: float = LEVEL,
) -> float:
    """Distance within which a share `level` of the questions has one of `items` other questions.

    Args:
        positions: of all texts.
        questions: rows that are questions from production, shape (n,).
        weights: how much traffic each of them stands for, shape (n,).
        items: size of the set that is judged.
        seed: of the draws.
        level: the share.

    Raises:
        ValueError: fewer than two questions.
    """
    if len(questions) < 2:
        raise ValueError("two questions at least have a distance")
    rng = np.random.default_rng([seed, len(questions)])
    w = np.asarray(weights, np.float64)
    size = min(items, len(questions) - 1)
    found = []
    for _ in range(_ROUNDS):
        # drawn as traffic comes: Gumbel's trick takes rows without replacement by their weight
        order = np.argsort(-(np.log(w) + rng.gumbel(size=len(w))))
        found.append(_held_out(positions, questions, order[: size + 1]))
    distance = np.concatenate(found)
    weight = np.tile(w, _ROUNDS)
    ranked = np.argsort(distance, kind="stable")
    reached = np.cumsum(weight[ranked]) / weight.sum()
    return float(distance[ranked[min(int(np.searchsorted(reached, level)), len(ranked) - 1)]])


def _held_out(
    positions: Positions, questions: NDArray[np.int64], drawn: NDArray[np.int64]
) -> Floats:
    """Distance of every question to the nearest drawn one that is not itself.

    One more is drawn than there are items: a drawn question meets the others, any other question
    meets all but the last.
    """
    others = questions[drawn[:-1]]
    nearest = positions.nearest(questions, others)
    own = positions.distances(questions[drawn], questions[drawn])
    np.fill_diagonal(own, np.inf)
    nearest[drawn] = own.min(axis=1)
    return nearest
