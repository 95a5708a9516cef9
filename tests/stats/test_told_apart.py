"""Samples that a classifier tells apart, or does not."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from casework.stats.told_apart import area, told_apart


def delong(scores: np.ndarray, first: np.ndarray) -> float:
    """Variance of the area by DeLong et al. (Biometrics 1988), from all pairs."""
    x, y = scores[first], scores[~first]
    above = (x[:, None] > y).astype(float) + 0.5 * (x[:, None] == y)
    return above.mean(1).var(ddof=1) / len(x) + above.mean(0).var(ddof=1) / len(y)


def test_area_and_its_variance_are_the_known_ones_where_each_row_is_a_cluster() -> None:
    rng = np.random.default_rng(1)
    first = np.arange(4_000) % 2 == 0
    scores = np.round(rng.normal(0.7 * first), 1)
    found = area(scores, first, np.arange(4_000))
    assert found.value == pytest.approx(roc_auc_score(first, scores))
    assert found.high - found.low == pytest.approx(
        2 * 1.96 * delong(scores, first) ** 0.5, rel=2e-3
    )
    assert found.n == 4_000


def test_rows_that_are_repeated_in_their_cluster_tell_no_more() -> None:
    rng = np.random.default_rng(2)
    first = np.arange(60) % 3 == 0
    scores = rng.normal(first)
    once = area(scores, first, np.arange(60))
    often = area(np.tile(scores, 7), np.tile(first, 7), np.tile(np.arange(60), 7))
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 9)), min_size=4).filter(
        lambda rows: len({one for _, one, _ in rows}) == 2
    )
)
def test_the_other_way_round_is_the_rest(rows: list[tuple[int, bool, int]]) -> None:
    scores, first, cluster = (np.array(column) for column in zip(*rows, strict=True))
    found, turned = area(scores, first, cluster), area(scores, ~first.astype(bool), cluster)
    assert found.value + turned.value == pytest.approx(1)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_samples_in_order_are_told_apart_for_certain_by_many_clusters_alone() -> None:
    few, many = (area(np.arange(n), np.arange(n) >= n / 2, np.arange(n)) for n in (6, 200))
    assert few.value == many.value == 1
    assert few.low == pytest.approx(0.025 ** (1 / 3))
    assert many.low > 0.95


@pytest.mark.parametrize(("few", "rows"), [(5, 20), (8, 10)])
def test_the_interval_covers_where_one_sample_has_few_clusters(few: int, rows: int) -> None:
    """The other has 100 clusters of one row; half of the variance is that of the clusters."""
    rng = np.random.default_rng(few)
    cluster = np.concatenate([np.repeat(np.arange(few), rows), few + np.arange(100)])
    first, inside, rounds = cluster < few, 0, 400
    for _ in range(rounds):
        shared, own = rng.normal(size=few + 100)[cluster], rng.normal(size=len(cluster))
        found = area((shared + own) / 2**0.5 + 0.7 * first, first, cluster)
        inside += found.low <= NormalDist().cdf(0.7 / 2**0.5) <= found.high
    assert inside / rounds > 0.92


def test_one_cluster_of_a_sample_tells_nothing_of_how_sure_the_area_is() -> None:
    found = area([3, 1, 2, 0, 2.5, 4], [True, True, False, False, False, False], [0, 0, 1, 2, 3, 4])
    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == (0, 1)


def draw(
    rng: np.random.Generator, shift: float, few: int = 20, many: int = 40
) -> tuple[np.ndarray, ...]:
    """Three rows in each cluster that are like each other, shifted in the sample of few."""
    first = np.arange(few + many) < few
    middle = rng.normal(size=(few + many, 4))
    middle[first, 0] += shift
    rows = np.repeat(middle, 3, axis=0) + 0.3 * rng.normal(size=(3 * (few + many), 4))
    return rows, np.repeat(first, 3), np.repeat(np.arange(few + many), 3)


@pytest.mark.parametrize(("few", "many"), [(10, 160), (20, 40)])
def test_like_samples_are_told_apart_as_often_as_the_interval_says(few: int, many: int) -> None:
    rng = np.random.default_rng(5)
    found = [told_apart(*draw(rng, 0.0, few, many), seed) for seed in range(120)]
    assert sum(one is not None and one.excludes(0.5) for one in found) <= 8


def test_samples_that_differ_are_told_apart() -> None:
    found = told_apart(*draw(np.random.default_rng(3), 3.0), 1)
    assert found is not None
    assert found.low > 0.75


def test_too_few_clusters_tell_nothing() -> None:
    assert told_apart(*draw(np.random.default_rng(3), 3.0, 8, 16), 1) is None
