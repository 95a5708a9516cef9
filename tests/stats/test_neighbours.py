"""Nearest neighbours among embeddings, and the radius that unrelated texts tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from casework.stats.neighbours import FEWEST, most_items, nearest, radius_of, unit_vectors

Vectors = NDArray[np.float32]


def drawn(rng: np.random.Generator, centres: NDArray[np.float64], n: int) -> Vectors:
    of = centres[rng.integers(len(centres), size=n)]
    return unit_vectors((of + rng.normal(size=of.shape)).astype(np.float32))[0]


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.integers(1, 5))
def test_the_nearest_are_those_of_all_pairs(seed: int, n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = (drawn(rng, np.zeros((1, 6)), size) for size in (n, m))
    places, cosines = nearest(ours, theirs, k)
    every = ours @ theirs.T
    expected = -np.sort(-every, axis=1)[:, :k]
    assert cosines == pytest.approx(expected, abs=1e-5)
    assert np.take_along_axis(every, places, axis=1) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("items", "others"), [(250, 200), pytest.param(200, 500, marks=pytest.mark.slow)]
)
def test_unrelated_items_come_within_the_radius_as_often_as_told(items: int, others: int) -> None:
    found, told = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(5, 24)) * rng.uniform(0.3, 1.5)
        ours, theirs = drawn(rng, centres, items), drawn(rng, centres, others)
        radius = radius_of(ours, others)
        assert radius is not None
        found.append(float((nearest(ours, theirs)[1][:, 0] >= radius.similarity).mean()))
        told.append(radius.by_chance)
    assert np.mean(found) == pytest.approx(np.mean(told), abs=0.015)


def test_what_is_the_same_in_other_words_lies_within_the_radius() -> None:
    rng = np.random.default_rng(1)
    ours = drawn(rng, rng.normal(size=(4, 48)), 200)
    copies = unit_vectors(ours[:50] + rng.normal(size=(50, 48)).astype(np.float32) * 0.03)[0]
    radius = radius_of(ours, 50)
    assert radius is not None
    assert (nearest(ours[:50], copies)[1][:, 0] >= radius.similarity).mean() > 0.95


def test_few_items_tell_no_radius() -> None:
    rng = np.random.default_rng(2)
    ours = drawn(rng, np.zeros((1, 8)), FEWEST)
    assert radius_of(ours, 10) is not None
    assert radius_of(ours[1:], 10) is None
    assert radius_of(ours, 0) is None


def test_items_that_are_all_the_same_are_all_within_it_and_that_is_told() -> None:
    radius = radius_of(np.ones((60, 4), np.float32) / 2, 60)
    assert radius is not None
    assert radius.similarity == pytest.approx(1)
    assert radius.by_chance > 0.95


def test_vectors_without_a_direction_are_left_out() -> None:
    given_vectors = np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 1]], np.float32)
    vectors, rows = unit_vectors(given_vectors)
    assert rows.tolist() == [0]
    assert vectors.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]


def test_a_large_bank_leaves_fewer_items_to_compare() -> None:
    assert most_items(1_000) * 1_000 == most_items(5_000) * 5_000
    assert most_items(10**12) == FEWEST
