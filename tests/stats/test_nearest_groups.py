"""The nearest-neighbour test: right by chance alone, and it sees what differs."""

import numpy as np
import pytest

from casework.stats.nearest_groups import neighbours_p


def test_clusters_that_are_alike_are_seldom_told_apart() -> None:
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(30), 5)
        # each cluster has a place of its own, which is no difference of the groups
        points = rng.normal(0, 1, (30, 3))[cluster] + rng.normal(0, 0.5, (150, 3))
        distances = np.linalg.norm(points[:, None] - points[None, :], axis=2)
        p.append(neighbours_p(distances, cluster < 10, cluster, seed, 99))
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.1)


def test_groups_in_other_places_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(30), 5)
    first = cluster < 10
    points = rng.normal(0, 1, (150, 3)) + first[:, None] * 1.5
    distances = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    assert neighbours_p(distances, first, cluster, 1) < 0.01
