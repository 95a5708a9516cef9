import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, quantile_test

from casework.stats.order_statistics import upper_rank


@pytest.mark.parametrize(
    ("n", "share", "rank"),
    [(58, 0.95, None), (59, 0.95, 1), (92, 0.95, 1), (93, 0.95, 2), (124, 0.95, 3),
     (298, 0.99, None), (299, 0.99, 1), (473, 0.99, 2)],
)  # fmt: skip
def test_sizes_are_those_of_the_tables_of_wilks(n, share, rank):
    """The least sizes of one-sided 95 % limits of the first three orders."""
    assert upper_rank(n, share) == rank


@given(st.integers(0, 3_000), st.sampled_from([0.5, 0.9, 0.99]), st.sampled_from([0.8, 0.95]))
def test_the_rank_is_the_largest_that_covers(n, share, level):
    rank = upper_rank(n, share, level) or 0
    assert rank == 0 or binom.sf(rank - 1, n, 1 - share) >= level - 1e-9
    assert binom.sf(rank, n, 1 - share) < level + 1e-9


@pytest.mark.parametrize("n", [299, 1_000, 4_001])
def test_the_bound_is_that_of_scipy(n):
    values = np.sort(np.random.default_rng(n).exponential(size=n))
    found = quantile_test(values, p=0.99, alternative="less").confidence_interval(0.95)
    assert values[n - (upper_rank(n, 0.99) or 0)] == found.high


def test_a_quantile_lies_between():
    with pytest.raises(ValueError, match="between 0 and 1"):
        upper_rank(10, 1.0)
