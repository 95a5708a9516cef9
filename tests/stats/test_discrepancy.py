"""How far samples of vectors are apart."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel

from casework.stats.discrepancy import mean_discrepancy, swapped_discrepancy


def test_discrepancy_is_that_of_kernel_means() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 5)), rng.normal(0.5, 1, size=(9, 5))
    found = mean_discrepancy(x, y, 0.3)
    expected = (rbf_kernel(x, gamma=0.3).mean() + rbf_kernel(y, gamma=0.3).mean()
                - 2 * rbf_kernel(x, y, gamma=0.3).mean())  # fmt: skip
    assert found.biased == pytest.approx(expected)
    assert found.unbiased < found.biased


def squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(euclidean_distances(np.vstack([x, y]), squared=True))


def test_swapped_discrepancy_is_the_biased_one_at_the_median_width() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(15, 4))
    y = x + rng.normal(0.3, 0.1, size=x.shape)
    d = squares(x, y)
    width = np.median(d[np.triu_indices(30, 1)])
    found = swapped_discrepancy(d)
    assert found.squared == pytest.approx(mean_discrepancy(x, y, 1 / width).biased)


def test_a_common_move_is_told_from_places_that_were_changed() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(20, 6))
    together = swapped_discrepancy(squares(x, x + 0.3))
    places = swapped_discrepancy(squares(x, np.roll(x, 1, axis=0)))
    assert together.p < 0.01
    assert places.p > 0.5
    assert places.squared == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="two things"):
        swapped_discrepancy(np.zeros((2, 2)))


def test_level_is_kept_where_before_and_after_are_alike() -> None:
    rng = np.random.default_rng(4)
    p = []
    for seed in range(200):
        texts = rng.normal(size=(10, 1, 3))
        both = texts + 0.3 * rng.normal(size=(10, 2, 3))
        p.append(swapped_discrepancy(squares(both[:, 0], both[:, 1]), draws=199, seed=seed).p)
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.06)
