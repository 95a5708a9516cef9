import numpy as np
import pytest
from scipy.stats import binomtest

from casework.stats.classifier import LEAST, tell_apart

N = 2 * LEAST
SECOND = np.arange(2 * N) % 2 == 1
ALONE = [str(i) for i in range(2 * N)]


def test_a_wider_spread_is_found_and_named():
    """The means agree, so that no standardised difference can show it."""
    x = np.random.default_rng(1).normal(size=(2 * N, 4))
    x[SECOND, 2] *= 3
    found = tell_apart(x, SECOND, ALONE)
    assert found is not None
    assert found.accuracy.low > 0.55
    assert int(np.argmax(found.falls)) == 2
    right = round(found.accuracy.value * found.accuracy.n)
    exact = binomtest(right, found.accuracy.n, alternative="greater").pvalue
    assert found.p == pytest.approx(exact, rel=1e-9)


def test_what_is_known_of_one_sample_alone_is_found():
    x = np.random.default_rng(2).normal(size=(2 * N, 2))
    x[SECOND & (np.arange(2 * N) % 3 > 0), 1] = np.nan
    found = tell_apart(x, SECOND, ALONE)
    assert found is not None
    assert found.p < 1e-6
    assert int(np.argmax(found.falls)) == 1


def test_a_column_of_which_next_to_nothing_is_known_tells_nothing():
    x = np.random.default_rng(2).normal(size=(2 * N, 2))
    x[2:, 1] = np.nan
    for seed in range(4):  # the two that are known are learnt, tried, or one of either
        found = tell_apart(x, SECOND, ALONE, seed)
        assert found is not None
        assert found.p > 0.001


def test_neighbours_do_not_tell_each_other():
    """Ten colleagues share a value and their sample: learnt by heart, it would tell every one."""
    rng = np.random.default_rng(3)
    accounts = np.repeat(np.arange(4 * LEAST), 10)
    x, second = rng.normal(size=4 * LEAST)[accounts, None], accounts % 2 == 1
    names = [str(account) for account in accounts]
    apart = tell_apart(x, second, names)
    assert apart is not None
    assert apart.accuracy.value < 0.58
    mixed = tell_apart(x, second, [str(i) for i in range(len(names))])
    assert mixed is not None
    assert mixed.accuracy.value > 0.6


def test_samples_alike_are_told_apart_as_often_as_chance_allows():
    rng = np.random.default_rng(4)
    found = [tell_apart(rng.normal(size=(2 * N, 3)), SECOND, ALONE, seed) for seed in range(12)]
    p = [each.p for each in found if each]
    assert len(p) == 12
    assert sum(each < 0.05 for each in p) <= 3  # of 12 at 5 %: more has a chance of 0.002
    assert all(not each.falls for each in found if each and each.p >= 0.01)


def test_the_same_seed_gives_the_same_answer():
    x = np.random.default_rng(5).normal(size=(2 * N, 3))
    x[SECOND, 0] += 0.4
    assert tell_apart(x, SECOND, ALONE, 7) == tell_apart(x, SECOND, ALONE, 7)


def test_too_few_or_uneven_samples():
    x = np.zeros((2 * N, 1))
    assert tell_apart(x[:200], SECOND[:200], ALONE[:200]) is None
    assert tell_apart(x, SECOND, ["a", "b"] * N) is None
    with pytest.raises(ValueError, match="one size"):
        tell_apart(x[1:], SECOND[1:], ALONE[1:])
