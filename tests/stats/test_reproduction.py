"""Posteriors add up and follow the evidence; the number of replays is the least that is enough."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.estimates import upper_if_none
from casework.stats.reproduction import attempts_to_exclude, chance_of, posterior

shares = st.floats(0.001, 1)
candidates = st.dictionaries(st.sampled_from("abcde"), shares, min_size=1)


@given(st.floats(0.001, 0.9), st.floats(0.5, 0.999))
def test_so_many_attempts_exclude_a_rate_and_one_fewer_do_not(rate, level):
    k = attempts_to_exclude(rate, level)
    assert upper_if_none(k, level) <= rate * (1 + 1e-6)
    assert k == 1 or upper_if_none(k - 1, level) > rate * (1 - 1e-6)


@given(candidates, candidates)
def test_a_posterior_is_a_distribution(weights, likelihood):
    found = posterior(weights, likelihood)
    assert math.isclose(sum(found.values()), 1)
    assert found.keys() == weights.keys()
    same = posterior({name: 7 * weight for name, weight in weights.items()}, likelihood)
    assert all(math.isclose(found[name], same[name]) for name in found)


def test_a_worked_example():
    """Prior 3 to 1, seen in 1 of 100 and in 40 of 100 trials: odds 3 * 1.5 to 40.5."""
    found = posterior({"a": 3, "b": 1}, {"a": chance_of(1, 100), "b": chance_of(40, 100)})
    assert found["a"] == pytest.approx(4.5 / 45)
    assert posterior({"a": 1, "b": 1}, {}) == {"a": 0.5, "b": 0.5}


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="weight"):
        posterior({"a": 0.0})
    with pytest.raises(ValueError, match="between"):
        attempts_to_exclude(0.0)
