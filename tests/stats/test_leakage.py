"""Falls of a score, against other ways to reckon them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.stats.estimates import Estimate, wilson
from casework.stats.leakage import (
    adjusted_score,
    bootstrap_mean,
    difference_in_differences,
    is_binary,
    paired_drop,
    split_score,
)
from casework.stats.paired import Pairs, mcnemar, tango


def test_scores_of_right_and_wrong_have_tangos_interval_turned_round() -> None:
    before = [1] * 8 + [0] * 13
    after = [1] + [0] * 7 + [1] + [0] * 12
    drop = paired_drop(before, after)
    pairs = Pairs(1, 7, 1, 12)
    change = tango(pairs)
    assert drop.estimate.value == -change.value
    assert (drop.estimate.low, drop.estimate.high) == (-change.high, -change.low)
    assert drop.p == mcnemar(pairs).mid


def test_a_bootstrap_of_graded_scores_agrees_with_students_interval() -> None:
    from scipy.stats import t

    rng = np.random.default_rng(5)
    for n in (8, 60, 3000):
        values = rng.normal(0.2, 1, n)
        drop = paired_drop(values, np.zeros(n), seed=3).estimate
        half = float(t.ppf(0.975, n - 1)) * values.std(ddof=1) / np.sqrt(n)
        assert drop.value == pytest.approx(values.mean())
        assert drop.high - drop.low == pytest.approx(2 * half, rel=0.06)


def test_the_interval_of_a_bootstrap_covers() -> None:
    rng = np.random.default_rng(6)
    inside = 0
    for seed in range(60):
        e = bootstrap_mean(rng.exponential(1, 40), seed)
        inside += e.low <= 1 <= e.high
    assert inside >= 52


def test_a_change_of_both_groups_is_no_effect() -> None:
    rng = np.random.default_rng(7)
    leaked, clean = rng.normal(0.3, 0.1, 200), rng.normal(0.3, 0.1, 150)
    assert not difference_in_differences(leaked, clean).excludes(0)
    more = difference_in_differences(leaked + 0.2, clean)
    assert more.value == pytest.approx(leaked.mean() + 0.2 - clean.mean())
    assert more.low > 0.15
    assert not difference_in_differences([1.0] * 3, [0.0] * 90 + [0.1] * 10).excludes(0)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_graded_items_that_fall_alike_prove_nothing(n: int) -> None:
    drop = paired_drop([4.0] * n, [3.0] * n)
    assert drop.p == pytest.approx(min(1.0, 2 * 0.5**n))
    assert not drop.estimate.excludes(0)
    still = paired_drop([3.0] * n, [3.0] * n, scale=4.0)
    assert still.p == 1
    assert still.estimate.high > 1


def test_many_that_fall_alike_do() -> None:
    drop = paired_drop([4.0] * 60, [3.0] * 60)
    assert drop.p < 0.001
    assert 0.8 < drop.estimate.low < 1


def test_without_strata_the_clean_score_is_that_of_the_clean_items() -> None:
    scores = [1] * 57 + [0] * 3 + [1] * 112 + [0] * 28
    leaked = [True] * 60 + [False] * 140
    plain = split_score((57, 60), (112, 140))
    found = adjusted_score(scores, leaked, ["a"] * 200)
    assert found is not None
    assert found.score.value == pytest.approx(plain.score_clean)
    assert found.gain.value == pytest.approx(plain.gain)
    assert found.n_eff == pytest.approx(140)
    assert found.left_out == 0
    assert found.gap is not None
    assert found.gap.value == pytest.approx(plain.gap.value)
    # Newcombe's limits come of Wilson's too, for one item more in each group
    assert found.gap.low == pytest.approx(plain.gap.low, abs=0.002)
    assert found.gap.high == pytest.approx(plain.gap.high, abs=0.002)


def test_clean_items_are_weighted_to_the_mix_of_all() -> None:
    """Leaked items are of the easy topic, where clean ones score as well."""
    scores = [1] * 90 + [1] * 9 + [0] * 1 + [1] * 40 + [0] * 60
    leaked = [True] * 90 + [False] * 110
    topics = ["easy"] * 100 + ["hard"] * 100
    found = adjusted_score(scores, leaked, topics)
    assert found is not None
    assert found.score.value == pytest.approx(0.5 * 0.9 + 0.5 * 0.4)
    assert found.gain.value == pytest.approx(0.5 * 0.9 * 0.1)
    assert found.n_eff < 110


def test_a_topic_without_clean_items_is_left_out_and_told() -> None:
    found = adjusted_score([1, 1, 0, 1], [True, True, False, False], ["x", "x", "y", "y"])
    assert found is not None
    assert found.left_out == 2
    assert found.score.value == 0.5
    assert adjusted_score([1, 1], [True, True], ["x", "x"]) is None


@settings(max_examples=30)
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=30), st.integers(0, 10**6))
def test_a_fall_turns_its_sign_with_the_order(scores: list[float], seed: int) -> None:
    other = np.random.default_rng(seed).permutation(scores)
    one, two = paired_drop(scores, other), paired_drop(other, scores)
    assert one.estimate.value == -two.estimate.value
    assert one.estimate.low == pytest.approx(-two.estimate.high, abs=1e-9)
    assert one.p == pytest.approx(two.p)


def test_edges() -> None:
    assert is_binary([0, 1, 1])
    assert not is_binary([0.5, 1])
    for call in (lambda: paired_drop([], []), lambda: bootstrap_mean([]),
                 lambda: difference_in_differences([], [1])):  # fmt: skip
        with pytest.raises(ValueError, match=r"no|need"):
            call()
    single = paired_drop([0.5], [0.2]).estimate
    assert single.value == pytest.approx(0.3)


@pytest.mark.parametrize(("n", "topics", "right"), [(8, 1, 0.95), (40, 5, 0.9), (120, 10, 0.6)])
def test_the_adjusted_score_covers(n: int, topics: int, right: float) -> None:
    rng = np.random.default_rng(n)
    inside = of_gain = rounds = 0
    for _ in range(300):
        topic, leaked = rng.integers(0, topics, 2 * n), rng.random(2 * n) < 0.5
        without = right - 0.1 * (topic % 2)
        chance = without + 0.05 * leaked
        found = adjusted_score((rng.random(2 * n) < chance).astype(float), leaked, topic)
        if found is None:
            continue
        kept = np.isin(topic, topic[~leaked])
        rounds += 1
        inside += found.score.low <= without[kept].mean() <= found.score.high
        of_gain += found.gain.low <= (0.05 * leaked)[kept].mean() <= found.gain.high
    assert rounds > 290
    assert min(inside, of_gain) / rounds > 0.92


def test_clean_items_that_are_all_right_are_not_certain() -> None:
    found = adjusted_score([1] * 20, [False] * 10 + [True] * 10, ["a"] * 20)
    assert found is not None
    assert found.score.low == pytest.approx(wilson(10, 10).low)
    assert found.score.value == found.score.high == 1
    assert found.gain.low < 0 < found.gain.high
    none = adjusted_score([1, 0, 1], [False] * 3, ["a"] * 3)
    assert none is not None
    assert none.gain == Estimate(0, 0, 0, 3)
    assert none.gap is None


@pytest.mark.parametrize("scores", [[0.7], [0.7] * 5])
def test_scores_that_are_the_same_say_nothing_of_their_spread(scores: list[float]) -> None:
    found = bootstrap_mean(scores)
    assert found.value == pytest.approx(0.7)
    assert not found.excludes(0)
    assert not found.excludes(1)
