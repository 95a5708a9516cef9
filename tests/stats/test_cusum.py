"""Alarms of a running sum, against published run lengths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.cusum import first_alarm, run_length


@pytest.mark.parametrize(
    ("step", "limit", "published"),
    [(0, 5, 465), (0.5, 5, 38.0), (1, 5, 10.4), (2, 5, 4.01), (0, 4, 168), (1, 4, 8.38)],
)
def test_run_lengths_are_those_of_the_textbook(step: float, limit: float, published: float) -> None:
    """Montgomery, Introduction to Statistical Quality Control, table 9.3, reference 0.5."""
    assert run_length(step, limit=limit) == pytest.approx(published, rel=0.04)


def test_alarms_come_as_often_as_said() -> None:
    rng = np.random.default_rng(1)
    found = [first_alarm(rng.normal(1, 1, 200), 0, 1) for _ in range(2_000)]
    lengths = [index + 1 for index in found if index is not None]
    assert len(lengths) == 2_000
    assert np.mean(lengths) == pytest.approx(10.4, rel=0.03)


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
