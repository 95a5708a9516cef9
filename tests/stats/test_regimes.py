"""Lifts of several stretches of time, against the sums over units and against simulation."""

import numpy as np
import pytest

from casework.stats.estimates import Estimate
from casework.stats.regimes import (
    ArmSums,
    Lifts,
    contrast,
    lifts,
    misfit,
    p_beyond,
    pairs,
    pooled_and_stretches,
)
from casework.stats.strata import cochran_q


def arm(n: np.ndarray, y: np.ndarray) -> ArmSums:
    """Sums of arrays of shape (units, R)."""
    return ArmSums(len(n), (n > 0).sum(0) * 1.0, n.sum(0), y.sum(0), n.T @ n, n.T @ y, y.T @ y)


def draw(rng: np.random.Generator, units: int, lift: tuple[float, ...]) -> ArmSums:
    """Users with a level of their own in all stretches."""
    own = 0.3 + 0.1 * rng.standard_normal((units, 1))
    n = rng.poisson(6, (units, len(lift))).astype(float)
    chance = np.clip(own + np.array(lift), 0, 1)
    return arm(n, rng.binomial(n.astype(int), chance).astype(float))


def test_covariance_is_that_of_the_residuals() -> None:
    rng = np.random.default_rng(1)
    n = rng.integers(1, 9, (40, 3)).astype(float)
    y = rng.binomial(n.astype(int), 0.4).astype(float)
    found = arm(n, y)
    residual = (y - y.sum(0) / n.sum(0) * n) / n.sum(0)
    assert found.covariance == pytest.approx(residual.T @ residual * 40 / 39)


def test_agreement_is_that_of_cochran_where_lifts_are_independent() -> None:
    values, variances = np.array([0.06, 0.01, -0.02]), np.array([4e-4, 9e-4, 2e-4])
    found = Lifts(values, np.diag(variances), (9, 9, 9)).agreement()
    expected = cochran_q(values, variances)
    assert found is not None
    assert (found.q, found.df, found.p, found.i2) == pytest.approx(
        (expected.q, expected.df, expected.p, expected.i2)
    )


def test_equal_lifts_are_rejected_one_time_in_twenty() -> None:
    rng, trials, rejected = np.random.default_rng(2), 400, 0
    for _ in range(trials):
        found = lifts(draw(rng, 150, (0, 0, 0)), draw(rng, 150, (0.1, 0.1, 0.1))).agreement()
        assert found is not None
        rejected += found.p < 0.05
    assert 0.02 <= rejected / trials <= 0.09


def test_intervals_of_the_gap_hold_the_true_gap() -> None:
    """The pooled lift is a mean of the lifts, so the gap shares their noise."""
    rng, trials, inside = np.random.default_rng(3), 400, 0
    for _ in range(trials):
        joint = pooled_and_stretches(draw(rng, 150, (0, 0)), draw(rng, 150, (0.1, 0.0)))
        gap = contrast(joint, 2, 0)
        inside += gap.low <= -0.05 <= gap.high
    assert 0.92 <= inside / trials <= 0.98


def test_pooled_units_are_counted_once() -> None:
    rng = np.random.default_rng(4)
    joint = pooled_and_stretches(draw(rng, 30, (0, 0)), draw(rng, 20, (0, 0)))
    assert joint.estimate(0).n == 50
    assert joint.without_first().values == pytest.approx(joint.values[1:])


def test_a_line_through_the_lifts_leaves_nothing() -> None:
    found = Lifts(np.array([1.0, 2.0, 3.0]), np.eye(3), (5, 5, 5))
    assert misfit(found, np.column_stack([np.ones(3), [1, 2, 3]])) == pytest.approx(0)
    assert misfit(found, np.ones((3, 1))) == pytest.approx(2)


def test_pairs_are_adjusted_and_margins_are_two_sided() -> None:
    found = pairs(Lifts(np.array([0.0, 0.0, 9.0]), np.eye(3), (5, 5, 5)))
    assert [(i, j) for i, j, _, p in found if p < 0.05] == [(0, 2), (1, 2)]
    assert p_beyond(Estimate(0.5, 0.5 - 1.96, 0.5 + 1.96, 9), 0.5) == pytest.approx(1)
    assert p_beyond(Estimate(-4.0, -4 - 1.96, -4 + 1.96, 9), 1.0) < 0.01
    assert p_beyond(Estimate(1.0, 1.0, 1.0, 9), 0.5) == 0


def test_a_stretch_without_a_rare_outcome_is_not_certain() -> None:
    """Of 80 units an arm none may have what two in a hundred have."""
    rng = np.random.default_rng(1)
    sizes = np.array([4000.0, 4000.0, 80.0])

    def arm(chance: float) -> ArmSums:
        y = rng.binomial(sizes.astype(int), chance).astype(float)
        return ArmSums(8080, sizes, sizes, y, np.diag(sizes), np.diag(y), np.diag(y))

    apart = none = 0
    for _ in range(400):
        control, treatment = arm(0.01), arm(0.02)
        found = pooled_and_stretches(control, treatment)
        apart += contrast(found, 3, 0).excludes(0)
        none += not control.y[2] + treatment.y[2]
        assert found.estimate(3).low < found.estimate(3).high
    assert none > 20
    assert apart / 400 < 0.05


def test_a_metric_that_never_varies_has_no_variance() -> None:
    n = np.array([5.0, 7.0])
    always = ArmSums(12, n, n, n, np.diag(n), np.diag(n), np.diag(n))
    assert not always.covariance.any()
