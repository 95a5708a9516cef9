"""Breaks of a series: where they are, and how often chance makes one."""

import numpy as np
import pytest
from ruptures import Dynp, KernelCPD

from casework.stats.changepoints import (
    break_with_p,
    distribution_break,
    largest_break,
    noise,
    pelt,
    pruned,
)


def test_the_largest_break_is_that_of_an_exact_search() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        series = rng.normal(size=25) + 2 * (np.arange(25) >= rng.integers(4, 20))
        exact = Dynp(model="l2", min_size=2, jump=1).fit(series[:, None]).predict(n_bkps=1)[0]
        assert largest_break(series) == exact
        assert break_with_p(series, draws=1).index == exact


def test_a_step_beyond_noise_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(8)
    found = 0
    for _ in range(15):
        quiet = rng.normal(size=84)
        found += len(pelt(quiet))
        stepped = quiet + 4 * (np.arange(84) >= 40)
        assert any(abs(index - 40) <= 2 for index in pelt(stepped))
    assert found <= 4


def test_noise_is_not_inflated_by_breaks() -> None:
    rng = np.random.default_rng(9)
    series = rng.normal(0, 2, 3000) + 50 * (np.arange(3000) >= 1500)
    assert noise(series)[0] == pytest.approx(2, rel=0.1)


def test_without_a_break_one_search_in_twenty_rejects() -> None:
    rng = np.random.default_rng(10)
    rejected = sum(
        break_with_p(rng.normal(size=28), draws=199, seed=i).p < 0.05 for i in range(100)
    )
    assert rejected / 100 <= 0.12
    assert break_with_p(np.repeat([0.0, 1.0], 14), draws=199).p < 0.05


def test_short_and_constant_series_have_no_break() -> None:
    assert pelt([1, 2]) == []
    assert break_with_p([1.0] * 8, draws=19).p == 1
    with pytest.raises(ValueError, match="four"):
        break_with_p([1.0, 2.0])


def test_a_louder_part_is_not_split_where_breaks_are_pruned() -> None:
    rng = np.random.default_rng(12)
    more = 0
    for seed in range(4):
        series = np.concatenate([rng.normal(0, 0.1, 40), rng.normal(5, 1.0, 40)])
        found = pruned(series.tolist(), pelt(series), seed=seed)
        assert any(abs(index - 40) <= 2 for index in found)
        more += len(found) - 1
    assert more <= 1


def test_the_break_of_a_distribution_is_that_of_kernel_change_point_detection() -> None:
    rng = np.random.default_rng(11)
    for break_at in (15, 24, 40):
        rows = rng.normal(size=(60, 3))
        rows[break_at:] *= 4
        scaled = rows / rows.std(axis=0)
        squares = ((scaled[:, None] - scaled[None]) ** 2).sum(axis=2)
        width = np.median(squares[np.triu_indices(60, 1)])
        exact = KernelCPD(kernel="rbf", min_size=5, params={"gamma": 1 / width}).fit(scaled)
        found = distribution_break(rows, draws=199)
        assert found.index == exact.predict(n_bkps=1)[0]
        assert found.p < 0.05


def test_noise_has_no_break_of_its_distribution() -> None:
    rng = np.random.default_rng(12)
    rejected = sum(distribution_break(rng.normal(size=30), draws=99).p <= 0.05 for _ in range(40))
    assert rejected <= 5
    assert distribution_break(np.zeros(30), draws=99).p == 1
    with pytest.raises(ValueError, match="10 rows"):
        distribution_break(np.zeros(9))
