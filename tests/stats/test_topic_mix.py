"""A change of a mean score, split over topics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.stats.composition import kitagawa
from casework.stats.item_set import split_rise
from casework.stats.topic_mix import split_by_topic

MISSING = float("nan")
SCORE = st.one_of(st.none(), st.floats(0, 1))


def test_both_terms_are_those_of_kitagawa() -> None:
    rng = np.random.default_rng(1)
    topics = rng.choice(["billing", "audit", "exports"], 90)
    first, last = rng.random(90), rng.random(90) + 0.2 * (topics == "billing")
    first[:30], last[-20:] = MISSING, MISSING
    found = split_by_topic(first, last, topics, 1)
    assert found is not None
    names = np.unique(topics)
    (wc, yc), (wt, yt) = (
        ([np.mean(topics[~np.isnan(y)] == name) for name in names],
         [np.nanmean(y[topics == name]) for name in names])
        for y in (first, last)
    )  # fmt: skip
    known = kitagawa(wt, wc, yt, yc)
    assert found.mix.value == pytest.approx(known.composition)
    assert found.scores.value == pytest.approx(known.rate)
    assert found.mix.value == pytest.approx(sum(part.mix.value for part in found.topics))
    assert found.mix.low < found.mix.value < found.mix.high


def test_easy_items_of_a_new_topic_are_mix() -> None:
    first = [0.5] * 40 + [MISSING] * 40
    last = [0.5] * 40 + [1.0] * 40
    found = split_by_topic(first, last, ["audit"] * 40 + ["easy"] * 40, 1)
    assert found is not None
    assert (found.mix.value, found.scores.value) == (pytest.approx(0.25), 0)
    assert found.mix.low > 0.15
    assert {(part.name, part.first, part.last) for part in found.topics} == {
        ("audit", 40, 40), ("easy", 0, 40)}  # fmt: skip


@settings(max_examples=10)
@given(st.lists(st.tuples(SCORE, SCORE, st.sampled_from("ab")), min_size=1, max_size=12))
def test_both_terms_add_up_to_the_change(rows: list[tuple[float, float, str]]) -> None:
    first, last = (np.array([row[i] for row in rows], float) for i in (0, 1))
    found = split_by_topic(first, last, [row[2] for row in rows], 1)
    if np.isnan(first).all() or np.isnan(last).all():
        assert found is None
        return
    assert found is not None
    change = np.nanmean(last) - np.nanmean(first)
    assert found.mix.value + found.scores.value == pytest.approx(change, abs=1e-9)


def test_the_largest_of_many_topics_seldom_stands_out_by_chance() -> None:
    """Half of the items are others of the same mix; taken alone the largest moves in one of 5."""
    named = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        topics, turn = rng.integers(0, 20, 200), rng.integers(0, 4, 200)
        score = (rng.random(200) < 0.3 + 0.03 * topics).astype(float)
        found = split_by_topic(np.where(turn == 0, MISSING, score),
                               np.where(turn == 1, MISSING, score), topics, seed)  # fmt: skip
        assert found is not None
        named += any(part.stands_out for part in found.topics)
    assert named <= 4


def test_a_topic_that_grew_stands_out() -> None:
    first = [0.5, 0.7] * 40 + [MISSING] * 40
    last = [0.5, 0.7] * 40 + [1.0] * 40
    found = split_by_topic(first, last, ["audit", "exports"] * 40 + ["easy"] * 40, 1)
    assert found is not None
    assert (found.topics[0].name, found.topics[0].stands_out) == ("easy", True)


def test_one_item_in_place_of_another_shows_nothing() -> None:
    found = split_by_topic([0.0, MISSING], [MISSING, 1.0], ["audit", "easy"], 1)
    rise = split_rise([0.0, MISSING], [MISSING, 1.0], 1)
    assert found is not None
    assert rise is not None
    assert (found.mix.value, rise.total.value) == (1, 1)
    assert not found.mix.excludes(0)
    assert not rise.total.excludes(0)
    assert not any(part.stands_out for part in found.topics)
