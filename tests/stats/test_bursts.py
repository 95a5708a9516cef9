"""Bursts in simulated streams: seldom where there is none, and at their first event."""

import numpy as np
import pytest

from casework.stats.bursts import expected_so_far, first_burst


def test_a_base_rate_alone_seldom_alarms():
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(300):
        n = rng.poisson(20)
        alarms += first_burst(np.sort(rng.uniform(0, 20, n)).tolist(), 1.0) is not None
    assert alarms / 300 <= 0.05


@pytest.mark.parametrize("burst", [4, 10, 40])
def test_a_burst_is_found_at_its_first_event(burst):
    rng = np.random.default_rng(burst)
    for _ in range(20):
        base = np.sort(rng.uniform(0, 8, 6))
        late = 9 + np.sort(np.r_[0, rng.uniform(0, 0.06, burst - 1)])
        found = first_burst([*base, *late], 0.8)
        assert found is not None
        assert found.first == 6
        assert found.p < 0.05


def test_the_earlier_of_two_bursts_counts():
    times = [*np.linspace(10, 10.1, 12), *np.linspace(50, 50.1, 30)]
    found = first_burst(times, 0.1)
    assert found is not None
    assert found.first == 0


def test_one_event_is_no_burst_and_a_rate_is_needed():
    assert first_burst([], 1.0) is None
    assert first_burst([3.0], 1.0) is None
    with pytest.raises(ValueError, match="positive"):
        first_burst([1.0, 2.0], 0.0)


def test_hours_of_the_day_are_followed_where_the_base_covers_days():
    by_hour = [0] * 8 + [10] * 10 + [0] * 6
    day = 24 * 20_000
    night, noon = (np.diff(expected_so_far([day + h, day + h + 1], by_hour, 240)) for h in (3, 12))
    assert noon[0] > 5 * night[0]
    short = np.diff(expected_so_far([day + 3, day + 4, day + 12, day + 13], by_hour, 24))
    assert short[0] == pytest.approx(short[2])
    whole = np.diff(expected_so_far([day, day + 24], by_hour, 240))
    assert whole[0] == pytest.approx(24 * 101 / 240)
