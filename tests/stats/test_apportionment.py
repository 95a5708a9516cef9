"""Sizes of parts in given proportions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.apportionment import apportioned


def test_the_usual_example_of_largest_remainders() -> None:
    """100,000 votes for 10 seats: exact quotas 4.7, 1.6, 1.58, 1.2, 0.61 and 0.31."""
    votes = [47_000, 16_000, 15_800, 12_000, 6_100, 3_100]
    assert apportioned(votes, 10).tolist() == [5, 2, 1, 1, 1, 0]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any), st.integers(0, 5_000))
def test_parts_add_up_and_keep_to_their_quota(weights: list[int], size: int) -> None:
    found = apportioned(weights, size)
    assert found.sum() == size
    exact = size * np.array(weights) / sum(weights)
    assert (np.abs(found - exact) < 1 + 1e-6).all()
    assert (found[np.array(weights) == 0] == 0).all()


def test_nothing_has_no_proportion() -> None:
    with pytest.raises(ValueError, match="above zero"):
        apportioned([0, 0], 3)
