import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.grim import is_possible_share, possible_counts


@given(st.integers(1, 400), st.data(), st.integers(0, 3))
def test_a_rate_that_was_measured_is_possible(n, data, decimals):
    k = data.draw(st.integers(0, n))
    assert k in possible_counts(round(100 * k / n, decimals), n, decimals)


@given(st.integers(1, 300), st.integers(0, 1000), st.integers(0, 2))
def test_the_counts_are_those_that_round_to_the_report(n, thousandths, decimals):
    percent = round(thousandths / 10, decimals)
    half = 0.5 * 10.0**-decimals
    expected = [k for k in range(n + 1) if abs(100 * k / n - percent) <= half + 1e-9]
    assert possible_counts(percent, n, decimals) == expected


def test_more_items_than_the_decimals_tell_apart_allow_everything():
    assert all(possible_counts(percent, 150, 0) for percent in range(101))


@pytest.mark.parametrize(("n", "decimals"), [(0, 1), (10, -1)])
def test_nonsense_is_refused(n, decimals):
    with pytest.raises(ValueError, match="at least"):
        possible_counts(50.0, n, decimals)


@given(st.integers(1, 5000), st.data(), st.integers(0, 12))
def test_a_share_is_possible_however_it_is_rounded(n, data, decimals):
    k = data.draw(st.integers(0, n))
    assert is_possible_share(round(k / n, decimals + 2), n)


@given(st.integers(1, 5000), st.data())
def test_a_share_is_possible_in_single_precision_and_as_that_is_written(n, data):
    share = np.float32(data.draw(st.integers(0, n)) / n)
    assert is_possible_share(float(share), n)
    assert is_possible_share(float(str(share)), n)


def test_a_share_of_too_few_items_is_not():
    assert not is_possible_share(0.94, 37)
    assert not is_possible_share(float(np.float32(0.94)), 37)
    assert not is_possible_share(16 / 17 + 1e-6, 17)
    assert is_possible_share(0.161, 330)
    assert not is_possible_share(0.9401, 330)
