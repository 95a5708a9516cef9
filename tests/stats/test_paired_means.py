"""Mean differences of pairs: the interval covers, and small cases are refused or exact."""

import numpy as np
import pytest

from casework.stats.paired_means import mean_difference


def test_the_interval_covers_a_known_difference():
    rng = np.random.default_rng(11)
    covered = 0
    for seed in range(40):
        first = rng.gamma(2, 1, 60)
        second = first + 0.3 + rng.exponential(0.5, 60) - 0.5
        found = mean_difference(first.tolist(), second.tolist(), seed)
        covered += found.low <= 0.3 <= found.high
    assert covered >= 33


def test_a_constant_change_of_few_items_tells_no_direction():
    few = mean_difference([1.0, 2.0, 3.0], [1.5, 2.5, 3.5])
    assert (few.value, few.n) == (0.5, 3)
    assert few.low < 0 < few.high
    none = mean_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert none.low < -1 < 1 < none.high
    many = mean_difference([1.0] * 200, [1.5] * 200)
    assert 0.47 < many.low < many.value


@pytest.mark.parametrize(("first", "second"), [([1.0], [2.0]), ([1.0, 2.0], [1.0])])
def test_two_pairs_are_needed(first, second):
    with pytest.raises(ValueError, match="two items"):
        mean_difference(first, second)
