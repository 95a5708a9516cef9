from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.rate_bounds import Group, difference_bounds

GROUPS = "abc"
UNIT = st.tuples(st.booleans(), st.sets(st.sampled_from(GROUPS), min_size=2, max_size=3))


def counted(units: list[tuple[bool, str]], group: str) -> tuple[int, int]:
    mine = [shows for shows, of in units if of == group]
    return sum(mine), len(mine) - sum(mine)


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(GROUPS)), max_size=8),
    st.lists(UNIT, max_size=6),
)
def test_the_bounds_are_those_of_all_assignments(certain, unsure):
    certain = [*certain, (True, "a"), (False, "b")]
    groups = [
        Group(
            *counted(certain, name),
            open_yes=sum(shows and name in of for shows, of in unsure),
            open_no=sum(not shows and name in of for shows, of in unsure),
        )
        for name in "ab"
    ]
    reached = []
    for chosen in product(*(sorted(of) for _, of in unsure)):
        every = [*certain, *((shows, of) for (shows, _), of in zip(unsure, chosen, strict=True))]
        a, b = (counted(every, name) for name in "ab")
        reached.append(a[0] / sum(a) - b[0] / sum(b))
    assert difference_bounds(*groups) == pytest.approx((min(reached), max(reached)))


def test_without_open_units_nothing_is_unknown():
    first, second = Group(3, 1), Group(1, 1)
    assert difference_bounds(first, second) == (0.25, 0.25)


def test_a_group_without_a_certain_unit_has_no_rate():
    with pytest.raises(ValueError, match="certainly"):
        Group(0, 0, 3, 1)
