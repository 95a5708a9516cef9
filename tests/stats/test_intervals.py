"""Interval algebra against the same sets as whole numbers, one by one."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from casework.stats.intervals import coverage, difference, length, moved, union

points = st.integers(0, 40)
spans = st.lists(st.tuples(points, points), max_size=8)


def cells(intervals):
    """The unit cells that half-open intervals with whole ends hold."""
    return {x for start, end in intervals for x in range(int(start), int(end))}


@given(spans)
def test_a_union_holds_the_same_and_nothing_touches(found):
    joined = union(found)
    assert cells(joined) == cells(found)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(joined))
    assert length(found) == len(cells(found))


@given(spans, spans)
def test_a_difference_is_that_of_the_sets(first, second):
    left = difference(first, second)
    assert cells(left) == cells(first) - cells(second)
    assert left == union(left)


@given(spans, spans, st.integers(0, 5))
def test_clocks_bound_what_is_blind(served, evaluated, error):
    """With every end off by at most the error, the truth lies between both bounds."""
    least = difference(moved(served, -error), moved(evaluated, error))
    most = difference(moved(served, error), moved(evaluated, -error))
    nominal = cells(difference(served, evaluated))
    assert cells(least) <= nominal <= cells(most)


@given(
    st.dictionaries(st.sampled_from("abc"), spans), st.dictionaries(st.sampled_from("abc"), spans)
)
def test_coverage_adds_up(served, evaluated):
    found = coverage(served, evaluated)
    everything = cells(span for spans in served.values() for span in spans)
    assert cells(found.covered) | cells(found.blind) == everything
    assert not cells(found.covered) & cells(found.blind)
    assert (found.share is None) == (not everything)


def test_another_configuration_does_not_cover():
    found = coverage({"a": [(0, 10)]}, {"b": [(0, 10)]})
    assert (found.blind, found.share) == (((0, 10),), 0.0)
