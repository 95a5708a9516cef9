"""The gate at which the last that passes is as likely relevant as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from casework.stats.marginal_gate import MarginalGate, marginal_gate

GROUPS, BINS = 64, 200
MIDDLES = (np.arange(BINS) + 0.5) / BINS


def chance(score: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-10 * (score - 0.5)))


def drawn(seed: int, n: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups, scores and relevance; scores come out lower by `shift` for the same relevance."""
    rng = np.random.default_rng(seed)
    scores = np.clip(rng.normal(0.5, 0.2, n), 0.001, 0.999)
    relevant = rng.random(n) < chance(scores + shift)
    return rng.integers(0, GROUPS, n), scores, relevant


def found_from(seed: int, n: int, shift: float, gate: float = 0.4) -> MarginalGate:
    counts, hits = np.zeros((2, GROUPS, BINS)), np.zeros((2, GROUPS, BINS))
    for period in (0, 1):
        group, scores, relevant = drawn(seed + period, n, shift * period)
        place = group, (scores * BINS).astype(int)
        np.add.at(counts[period], place, 1)
        np.add.at(hits[period], place, relevant)
    found = marginal_gate(counts, hits, MIDDLES, gate, seed=seed)
    assert found is not None
    return found


def test_gate_follows_the_scores() -> None:
    found = found_from(1, 20_000, 0.1)
    assert found.threshold is not None
    assert found.threshold.value == pytest.approx(0.3, abs=0.02)
    assert found.threshold.low <= 0.3 <= found.threshold.high
    assert found.chance.low <= chance(np.array(0.4)) <= found.chance.high


@pytest.mark.slow
def test_gate_is_the_one_that_tuning_by_the_same_utility_finds() -> None:
    """Scikit-learn chooses the threshold of most utility at the rate of the gate before."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import make_scorer
    from sklearn.model_selection import TunedThresholdClassifierCV

    found = found_from(2, 8_000, 0.1)
    odds = found.chance.value / (1 - found.chance.value)
    _, scores, relevant = drawn(3, 8_000, 0.1)

    def utility(true: np.ndarray, passed: np.ndarray) -> float:
        return float((true & passed).sum() - odds * (~true & passed).sum())

    tuned = TunedThresholdClassifierCV(
        LogisticRegression(), scoring=make_scorer(utility), cv=2, thresholds=50, random_state=0
    ).fit(scores[:, None], relevant)
    model = tuned.estimator_
    cut = np.log(tuned.best_threshold_ / (1 - tuned.best_threshold_))
    at = (cut - model.intercept_[0]) / model.coef_[0, 0]
    assert found.threshold is not None
    assert found.threshold.low - 0.02 <= at <= found.threshold.high + 0.02


def test_chance_is_isotonic_regression() -> None:
    group, scores, relevant = drawn(5, 400, 0.0)
    counts, hits = np.zeros((2, GROUPS, BINS)), np.zeros((2, GROUPS, BINS))
    for period in (0, 1):
        np.add.at(counts[period], (group, (scores * BINS).astype(int)), 1)
        np.add.at(hits[period], (group, (scores * BINS).astype(int)), relevant)
    fitted = IsotonicRegression().fit(MIDDLES[(scores * BINS).astype(int)], relevant)
    found = marginal_gate(counts, hits, MIDDLES, 0.5, draws=20)
    assert found is not None
    assert found.chance.value == pytest.approx(fitted.predict([0.5])[0], abs=0.1)
    assert found.threshold is not None
    assert found.threshold.value == pytest.approx(0.5)  # of the same scores the same gate


@given(st.integers(0, 1000), st.floats(0.25, 0.75))
def test_gate_stays_where_nothing_moved(seed: int, gate: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 5, (1, 4, 20)).astype(float).repeat(2, axis=0)
    rising = np.arange(20) / 20  # strictly, so that no stretch of scores has one chance
    found = marginal_gate(counts, counts * rising, (np.arange(20) + 0.5) / 20, gate, draws=10)
    assert found is not None
    assert found.threshold is not None
    assert found.threshold.value == pytest.approx(gate)


def test_what_cannot_be_told_is_not() -> None:
    ones = np.ones((2, 4, 10))
    scores = np.arange(10) / 10
    assert marginal_gate(ones, ones, scores, 2.0) is None
    assert marginal_gate(ones * [[[0]], [[1]]], ones * 0, scores, 0.5) is None
    for chance, exceeded in ((0.0, False), (1.0, True)):
        hits = np.stack([ones[0] * scores, ones[0] * chance])
        never = marginal_gate(ones, hits, scores, 0.5)
        assert never is not None
        assert never.threshold is None
        assert never.exceeded == exceeded


def test_draws_without_the_chance_reach_to_the_end_of_the_scores() -> None:
    """Three scores have the highest chance of now: 49 of 64, and in a third of the draws below 3/4.

    The gate is then above all of them, and not in their middle.
    """
    counts, scores = np.ones((2, 64, 10)), np.arange(10) / 10
    hits = counts * (scores + 0.05)
    hits[1, :, 7:] = (np.arange(64) < 49)[:, None]
    found = marginal_gate(counts, hits, scores, 0.7)
    assert found is not None
    assert found.chance.value == pytest.approx(0.75)
    assert found.threshold is not None
    assert found.threshold.value < 0.8
    assert found.threshold.high == scores[-1]
