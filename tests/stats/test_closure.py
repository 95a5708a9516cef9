import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.closure import (
    CRITICAL,
    WEIGHTS,
    broken_links,
    closure_score,
    missing_links,
    score_range,
)

states = st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 1))


@given(states)
def test_the_score_lies_between_worst_and_best(found):
    score = closure_score(found)
    assert 0 <= score <= max([*found.values(), 0]) + 1e-12
    assert closure_score(dict.fromkeys(WEIGHTS, 1.0)) == 1


@given(states)
def test_a_broken_link_is_a_missing_one(found):
    assert set(broken_links(found)) <= set(missing_links(found))


def test_the_worst_link_comes_first_whatever_the_score():
    found = dict.fromkeys(WEIGHTS, 1.0) | {"hyperparameters": 0.25, "code": 0.1}
    assert closure_score(found) > 0.75
    assert broken_links(found) == ["code", "hyperparameters"]
    assert broken_links({}) == sorted(CRITICAL)


def test_the_range_holds_the_score_and_is_a_point_where_all_states_agree():
    found = {"train_data": 1.0, "code": 0.0, "base_checkpoint": 0.5}
    low, high = score_range(found)
    assert low < closure_score(found) < high
    assert score_range(dict.fromkeys(WEIGHTS, 0.75)) == pytest.approx((0.75, 0.75))
    assert score_range(found) == score_range(found)


def test_weights_of_nothing_are_refused():
    with pytest.raises(ValueError, match="weights"):
        closure_score({}, {"code": 0.0})
