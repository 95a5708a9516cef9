"""What texts find across a change of their vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from casework.stats.moved_neighbours import moved_neighbours


def unit(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def test_nearest_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    old, new = (unit(rng.normal(size=(40, 8))) for _ in range(2))
    new = unit(old + 0.3 * new)
    found = moved_neighbours(old @ old.T, new @ old.T, new @ new.T)
    search = NearestNeighbors(n_neighbors=11, metric="cosine").fit(old)

    def asked(x: np.ndarray) -> list[list[int]]:
        rows = search.kneighbors(x, return_distance=False).tolist()
        return [[j for j in row if j != i][:10] for i, row in enumerate(rows)]

    kept = [len(set(a) & set(b)) / 10 for a, b in zip(asked(old), asked(new), strict=True)]
    first = search.kneighbors(new, n_neighbors=1, return_distance=False)[:, 0]
    assert found.nearest == 10
    assert found.mixed is not None
    assert found.itself is not None
    assert found.mixed.value == pytest.approx(np.mean(kept))
    assert found.itself.value == np.mean(first == np.arange(40))


def test_a_space_that_turns_as_a_whole_is_lost_to_a_mixed_index_alone() -> None:
    rng = np.random.default_rng(2)
    old = unit(rng.normal(size=(30, 16)))
    turn, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    new = old @ turn
    found = moved_neighbours(old @ old.T, new @ old.T, new @ new.T)
    assert found.anew.value == 1
    assert found.itself is not None
    assert found.mixed is not None
    assert found.itself.high < 0.5
    assert found.mixed.high < 0.6


@given(st.integers(4, 30), st.integers(1, 2), st.integers(0, 100))
def test_nothing_is_lost_where_nothing_moved(n: int, times: int, seed: int) -> None:
    """Also where texts are there twice, each as near to the other as to itself."""
    old = np.repeat(unit(np.random.default_rng(seed).normal(size=(n, 6))), times, axis=0)
    similarity = old @ old.T
    found = moved_neighbours(similarity, similarity, similarity)
    assert found.mixed is not None
    assert (found.itself and found.itself.value, found.mixed.value, found.anew.value) == (1, 1, 1)
    assert moved_neighbours(similarity, None, similarity).itself is None


def test_few_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="four texts"):
        moved_neighbours(np.eye(3), np.eye(3), np.eye(3))
