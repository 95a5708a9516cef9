"""Weights: raking meets its margins, inverse chances give back the population."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from casework.stats.bounds import manski, tipping_point
from casework.stats.composition import kish
from casework.stats.weights import hajek, horvitz_thompson, rake

TARGETS = {"topic": {"a": 0.5, "b": 0.3, "c": 0.2}, "length": {"long": 0.7, "short": 0.3}}


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_raked_weights_meet_both_margins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    every = [(t, n) for t in "abc" for n in ("long", "short")]
    drawn = every + [every[i] for i in rng.integers(0, 6, 60)]
    columns = {"topic": [t for t, _ in drawn], "length": [n for _, n in drawn]}
    weights = rake(columns, TARGETS)
    for margin, levels in TARGETS.items():
        for level, share in levels.items():
            held = np.array([value == level for value in columns[margin]])
            assert weights[held].sum() == pytest.approx(share, rel=1e-6)
    assert 0 < kish(weights) <= len(drawn)


def test_one_margin_is_poststratification() -> None:
    weights = rake({"topic": list("aab")}, {"topic": {"a": 0.4, "b": 0.6}})
    assert weights == pytest.approx([0.2, 0.2, 0.6])


def test_a_level_without_a_unit_fails_positivity() -> None:
    with pytest.raises(ValueError, match="positivity"):
        rake({"topic": list("aab")}, {"topic": {"a": 0.4, "b": 0.5, "c": 0.1}})


def test_a_level_that_is_not_wanted_weighs_nothing() -> None:
    weights = rake({"topic": list("aab")}, {"topic": {"a": 1.0, "b": 0.0}})
    assert weights == pytest.approx([0.5, 0.5, 0.0])


def test_margins_that_cannot_be_met_together_are_refused() -> None:
    columns = {"topic": list("ab"), "length": ["long", "short"]}
    with pytest.raises(ValueError, match="margins"):
        rake(columns, {"topic": {"a": 0.9, "b": 0.1}, "length": {"long": 0.1, "short": 0.9}})


def test_inverse_chances_undo_a_selection() -> None:
    rng = np.random.default_rng(5)
    good = rng.random(200_000) < 0.3
    chance = np.where(good, 0.2, 0.02)
    seen = rng.random(len(good)) < chance
    assert hajek(good[seen], chance[seen]) == pytest.approx(0.3, abs=0.02)
    assert horvitz_thompson(good[seen], chance[seen]) == pytest.approx(good.sum(), rel=0.03)
    with pytest.raises(ValueError, match="chance"):
        hajek([1.0], [0.0])


@given(arrays(float, 30, elements=st.floats(0, 1)), st.integers(1, 29))
def test_bounds_hold_the_mean_of_all(values: np.ndarray, k: int) -> None:
    low, high = manski(k / 30, float(values[:k].mean()))
    assert low - 1e-9 <= values.mean() <= high + 1e-9


def test_bounds_of_what_cannot_be_are_refused() -> None:
    for seen, mean in ((1.2, 0.5), (0.5, 1.5)):
        with pytest.raises(ValueError, match="cannot be"):
            manski(seen, mean)


def test_a_gain_is_gone_at_its_tipping_point() -> None:
    point = tipping_point(0.1, 0.6)
    assert point is not None
    assert 0.6 * 0 + 0.4 * point == pytest.approx(0.1)
    assert tipping_point(0.1, 1.0) is None
