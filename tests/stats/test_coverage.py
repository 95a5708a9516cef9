"""Coverage by nearest neighbours: the radius is calibrated, and texts find their like."""

import numpy as np
import pytest

from casework.stats.coverage import Positions, radius


def cloud(rng: np.random.Generator, n: int) -> np.ndarray:
    """Questions of four kinds in twelve dimensions."""
    centres = np.random.default_rng(0).normal(0, 1, (4, 12))
    return centres[rng.integers(0, 4, n)] + rng.normal(0, 0.4, (n, 12))


@pytest.mark.parametrize("items", [40, 150])
def test_a_random_set_covers_what_the_level_says(items: int) -> None:
    rng = np.random.default_rng(items)
    covered = []
    for seed in range(12):
        questions, drawn = cloud(rng, 400), cloud(rng, items)
        positions = Positions.of_vectors(np.concatenate([questions, drawn]))
        asked, held = np.arange(400), 400 + np.arange(items)
        near = radius(positions.between(asked), np.ones(400), items, seed)
        covered.append((positions.nearest(asked, held) <= near).mean())
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_weights_say_how_much_traffic_a_question_stands_for() -> None:
    rng = np.random.default_rng(9)
    tight, wide = rng.normal(5, 0.01, (100, 6)), rng.normal(0, 1, (100, 6))
    positions = Positions.of_vectors(np.concatenate([tight, wide]))
    asked = np.arange(200)
    weights = np.where(asked < 100, 1_000.0, 1.0)
    distances = positions.between(asked)
    assert radius(distances, weights, 50, 1) < 0.01
    assert radius(distances, np.ones(200), 50, 1) > 0.1


def test_texts_are_near_by_the_words_that_they_share() -> None:
    texts = ["how do I export the audit trail", "export the audit trail as a file",
             "my invoice is wrong", "", "!!!"]  # fmt: skip
    positions = Positions.of_texts(texts)
    rows = np.arange(5)
    distance = positions.distances(rows, rows)
    assert distance[0, 1] < distance[0, 2]
    assert distance[0, 0] == pytest.approx(0, abs=1e-9)
    assert distance[3].min() == 1


def test_texts_without_a_word_are_like_nothing() -> None:
    positions = Positions.of_texts(["", "…"])
    assert positions.distances(np.arange(2), np.arange(2)).min() == 1


def test_one_question_has_no_neighbour() -> None:
    with pytest.raises(ValueError, match="two questions"):
        radius(Positions.of_vectors([[1.0, 0.0]]).between(np.arange(1)), [1.0], 5, 1)


def test_groups_are_the_kinds() -> None:
    kinds = np.repeat(np.eye(3), 30, axis=0) + 0.01
    labels = Positions.of_vectors(kinds).groups(3, 1)
    assert all(len(set(labels[i : i + 30])) == 1 for i in (0, 30, 60))
    assert len(set(labels)) == 3


def test_what_was_made_from_a_question_does_not_cover_it() -> None:
    positions = Positions.of_vectors([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])
    of, to = np.array([0, 1]), np.array([2, 3])
    assert positions.nearest(of, to) == pytest.approx([0, 0.2])
    assert positions.nearest(of, to, np.array([0, -1])) == pytest.approx([0.4, 0.2])
    assert positions.nearest(of, to[:1], np.array([1])).tolist() == [0, np.inf]
