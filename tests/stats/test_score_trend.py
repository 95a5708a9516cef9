"""Whether a score rises with a similarity."""

import numpy as np
import pytest
from scipy.stats import linregress, norm

from casework.stats.score_trend import cochran_armitage, score_trend

# R's manual, `prop.trend.test`: smokers among patients of four studies (Fleiss 1981).
SMOKERS, PATIENTS, CHI2 = (83, 90, 129, 70), (86, 93, 136, 82), 8.2249


def fleiss() -> tuple[np.ndarray, np.ndarray]:
    dose = np.repeat(np.arange(4.0), PATIENTS)
    hits = [np.repeat([1.0, 0.0], [k, n - k]) for k, n in zip(SMOKERS, PATIENTS, strict=True)]
    return dose, np.concatenate(hits)


def test_the_trend_test_is_that_of_r_with_the_permutation_variance() -> None:
    dose, events = fleiss()
    n = len(dose)
    expected = 2 * norm.sf(np.sqrt(CHI2 * (n - 1) / n))
    assert cochran_armitage(dose, events) == pytest.approx(expected, rel=1e-4)
    assert cochran_armitage(10 - 3 * dose, events) == pytest.approx(expected, rel=1e-4)


def test_the_slope_is_that_of_least_squares() -> None:
    dose, events = fleiss()
    found = score_trend(dose / 3, events)
    assert found is not None
    assert found.slope.value == pytest.approx(linregress(dose / 3, events).slope)
    assert found.slope.n == len(dose)
    assert found.slope.high < 0
    assert found.p == cochran_armitage(dose / 3, events)


@pytest.mark.parametrize("binary", [True, False])
def test_the_interval_covers_where_the_spread_differs(binary: bool) -> None:
    inside = rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = np.where(rng.random(150) < 0.6, 0.0, rng.choice([0.5, 0.8, 1.0], 150))
        y = (
            (rng.random(150) < 0.5 + 0.3 * x).astype(float)
            if binary
            else 0.3 * x + rng.normal(size=150) * (0.1 + x)
        )
        found, none = score_trend(x, y), score_trend(x, rng.permutation(y))
        assert found is not None
        assert none is not None
        inside += found.slope.low <= 0.3 <= found.slope.high
        rejected += none.p < 0.05
    assert inside >= 182
    assert rejected <= 18


@pytest.mark.parametrize(
    ("similarity", "scores"),
    [
        (np.zeros(30), np.arange(30.0)),
        (np.arange(9.0), np.arange(9.0)),
        (np.arange(30) == 3, np.arange(30.0)),
        ([], []),
    ],
)
def test_what_tells_no_trend_is_none(similarity: np.ndarray, scores: np.ndarray) -> None:
    assert score_trend(similarity, scores) is None


def test_scores_that_are_all_the_same_have_no_trend() -> None:
    found = score_trend(np.arange(30.0), np.ones(30))
    assert found is not None
    assert (found.slope.value, found.p) == (0.0, 1.0)
