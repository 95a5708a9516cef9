"""Shares that an imperfect test counted, with its errors taken out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stats.test_repeats import of_pairs

from casework.stats.screening import (
    Accuracy,
    Errors,
    corrected_by_accuracy,
    corrected_by_errors,
    rogan_gladen,
)

shares = st.floats(0, 1)
good = st.floats(0.6, 1)


@given(shares, good, good)
def test_the_correction_undoes_what_the_test_does(true: float, se: float, sp: float) -> None:
    apparent = true * se + (1 - true) * (1 - sp)
    assert rogan_gladen(apparent, se, sp) == pytest.approx(true, abs=1e-9)


def test_a_test_no_better_than_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="no better than chance"):
        rogan_gladen(0.5, 0.5, 0.5)


@pytest.mark.parametrize("counts", [(3, 2, 1, 1), (-1, 2, 1, 1), (0, 0, 1, 1), (1, 1, 0, 0)])
def test_a_validation_that_does_not_fit_is_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"count a validation|a positive and a negative"):
        Accuracy(*counts)


def test_validations_are_pooled_by_their_counts() -> None:
    both = Accuracy(9, 10, 8, 10) + Accuracy(1, 10, 10, 10)
    assert (both.sensitivity, both.specificity, both.share_right) == (0.5, 0.9, 0.7)


def test_the_interval_is_that_of_the_delta_method_with_many() -> None:
    """Variance of Rogan and Gladen 1978: of the sample, and of both parts of the validation."""
    se, sp, n, m = 0.9, 0.95, 4000, 2000
    accuracy = Accuracy(round(se * m), m, round(sp * m), m)
    repeats = of_pairs(800, 800, 800, 1600)
    found = corrected_by_accuracy(repeats, [(accuracy, accuracy)]).first
    j, apparent = se + sp - 1, 0.4
    true = (apparent + sp - 1) / j
    variance = (
        apparent * (1 - apparent) / n
        + true**2 * se * (1 - se) / m
        + (1 - true) ** 2 * sp * (1 - sp) / m
    ) / j**2
    assert found.value == pytest.approx(true)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * math.sqrt(variance), rel=0.03)


def test_one_validation_for_both_shares_its_error() -> None:
    """A change between two shares alike is not blurred by an error that both have."""
    repeats, one = of_pairs(190, 5, 5, 200), Accuracy(45, 50, 45, 50)
    together, apart = (
        corrected_by_accuracy(repeats, [(one, other)]).change
        for other in (one, Accuracy(45, 50, 45, 50))
    )
    assert together.high - together.low < 0.5 * (apart.high - apart.low)


@pytest.mark.parametrize(("found", "true"), [(199, 0.995), (200, 1.0), (0, 0.0), (2, 0.0)])
def test_beyond_what_the_test_can_count_is_no_certainty(found: int, true: float) -> None:
    """All of 200 are found by a test that misses some, or fewer than it should flag wrongly."""
    known = Accuracy(330, 349, 90, 101)
    repeats = of_pairs(found, 0, 0, 200 - found)
    share = corrected_by_accuracy(repeats, [(known, known)]).first
    assert share.low <= true <= share.high
    assert share.high - share.low > 0.003


def test_validations_that_differ_widen_the_interval() -> None:
    good, poor = Accuracy(98, 100, 98, 100), Accuracy(80, 100, 85, 100)
    repeats = of_pairs(100, 60, 0, 140)
    one = corrected_by_accuracy(repeats, [(good, good)]).first
    two = corrected_by_accuracy(repeats, [(good, good), (poor, poor)]).first
    assert one.high - one.low < two.high - two.low


def test_labels_of_people_reveal_a_lenient_judge() -> None:
    """The judge calls half of the refusals of the tuned checkpoint answers; people do not."""
    repeats = of_pairs(100, 90, 0, 10)
    found = corrected_by_errors(repeats, Errors(0, 0, 120), Errors(54, 0, 120))
    assert found.change.value == pytest.approx(0.0)
    assert found.change.low < 0 < found.change.high


def test_without_errors_little_is_taken_out_and_the_labels_still_blur() -> None:
    repeats = of_pairs(5, 180, 0, 15)
    found = corrected_by_errors(repeats, Errors(0, 0, 150), Errors(0, 0, 150))
    assert found.change.value == pytest.approx(-0.9)
    assert found.change.high < -0.83


def test_labels_at_one_time_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="both times"):
        corrected_by_errors(of_pairs(1, 1, 1, 1), Errors(0, 0, 0), Errors(0, 0, 5))


def test_the_same_seed_gives_the_same_interval() -> None:
    repeats, accuracy = of_pairs(50, 30, 2, 18), Accuracy(95, 100, 90, 100)
    known = [(accuracy, accuracy)]
    assert corrected_by_accuracy(repeats, known, 7) == corrected_by_accuracy(repeats, known, 7)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [(0.9, 0.9), (0.9, 0.5), (0.95, 0.05), (0.97, 0.0)])
@pytest.mark.parametrize("how", ["accuracy", "errors"])
def test_intervals_cover(first: float, second: float, how: str) -> None:
    rng, runs, n, m = np.random.default_rng(5), 250, 250, 200
    rates = {0: (0.95, 0.92), 1: (0.9, 0.95)}
    covered = 0
    for _ in range(runs):
        level = np.where(rng.random((2, n)) < 0.8, rng.random((1, n)), rng.random((2, n)))
        true = level < np.array([[first], [second]])
        labels = [_tested(true[i], *rates[i], rng) for i in (0, 1)]
        repeats = of_pairs(*(int((labels[0] == a)[labels[1] == b].sum())
                             for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))))  # fmt: skip
        if how == "accuracy":
            known = [Accuracy(rng.binomial(m, rates[i][0]), m, rng.binomial(m, rates[i][1]), m)
                     for i in (0, 1)]  # fmt: skip
            found = corrected_by_accuracy(repeats, [(known[0], known[1])])
        else:
            seen = rng.permutation(n)[:100]
            errors = [Errors(int((true[i] & ~labels[i])[seen].sum()),
                             int((labels[i] & ~true[i])[seen].sum()), 100)
                      for i in (0, 1)]  # fmt: skip
            found = corrected_by_errors(repeats, errors[0], errors[1])
        covered += found.change.low <= second - first <= found.change.high
    assert covered / runs >= 0.92


def _tested(true: np.ndarray, se: float, sp: float, rng: np.random.Generator) -> np.ndarray:
    return np.where(true, rng.random(true.shape) < se, rng.random(true.shape) >= sp)
