"""Slopes, the rise of a score split over items, and a score on another mix."""

import numpy as np
import pytest

from casework.stats.cluster_means import Clusters
from casework.stats.estimates import Estimate
from casework.stats.item_set import split_rise
from casework.stats.raked_score import raked_score
from casework.stats.trends import clustered_slope, divergence, newey_west


def test_a_straight_line_has_its_slope() -> None:
    found = newey_west(range(10), [0.5 + 0.02 * i + 0.001 * (-1) ** i for i in range(10)])
    assert found is not None
    assert found.value == pytest.approx(0.02, abs=0.001)
    assert found.low > 0


def test_a_constant_does_not_move_and_few_weeks_have_no_slope() -> None:
    assert newey_west(range(8), [0.7] * 8) == Estimate(0.0, 0.0, 0.0, 8)
    assert newey_west(range(4), [0.1, 0.2, 0.3, 0.4]) is None
    assert newey_west([3] * 8, range(8)) is None


def test_neighbours_that_are_alike_make_the_interval_wider() -> None:
    rng = np.random.default_rng(1)
    wide = 0
    for _ in range(40):
        shock = rng.normal(0, 1, 60)
        alike = np.array([shock[max(0, i - 8) : i + 1].sum() for i in range(60)])
        found = newey_west(range(60), alike)
        t = np.arange(60) - 29.5
        residual = alike - alike.mean() - t * (t @ alike) / (t @ t)
        plain = 2 * np.sqrt(residual @ residual / 58 / (t @ t))
        assert found is not None
        wide += (found.high - found.low) / 2 > plain
    assert wide >= 34


def test_answers_of_one_account_do_not_count_as_many() -> None:
    t = np.tile([0.0, 1.0], 60)
    votes = np.repeat(np.random.default_rng(2).choice([-1.0, 1.0], 12), 10) * np.tile([1, 0.5], 60)
    accounts = np.repeat(np.arange(12), 10)
    clustered = clustered_slope(t, votes, accounts)
    alone = clustered_slope(t, votes, np.arange(120))
    assert clustered is not None
    assert alone is not None
    assert clustered.value == pytest.approx(alone.value)
    assert clustered.n == 12
    assert clustered_slope(t[:8], votes[:8], accounts[:8]) is None


def test_slopes_part_by_their_difference() -> None:
    apart = divergence(Estimate(1, 0.7, 1.3, 20), Estimate(-1, -1.4, -0.6, 30))
    assert apart.value == 2
    assert apart.low == pytest.approx(1.5)


def test_new_easy_items_make_a_rise_that_no_old_item_shares() -> None:
    rng = np.random.default_rng(3)
    old = (rng.random(100) < 0.7).astype(float)
    first = np.concatenate([old, np.full(100, np.nan)])
    last = np.concatenate([old, np.ones(100)])
    rise = split_rise(first, last, 1)
    assert rise is not None
    assert rise.same_items.value == 0
    assert rise.other_items.value == pytest.approx(rise.total.value)
    assert rise.other_items.low > 0
    assert (rise.kept, rise.added, rise.removed) == (100, 100, 0)


def test_the_parts_add_up() -> None:
    rng = np.random.default_rng(4)
    first, last = rng.random(80), rng.random(80)
    first[60:], last[:15] = np.nan, np.nan
    rise = split_rise(first, last, 1)
    assert rise is not None
    total = np.nanmean(last) - np.nanmean(first)
    assert rise.total.value == pytest.approx(total)
    assert rise.same_items.value + rise.other_items.value == pytest.approx(total)
    assert split_rise([np.nan], [1.0], 1) is None


def test_a_score_is_transported_and_its_interval_covers() -> None:
    rng = np.random.default_rng(5)
    true, inside, rounds = {"a": 0.9, "b": 0.4}, 0, 200
    truth = 0.3 * 0.9 + 0.7 * 0.4
    for _ in range(rounds):
        topics = ["a"] * 120 + ["b"] * 40
        scores = rng.random(160) < [true[t] for t in topics]
        of_b = rng.binomial(10, np.clip(rng.normal(0.7, 0.1, 60), 0, 1)).astype(float)
        asked = {"a": Clusters(10 - of_b, np.full(60, 10.0)),
                 "b": Clusters(of_b, np.full(60, 10.0))}  # fmt: skip
        share = of_b.sum() / 600
        found = raked_score(
            scores.astype(float), {"topic": topics}, {"topic": {"a": 1 - share, "b": share}},
            [str(i) for i in range(160)], asked,
        )  # fmt: skip
        inside += found.score.low <= truth <= found.score.high
    assert 0.91 <= inside / rounds <= 0.985
    assert found.above.value > 0
    assert found.n_eff < 160


@pytest.mark.parametrize(
    ("n", "alike", "least"), [(5, 0.0, 0.92), (12, 0.0, 0.92), (12, 0.4, 0.82)]
)
def test_the_interval_of_few_weeks_covers(n: int, alike: float, least: float) -> None:
    rng = np.random.default_rng(n)
    inside = 0
    for shocks in rng.normal(size=(300, n + 20)):
        series = list(shocks[:1])
        for shock in shocks[1:]:
            series.append(alike * series[-1] + shock)
        found = newey_west(range(n), series[20:])
        assert found is not None
        inside += found.low <= 0 <= found.high
    assert least <= inside / 300 <= 0.985


def test_items_of_one_account_say_nothing_of_how_sure_a_transported_score_is() -> None:
    asked = {name: Clusters(np.array([3.0, 2.0]), np.array([6.0, 4.0])) for name in "ab"}
    found = raked_score(
        [1, 0, 1, 0, 0, 0], {"topic": list("aaabbb")}, {"topic": {"a": 0.5, "b": 0.5}},
        ["one"] * 6, asked,
    )  # fmt: skip
    assert not found.score.excludes(0)
    assert not found.above.excludes(-0.5)


@pytest.mark.parametrize(("levels", "bounded"), [("ab", False), ("a", True)])
def test_questions_of_one_account_say_nothing_of_how_sure_a_mix_is(
    levels: str, bounded: bool
) -> None:
    topics = [levels[i % len(levels)] for i in range(40)]
    asked = {name: Clusters(np.array([6.0]), np.array([6.0 * len(levels)])) for name in levels}
    found = raked_score(
        np.arange(40.0) % 3, {"topic": topics}, {"topic": dict.fromkeys(levels, 1 / len(levels))},
        [str(i) for i in range(40)], asked,
    )  # fmt: skip
    assert np.isfinite([found.score.low, found.score.high, found.above.low]).all() == bounded
