"""Which counts a reported percentage may stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.grim import counts_of


@given(st.integers(1, 2000), st.data(), st.integers(0, 3))
def test_a_count_is_among_those_of_its_own_percentage(
    n: int, data: st.DataObject, dec: int
) -> None:
    k = data.draw(st.integers(0, n))
    assert k in counts_of(round(100 * k / n, dec), n, dec)


@given(st.integers(1, 500), st.integers(0, 1000), st.integers(0, 2))
def test_every_count_gives_the_percentage_back(n: int, tenths: int, dec: int) -> None:
    reported = round(tenths / 10, dec)
    step = 10**-dec
    found = counts_of(reported, n, dec)
    assert all(abs(100 * k / n - reported) <= step / 2 + 1e-9 for k in found)
    others = set(range(n + 1)) - set(found)
    assert all(abs(100 * k / n - reported) >= step / 2 - 1e-9 for k in others)


def test_an_impossible_percentage_has_no_count() -> None:
    assert counts_of(94.0, 37, 1) == []


@pytest.mark.parametrize(("n", "decimals"), [(0, 1), (10, -1)])
def test_nonsense_is_refused(n: int, decimals: int) -> None:
    with pytest.raises(ValueError, match="describe no percentage"):
        counts_of(50.0, n, decimals)
