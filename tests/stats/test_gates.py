"""Thresholds that restore a pass rate or a precision, and who contributed what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from casework.stats.gates import (
    JudgedBins,
    precision_above,
    precision_threshold,
    restoring_rank,
    restoring_threshold,
    shapley,
)


def steps(scores: list[int]) -> list[tuple[float, int]]:
    distinct = sorted(set(scores), reverse=True)
    return [(float(x), sum(score >= x for score in scores)) for x in distinct]


@given(st.lists(st.integers(0, 15), min_size=1, max_size=40), st.data())
def test_at_least_k_pass_and_fewer_at_the_stricter_one(
    scores: list[int], data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(scores)))
    found = restoring_threshold(steps(scores), k)
    assert sum(score >= found.threshold for score in scores) == found.passing >= k
    assert found.threshold == sorted(scores, reverse=True)[k - 1]
    assert found.stricter_passing < k
    if found.stricter is not None:
        assert sum(score >= found.stricter for score in scores) == found.stricter_passing


def test_too_few_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 4"):
        restoring_threshold([(1.0, 3)], 4)


def test_ranks_scale_with_the_number_of_scores() -> None:
    assert restoring_rank(61, 100, 100) == 61
    assert restoring_rank(61, 100, 1000) == 610
    assert restoring_rank(0, 100, 50) == 1


def test_precision_above_is_isotonic_regression_averaged() -> None:
    rng = np.random.default_rng(2)
    judged = rng.integers(1, 9, 30).astype(float)
    relevant = rng.binomial(judged.astype(int), np.linspace(0.1, 0.9, 30)).astype(float)
    offered = rng.integers(10, 50, 30).astype(float)
    model = IsotonicRegression().fit(np.arange(30), relevant / judged, sample_weight=judged)
    chance = model.predict(np.arange(30))
    expected = [(chance[i:] * offered[i:]).sum() / offered[i:].sum() for i in range(30)]
    assert precision_above(judged, relevant, offered) == pytest.approx(expected)


def sample(rng: np.random.Generator, shift: float) -> JudgedBins:
    """Judged pairs whose chance of relevance is a known function of the score, less a shift."""
    bins, groups, each = 100, 64, 60
    scores = np.clip(rng.normal(0.5, 0.15, (groups, each)), 0, 0.999)
    hits = rng.random((groups, each)) < np.clip(scores + shift, 0, 1)
    judged, relevant = np.zeros((groups, bins)), np.zeros((groups, bins))
    for group in range(groups):
        place = (scores[group] * bins).astype(int)
        np.add.at(judged[group], place, 1)
        np.add.at(relevant[group], place, hits[group])
    return JudgedBins(judged, relevant, judged.sum(axis=0), np.arange(bins) / bins)


def test_the_interval_of_the_precision_threshold_holds_the_true_one() -> None:
    """Scores are normal about 0.5; the threshold at which the mean chance above it is 0.7."""
    reference = np.random.default_rng(0).normal(0.5, 0.15, 400_000)
    grid = np.arange(100) / 100
    means = np.array([np.clip(reference[reference >= t] + 0.1, 0, 1).mean() for t in grid[:95]])
    true = float(np.interp(0.7, means, grid[:95]))
    inside = 0
    for seed in range(30):
        found = precision_threshold(
            sample(np.random.default_rng(seed), 0.1), 0.7, draws=99, seed=seed
        )
        assert found is not None
        inside += found.low - 0.01 <= true <= found.high + 0.01
    assert inside >= 26


def test_a_precision_that_nothing_reaches_has_no_threshold() -> None:
    assert precision_threshold(sample(np.random.default_rng(1), -0.4), 0.99, draws=9) is None
    empty = JudgedBins(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(3), np.arange(3.0))
    assert precision_threshold(empty, 0.5, draws=9) is None


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_the_parts_sum_to_the_total(cells: list[float]) -> None:
    found = shapley(dict(zip(("00", "10", "01", "11"), cells, strict=True)))
    assert found.first + found.second == pytest.approx(found.total, abs=1e-12)
