"""Falls of many small groups, against other ways to reckon them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from casework.stats.leakage import paired_drop
from casework.stats.mean_fall import mean_fall
from casework.stats.sign_flips import sign_flip_p


def test_many_graded_items_have_students_interval_and_test() -> None:
    rng = np.random.default_rng(8)
    before, after = rng.normal(0.3, 1, 200), rng.normal(0, 1, 200)
    found, stats = mean_fall(before, after), DescrStatsW(before - after)
    low, high = stats.tconfint_mean(0.05)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((low, high))
    assert found.p == pytest.approx(stats.ttest_mean(0)[1])


def test_right_and_wrong_are_as_the_effect_has_them() -> None:
    before, after = [1, 1, 1, 0, 1], [0, 1, 0, 0, 0]
    assert mean_fall(before, after) == paired_drop(before, after)


@settings(max_examples=20)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=13))
def test_few_items_are_tested_by_their_signs_and_prove_nothing_below_six(
    falls: list[float],
) -> None:
    found = mean_fall(falls, [0.5] * len(falls), scale=1.0)
    assert found.p == sign_flip_p(np.array(falls) - 0.5)
    assert found.estimate.low <= found.estimate.value <= found.estimate.high
    if len(falls) <= 5:
        assert found.p >= 0.05
        assert not found.estimate.excludes(0)


def test_no_item_has_no_fall() -> None:
    with pytest.raises(ValueError, match="no pair"):
        mean_fall([], [])
