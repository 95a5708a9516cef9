"""Items judged several times at two times: the item counts, not the sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.paired import Pairs, mcnemar, tango
from casework.stats.repeats import (
    Repeats,
    change,
    items_to_settle,
    mean_change,
    sign_test,
)

cells = st.tuples(*[st.integers(0, 60)] * 4).filter(any)


def of_shares(p: np.ndarray, q: np.ndarray, samples: float) -> Repeats:
    return Repeats(
        n=len(p),
        both=float((p * q).sum()),
        only_first=float((p * (1 - q)).sum()),
        only_second=float(((1 - p) * q).sum()),
        fewer=int((q < p).sum()),
        more=int((q > p).sum()),
        squares=float(((q - p) ** 2).sum()),
        samples=samples,
    )


def of_pairs(both: int, first: int, second: int, neither: int, samples: float = 1.0) -> Repeats:
    p = np.repeat([1.0, 1.0, 0.0, 0.0], (both, first, second, neither))
    q = np.repeat([1.0, 0.0, 1.0, 0.0], (both, first, second, neither))
    return of_shares(p, q, samples)


@given(cells)
def test_one_sample_an_item_is_the_table_of_pairs(counts: tuple[int, int, int, int]) -> None:
    found, pairs = of_pairs(*counts), Pairs(*counts)
    expected = tango(pairs)
    assert change(found).value == pytest.approx(expected.value)
    assert (change(found).low, change(found).high) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )
    assert sign_test(found) == pytest.approx(mcnemar(pairs).exact)
    assert found.cells == pairs
    assert mcnemar(found.moved).mid == pytest.approx(mcnemar(pairs).mid)


@given(cells, st.integers(2, 30))
def test_copies_of_a_sample_add_nothing(counts: tuple[int, int, int, int], copies: int) -> None:
    once, often = of_pairs(*counts), of_pairs(*counts, samples=copies)
    assert often.n_eff == pytest.approx(once.n_eff)
    assert change(often).low == pytest.approx(change(once).low)
    assert sign_test(often) == sign_test(once)
    assert often.cells is None


@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(5, 80))
def test_the_effective_number_lies_between_items_and_samples(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = rng.binomial(k, rng.random((2, n))) / k
    found = of_shares(p, q, k)
    assert n - 1e-9 <= found.n_eff <= n * k + 1e-9
    interval = change(found)
    assert -1 <= interval.low <= interval.value <= interval.high <= 1


def test_independent_samples_of_an_item_count_nearly_in_full() -> None:
    rng = np.random.default_rng(3)
    p, q = rng.binomial(10, 0.5, (2, 4000)) / 10
    assert of_shares(p, q, 10).n_eff == pytest.approx(40_000, rel=0.1)


def test_a_mean_change_is_that_of_the_paired_t_test() -> None:
    from scipy.stats import ttest_1samp

    d = np.random.default_rng(1).normal(0.3, 1.0, 40)
    found = mean_change(len(d), float(d.sum()), float((d**2).sum()))
    expected = ttest_1samp(d, 0).confidence_interval()
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert mean_change(1, 0.5, 0.25) is None


def test_no_item_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        Repeats(0, 0, 0, 0, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "alike"), [(0.0, 0.9), (0.05, 0.9), (0.5, 0.5), (0.9, 0.0)])
def test_the_interval_covers_with_clustered_samples(loss: float, alike: float) -> None:
    """Samples of an item agree often; counting them as items would cover far too little."""
    rng = np.random.default_rng(11)
    covered, runs, n, k = 0, 1000, 80, 5
    for _ in range(runs):
        shared, own = rng.random((n, 1)), rng.random((2, n, k))
        level = np.where(rng.random((2, n, k)) < alike, shared, own)
        p, q = (level[0] < 0.95).mean(axis=1), (level[1] < 0.95 - loss).mean(axis=1)
        found = change(of_shares(p, q, k))
        covered += found.low <= -loss <= found.high
    assert covered / runs >= 0.93


@pytest.mark.parametrize("counts", [(386, 3, 0, 31), (100, 0, 0, 0), (30, 2, 1, 7), (20, 9, 4, 7)])
@pytest.mark.parametrize("samples", [1.0, 3.0])
def test_items_to_settle_are_the_least_that_do(
    counts: tuple[int, int, int, int], samples: float
) -> None:
    repeats, margin = of_pairs(*counts, samples), 0.02
    needed = items_to_settle(repeats, margin)
    assert needed is not None
    for items, settles in ((needed, True), (needed - 1, False)):
        found = change(repeats.of(items))
        assert (found.high < 0 or found.low > -margin) is settles
    assert items_to_settle(of_pairs(100, 0, 0, 0), 0.0) is None
