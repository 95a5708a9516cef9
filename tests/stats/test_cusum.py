"""Alarms of a running sum, against published run lengths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.cusum import alarm_chance, first_alarm


@pytest.mark.parametrize(("step", "limit", "published"), [(1, 5, 10.4), (2, 5, 4.01), (1, 4, 8.38)])
def test_run_lengths_are_those_of_the_textbook(step: float, limit: float, published: float) -> None:
    """Montgomery, Introduction to Statistical Quality Control, table 9.3, reference 0.5."""
    rng = np.random.default_rng(1)
    found = [first_alarm(rng.normal(step, 1, 200), 0, 1, limit=limit) for _ in range(2_000)]
    lengths = [index + 1 for index in found if index is not None]
    assert len(lengths) == 2_000
    assert np.mean(lengths) == pytest.approx(published, rel=0.03)


@pytest.mark.parametrize(("limit", "published"), [(5, 465), (4, 168)])
def test_a_level_that_is_known_gives_the_run_length_of_the_textbook(
    limit: float, published: float
) -> None:
    """The run length of noise is all but geometric: within its mean 63 % raise an alarm."""
    found = alarm_chance(10**8, published, limit=limit)
    assert found == pytest.approx(1 - np.exp(-1), abs=0.025)


def test_a_level_that_few_values_tell_is_left_more_often() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(1_000):
        before = rng.normal(3, 2, 14)
        later = rng.normal(3, 2, 90)
        alarms += first_alarm(later, before.mean(), before.std(ddof=1)) is not None
    assert alarm_chance(14, 90) == pytest.approx(alarms / 1_000, abs=0.05)
    assert alarm_chance(14, 90) > 2 * alarm_chance(10**8, 90)
    with pytest.raises(ValueError, match="two values"):
        alarm_chance(1, 90)


def test_the_sum_is_the_tabular_one() -> None:
    """Montgomery's example 9.1: from a level of 10 a step of one; period 29 is the first out."""
    values = [9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51,
              9.40, 10.08, 9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08,
              10.38, 11.62, 11.31, 10.52]  # fmt: skip
    assert first_alarm(values, 10, 1) == 28
    assert first_alarm(values[:28], 10, 1) is None


@given(st.lists(st.floats(-3, 3), max_size=40), st.floats(0.1, 10), st.floats(-5, 5))
def test_only_departures_in_standard_deviations_count(
    values: list[float], sd: float, level: float
) -> None:
    found = first_alarm(values, 0.0, 1.0, limit=4.9999)
    assert first_alarm([level + sd * z for z in values], level, sd, limit=5) in (
        found, first_alarm(values, 0.0, 1.0, limit=5.0001),
    )  # fmt: skip
    assert first_alarm([-z for z in values], 0.0, 1.0, limit=4.9999) == found


def test_no_spread_is_refused() -> None:
    with pytest.raises(ValueError, match="standard deviation"):
        first_alarm([1.0], 0.0, 0.0)
