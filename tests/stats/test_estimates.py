import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from casework.stats import estimates
from casework.stats.estimates import (
    Z95,
    Z99,
    Estimate,
    clopper_pearson,
    enough_to_show,
    minus,
    p_above,
    smallest_shown,
    upper_if_none,
    wilson,
)

CASES = [(0, 20), (1, 29), (15, 148), (81, 263), (148, 148)]


@pytest.mark.parametrize(("k", "n"), CASES)
@pytest.mark.parametrize(("interval", "method"), [(clopper_pearson, "beta"), (wilson, "wilson")])
@pytest.mark.parametrize("level", [0.95, 0.9])
def test_intervals_of_a_share_agree_with_statsmodels(interval, method, k, n, level):
    found = interval(k, n, level)
    low, high = proportion_confint(k, n, alpha=1 - level, method=method)
    assert (found.value, found.n) == (k / n, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_wilson_as_printed():
    """Newcombe, Statistics in Medicine 1998;17:857, method 3."""
    found = wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(("n", "upper"), [(20, 0.1391), (60, 0.0487), (300, 0.0099)])
def test_upper_bound_of_nothing_seen(n, upper):
    """The exact bounds behind the rule of three; the one-sided bound is 90 % two-sided."""
    assert upper_if_none(n) == pytest.approx(upper, abs=5e-5)
    assert upper_if_none(n) == pytest.approx(clopper_pearson(0, n, 0.9).high, abs=1e-12)
    assert upper_if_none(n) < 3 / n


def test_bounds_need_units():
    with pytest.raises(ValueError, match="at least 1"):
        upper_if_none(0)
    with pytest.raises(ValueError, match="k"):
        wilson(3, 2)


def test_interval_against_a_value_and_a_margin():
    found = Estimate(0.5, 0.2, 0.8, 10)
    assert found.excludes(0.1)
    assert found.excludes(0.9)
    assert not found.excludes(0.2)
    assert found.inside(0.1, 0.9)
    assert not found.inside(0.2, 0.9)
    assert not found.inside(0.1, 0.8)


def test_the_quantile_of_a_normal_interval_is_written_once():
    home = Path(estimates.__file__)
    assert home.is_file()
    for path in home.parents[1].rglob("*.py"):
        numbers = {node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                   if isinstance(node, ast.Constant) and isinstance(node.value, float)}  # fmt: skip
        repeated = {x for x in numbers for z in (Z95, Z99) if abs(x - z) < 1e-3}
        assert path == home or not repeated, f"{path}: {repeated}"


ends = st.tuples(*[st.floats(0, 9)] * 2)
found = st.builds(lambda x, by: Estimate(x, x - by[0], x + by[1], 5), st.floats(-9, 9), ends)


@given(found, found)
def test_a_difference_is_as_sure_as_both(one, other):
    there, back = minus(one, other), minus(other, one)
    assert (there.value, there.low, there.high) == (-back.value, -back.high, -back.low)
    assert there.n == 10
    apart = (one.low - other.high, one.high - other.low)
    assert apart[0] - 1e-9 <= there.low <= there.value <= there.high <= apart[1] + 1e-9


@given(found.filter(lambda e: e.low < e.value), st.floats(-9, 9))
def test_a_value_is_above_a_limit_where_its_interval_is(one, limit):
    p = p_above(one, limit)
    assert 0 <= p <= 1
    if abs(one.low - limit) > 1e-9 * max(1.0, abs(limit)):
        assert (p < 0.025) == (one.low > limit)


def test_so_many_as_show_an_effect_show_it_four_times_in_five():
    """Two standard errors and 0.84 more: with 400 of standard deviation 1, an effect of 0.14."""
    half = Z95 / 20
    assert enough_to_show(Estimate(0.0, -half, half, 400), 0.14) == 401
    assert smallest_shown(Estimate(0.0, -half, half, 400)) == pytest.approx(0.14, abs=1e-3)
    rng = np.random.default_rng(1)
    shown = np.abs(rng.normal(0.14, 1 / np.sqrt(401), 20_000)) > Z95 / np.sqrt(401)
    assert shown.mean() == pytest.approx(0.8, abs=0.01)
