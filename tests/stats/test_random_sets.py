"""Gaps of random sets, against what follows by hand."""

import numpy as np
import pytest

from casework.stats.random_sets import compared, gaps_by_likeness, gaps_by_topic


def test_by_topic_the_mean_gap_is_the_chance_to_miss() -> None:
    others, target = np.array([1.0, 0.0]), np.array([0.7, 0.3])
    gaps = gaps_by_topic(others, target, np.array([0.97, 0.03]), 40, 1, 20_000)
    # the rare topic is missed with chance 0.97^40, and then the target lacks its 30 %
    assert gaps.mean() == pytest.approx(0.3 * 0.97**40, abs=0.003)
    assert sorted({round(gap, 9) for gap in gaps.tolist()}) == [0, 0.3]


def test_by_likeness_kinds_are_covered_as_often_as_they_are_drawn() -> None:
    # 90 of others in one kind; of the target 6 in that kind and 4 in a kind of their own
    kind = np.array([0] * 96 + [1] * 4)
    is_target = np.arange(100) >= 90
    near = (kind[:, None] == kind[None, :]) & ~np.eye(100, dtype=bool)
    gaps = gaps_by_likeness(near, is_target, np.ones(100), 10, 1, 5_000)
    # hypergeometric: none of the 4 among 10 of 100; a drawn one alone does not cover itself
    none = np.prod([(90 - k) / (100 - k) for k in range(4)])
    one = 4 * 10 * np.prod([(90 - k) / (100 - 1 - k) for k in range(3)]) / 100
    assert gaps.mean() == pytest.approx(0.4 * none + 0.1 * one, abs=0.01)


def test_what_has_no_weight_is_never_drawn() -> None:
    is_target = np.arange(20) >= 10
    near = (is_target[:, None] == is_target[None, :]) & ~np.eye(20, dtype=bool)
    gaps = gaps_by_likeness(near, is_target, np.where(is_target, 0.0, 1.0), 5, 1, 50)
    assert gaps.tolist() == [1] * 50


@pytest.mark.parametrize("items", [20, 60])
def test_a_random_set_is_as_often_extreme_as_the_level(items: int) -> None:
    rng = np.random.default_rng(items)
    kinds = rng.integers(0, 30, 300)
    is_target = rng.random(300) < 0.2 + 0.02 * kinds
    near = (kinds[:, None] == kinds[None, :]) & ~np.eye(300, dtype=bool)
    drawn = gaps_by_likeness(near, is_target, np.ones(300), items, 1, 400)
    others = gaps_by_likeness(near, is_target, np.ones(300), items, 2, 400)
    p = np.array([compared(others, gap).p for gap in drawn])
    assert (p < 0.1).mean() == pytest.approx(0.1, abs=0.05)
    assert p.min() > 0
