"""Whose share stands apart from that of their peers."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from casework.stats.multiplicity import benjamini_hochberg
from casework.stats.peers import FEWEST, compare_with_peers

SAXONY = (3, 24, 104, 286, 670, 1033, 1343, 1112, 829, 478, 181, 45, 7)
"""Families of twelve children by their boys (Geissler 1889, as in Lindsey & Altham 1998)."""

people = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9)), min_size=4, max_size=12
)


def test_the_fit_is_the_published_one() -> None:
    """Maximum likelihood of the sex ratio in Saxony: 34.0956 and 31.5715."""
    found = compare_with_peers([(k, 12, families) for k, families in enumerate(SAXONY)])
    assert found is not None
    assert found.people == 6115
    assert (found.alpha, found.beta) == pytest.approx((34.0956, 31.5715), rel=2e-3)


@settings(max_examples=10, phases=[Phase.explicit, Phase.generate])
@given(people)
def test_up_and_down_are_alike(rows: list[tuple[int, int, int]]) -> None:
    cells = [(k, k + rest + 5, n * FEWEST) for k, rest, n in rows]
    found = compare_with_peers(cells)
    turned = compare_with_peers([(n - k, n, people) for k, n, people in cells])
    assert (found is None) == (turned is None)
    if found and turned:
        assert found.p == pytest.approx(turned.p, abs=0.02)
        assert all(0 <= p <= q + 1e-12 <= 1 + 2e-12 for p, q in zip(found.p, found.q, strict=True))


def test_p_values_are_adjusted_over_people() -> None:
    cells = [(3, 10, 40), (4, 10, 30), (2, 10, 20), (60, 60, 2), (9, 10, 1)]
    found = compare_with_peers(cells)
    assert found is not None
    each = [p for p, (_, _, people) in zip(found.p, cells, strict=True) for _ in range(people)]
    expected = benjamini_hochberg(each)
    assert found.q == pytest.approx([expected[0], expected[40], expected[70], *expected[90::2]])
    assert found.q[3] < 0.05 < found.q[0]


def test_who_gives_many_is_no_outlier_among_people_who_differ() -> None:
    """Seventy of a hundred among people from 2 in 10 to 8 in 10: far off one share, not these."""
    cells = [(k, 10, 10) for k in range(2, 9)] + [(70, 100, 1)]
    found = compare_with_peers(cells)
    assert found is not None
    assert found.q[-1] > 0.2


def test_where_nothing_can_be_compared_nothing_is_said() -> None:
    assert compare_with_peers([]) is None
    assert compare_with_peers([(3, 10, FEWEST - 1)]) is None
    assert compare_with_peers([(10, 10, 50)]) is None
    assert compare_with_peers([(0, 10, 50)]) is None
