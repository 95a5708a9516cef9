"""Lifts of few units, held against deals of the same units to other arms."""

from itertools import combinations

import numpy as np
import pytest
from scipy.special import chdtrc
from scipy.stats import permutation_test

from casework.stats.redealt import UnitSums, redealt
from casework.stats.regimes import ArmSums, lifts, misfit


def drawn(
    rng: np.random.Generator, units: int, lift: tuple[float, ...], heavy: float = 1.0
) -> UnitSums:
    """Tenants that wander between stretches, one of which may outweigh the others."""
    treated = np.arange(units) % 2 == 0
    n = rng.poisson(200, (units, len(lift))).astype(float)
    n[rng.integers(units)] *= heavy
    rate = 0.3 + 0.03 * rng.standard_normal((units, len(lift)))
    rate = rate + treated[:, None] * np.array(lift)
    return UnitSums(treated, n, rng.binomial(n.astype(int), np.clip(rate, 0, 1)).astype(float))


def wald(units: UnitSums, treated: np.ndarray) -> float:
    """Disagreement by the functions for many units."""
    arms = []
    for own in (~treated, treated):
        n, y = units.n[own], units.y[own]
        arms.append(ArmSums(int(own.sum()), (n > 0).sum(0) * 1.0, n.sum(0), y.sum(0),
                            n.T @ n, n.T @ y, y.T @ y))  # fmt: skip
    return misfit(lifts(*arms), np.ones((units.n.shape[1], 1)))


def without_effect(units: UnitSums) -> UnitSums:
    t = units.treated
    pooled = units.y[t].sum() / units.n[t].sum() - units.y[~t].sum() / units.n[~t].sum()
    return UnitSums(t, units.n, units.y - pooled * units.n * t[:, None])


def test_the_p_value_is_that_of_all_deals() -> None:
    units = drawn(np.random.default_rng(4), 10, (0.1, 0.06, 0.04))
    base, seen = without_effect(units), wald(units, units.treated)
    beyond = []
    for chosen in combinations(range(10), 5):
        treated = np.isin(np.arange(10), chosen)
        beyond.append(wald(base, treated) >= seen * (1 - 1e-9))
    assert redealt(units, draws=9_999).p == pytest.approx(float(np.mean(beyond)), abs=0.015)


def test_the_p_value_is_that_of_scipy() -> None:
    units = drawn(np.random.default_rng(5), 14, (0.1, 0.06))
    base = without_effect(units)

    def statistic(first: np.ndarray, second: np.ndarray) -> float:
        return wald(base, np.isin(np.arange(14), first.astype(int)))

    places = np.arange(14)
    found = permutation_test(
        (places[units.treated], places[~units.treated]), statistic, n_resamples=3_999,
        permutation_type="independent", alternative="greater", rng=np.random.default_rng(1),
    )  # fmt: skip
    assert redealt(units).p == pytest.approx(found.pvalue, abs=0.03)


def test_equal_lifts_of_few_unequal_units_are_rejected_one_time_in_twenty() -> None:
    """The delta method, beside it, rejects several times as often."""
    rng, trials, rejected, normal = np.random.default_rng(6), 300, 0, 0
    for trial in range(trials):
        units = drawn(rng, 20, (0.04, 0.04, 0.04), heavy=20.0)
        rejected += redealt(units, trial, 399).p < 0.05
        normal += float(chdtrc(2, wald(units, units.treated))) < 0.05
    assert rejected / trials <= 0.09
    assert normal / trials > 0.15


def test_lifts_that_differ_are_found_in_few_units() -> None:
    units = drawn(np.random.default_rng(7), 16, (0.12, 0.01, -0.1))
    assert redealt(units).p < 0.005


def test_intervals_are_wider_where_one_unit_outweighs_the_others() -> None:
    even = drawn(np.random.default_rng(8), 60, (0.04, 0.04))
    heavy = drawn(np.random.default_rng(8), 12, (0.04, 0.04), heavy=20.0)
    assert max(redealt(even).widening) < 1.25
    assert max(redealt(heavy).widening) > 1.3


def test_the_same_seed_gives_the_same_and_one_stretch_has_nothing_to_agree_with() -> None:
    units = drawn(np.random.default_rng(9), 12, (0.04, 0.02))
    assert redealt(units, 3) == redealt(units, 3)
    assert redealt(units.of([0])).p == 1.0
