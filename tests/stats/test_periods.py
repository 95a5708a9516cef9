"""A ratio in two periods, against the linearised sum over clusters and against simulation."""

import math

import numpy as np
import pytest

from casework.stats.periods import PeriodSums

PRODUCTS = ("n0n0", "n0y0", "y0y0", "n1n1", "n1y1", "y1y1", "n0n1", "n0y1", "y0n1", "y0y1")


def sums(n0: object, y0: object, n1: object, y1: object) -> PeriodSums:
    columns = {name: np.asarray(x, float) for name, x in zip(("n0", "y0", "n1", "y1"),
               (n0, y0, n1, y1), strict=True)}  # fmt: skip
    row = {"clusters": len(columns["n0"])} | {k: v.sum() for k, v in columns.items()}
    row |= {p: columns[p[:2]] @ columns[p[2:]] for p in PRODUCTS}
    return PeriodSums.of(row)


def clusters(rng: np.random.Generator, n: int, rates: tuple[float, float]) -> PeriodSums:
    """Queries with their own rate, asked in both periods or in one."""
    own = rng.beta(2, 6, n) * 4
    sizes = rng.integers(5, 20, (2, n))
    alone = rng.random(n)
    sizes[0, alone < 0.2], sizes[1, alone > 0.8] = 0, 0
    drops = [rng.binomial(sizes[i], np.clip(own * rates[i], 0, 1)) for i in (0, 1)]
    return sums(sizes[0], drops[0], sizes[1], drops[1])


def test_variance_is_that_of_the_residuals() -> None:
    rng = np.random.default_rng(3)
    n0, n1 = rng.integers(1, 9, (2, 50))
    y0, y1 = rng.binomial(n0, 0.3), rng.binomial(n1, 0.5)
    found = sums(n0, y0, n1, y1)
    a, b = y0.sum() / n0.sum(), y1.sum() / n1.sum()
    influence = (y1 - b * n1) / n1.sum() - (y0 - a * n0) / n0.sum()
    assert found.difference.value == pytest.approx(b - a)
    assert found.difference_se == pytest.approx(math.sqrt(influence @ influence * 50 / 49))


def test_intervals_hold_the_true_ratio() -> None:
    rng, inside, trials = np.random.default_rng(5), 0, 400
    for _ in range(trials):
        ratio = clusters(rng, 200, (0.2, 0.26)).ratio
        assert ratio is not None
        inside += ratio.low <= 1.3 <= ratio.high
    assert 0.92 <= inside / trials <= 0.98


def test_without_a_change_one_test_in_twenty_rejects() -> None:
    rng, trials = np.random.default_rng(6), 400
    rejected = sum((clusters(rng, 150, (0.2, 0.2)).p or 1) < 0.05 for _ in range(trials))
    assert 0.02 <= rejected / trials <= 0.09


def test_no_ratio_without_a_positive_level() -> None:
    assert sums([4, 4], [0, 0], [4, 4], [1, 2]).ratio is None
    assert sums([4, 4], [1, 1], [4, 4], [1, 1]).p is None
    assert not sums([4, 4], [1, 1], [0, 0], [0, 0]).testable


def test_scaled_integers_are_scaled_back() -> None:
    row = {"clusters": 2, "n0": 2, "y0": 30, "n1": 2, "y1": 60}
    row |= dict.fromkeys(PRODUCTS, 0)
    found = PeriodSums.of(row, scale=10)
    assert (found.before, found.after) == (1.5, 3.0)
