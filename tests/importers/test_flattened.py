"""Attributes under dotted names: nothing is lost, and names take no more memory than they may."""

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casework.importers._flattened import flatten

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=12,
)


def leaves(value: Any) -> list[str]:
    """What stands in a value, as text, in order; what is None says nothing."""
    if isinstance(value, dict):
        return [one for inner in value.values() for one in leaves(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in leaves(inner)]
    return [] if value is None else [repr(value)]


@given(st.dictionaries(st.sampled_from("abcd"), NESTED, max_size=4))
def test_every_value_has_a_name(attributes: dict[str, Any]) -> None:
    assert sorted(leaves(flatten(attributes))) == sorted(leaves(attributes))


def test_of_many_attributes_none_is_lost() -> None:
    many = {f"k{n}": {"a": n} for n in range(30_000)} | {"more": [{"b": 1}] * 30_000}
    assert len(leaves(flatten(many))) == 60_000


def test_long_names_are_not_repeated() -> None:
    """A name of a megabyte before a thousand values would take a gigabyte."""
    tracemalloc.start()
    try:
        flat = flatten({"x" * 10**6: {f"k{n}": n for n in range(1_000)}})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert leaves(flat)[-1] == "999"
    assert most < 2**24
