import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import circmean

from casework.stats.approvals import (
    rank_p_each,
    reading_time_s,
    top_share,
    unusual_hour_p,
)

values = st.lists(st.integers(0, 50).map(float), min_size=1, max_size=40)


@given(values)
def test_each_rank_is_that_against_the_others(found):
    each = rank_p_each(found)
    for i, value in enumerate(found):
        others = found[:i] + found[i + 1 :]
        rank = (1 + sum(other <= value for other in others)) / (len(others) + 1)
        assert each[i] == pytest.approx(rank)
    assert min(each) >= 1 / len(found)


def test_the_rank_holds_its_level_among_exchangeable_approvals():
    rng = np.random.default_rng(4)
    p = [rank_p_each(x)[0] for x in rng.lognormal(6, 2, (4000, 40)).tolist()]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.012)


@given(st.lists(st.integers(0, 1439), min_size=3, max_size=30))
def test_hours_do_not_depend_on_where_the_day_begins(minutes):
    hours, turned = [m / 60 for m in minutes], [(m + 435) % 1440 / 60 for m in minutes]
    assert all(0 < p <= 1 for p in unusual_hour_p(hours))
    assert unusual_hour_p(turned) == pytest.approx(unusual_hour_p(hours))


def test_an_hour_far_from_the_others_is_unusual():
    rng = np.random.default_rng(2)
    hours = [*(rng.normal(14, 1.5, 39) % 24).tolist(), 2.0]
    assert unusual_hour_p(hours)[-1] == 1 / 40
    assert circmean(hours[:-1], high=24) == pytest.approx(14, abs=0.6)
    around = [*((rng.normal(0, 1.5, 39)) % 24).tolist(), 12.0]  # midnight is no edge
    assert unusual_hour_p(around)[-1] == 1 / 40


def test_one_hour_alone_is_not_unusual():
    assert unusual_hour_p([23.7]) == [1.0]
    assert unusual_hour_p([]) == []


def test_concentration():
    assert top_share([6, 3, 1]) == 0.6
    assert top_share([]) is None


@pytest.mark.parametrize(("words", "speed"), [(-1, 238), (10, 0)])
def test_reading_nothing_at_all_is_refused(words, speed):
    with pytest.raises(ValueError, match="positive speed"):
        reading_time_s(words, speed)
