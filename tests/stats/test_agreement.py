import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from casework.stats.agreement import (
    calibrated_joint,
    cohen_kappa,
    disagreement,
    fleiss_kappa,
    krippendorff_alpha,
    level_alpha,
    tallies,
)
from casework.stats.estimates import clopper_pearson

labels = st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=4), min_size=3, max_size=25)


def counted(rows):
    return [[row.count(c) for c in range(4)] for row in rows]


@given(labels)
def test_alpha_is_that_of_the_raters_themselves(rows):
    found = krippendorff_alpha(tallies(counted(rows)))
    if len({label for row in rows for label in row}) < 2:
        assert found is None
        return
    widest = max(map(len, rows))
    ratings = [[row[i] if i < len(row) else None for row in rows] for i in range(widest)]
    assert found.value == pytest.approx(level_alpha(ratings, "nominal"), abs=1e-12)
    assert found.low <= found.value <= found.high


def test_equal_tallies_may_be_counted_together():
    apart = krippendorff_alpha(tallies([[2, 0], [2, 0], [1, 1], [0, 2]]))
    together = krippendorff_alpha(tallies([[2, 0], [1, 1], [0, 2]], [2, 1, 1]))
    assert apart.value == pytest.approx(together.value)
    assert (apart.n, together.n) == (4, 4)


def test_the_interval_of_alpha_covers():
    """Two raters who each err in one row of five; the long run value from a large sample."""
    rng = np.random.default_rng(3)

    def draw(n):
        truth = rng.integers(0, 3, n)
        said = [np.where(rng.random(n) < 0.2, rng.integers(0, 3, n), truth) for _ in range(2)]
        return tallies(np.eye(3)[said[0]] + np.eye(3)[said[1]])

    true = krippendorff_alpha(draw(60_000)).value
    held = [e.low <= true <= e.high for e in (krippendorff_alpha(draw(150)) for _ in range(120))]
    assert 0.88 <= np.mean(held) <= 0.99


def test_one_label_alone_says_nothing_of_agreement():
    found = tallies([[1, 0], [0, 1], [2, 0], [1, 1]])
    assert found.rows.sum() == 2
    assert krippendorff_alpha(tallies([[1, 0]])) is None
    assert disagreement(tallies([[1, 0]])) is None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=40))
def test_cohen_agrees_with_scikit_learn(pairs):
    table = np.zeros((3, 3))
    for a, b in pairs:
        table[a, b] += 1
    found = cohen_kappa(table)
    if found is None:
        assert len(set(pairs)) == 1
    else:
        first, second = zip(*pairs, strict=True)
        assert found.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_fleiss_needs_equally_many_raters():
    assert fleiss_kappa(tallies([[2, 0], [2, 1]])) is None
    assert fleiss_kappa(tallies([[2, 0], [2, 0]])) is None
    assert fleiss_kappa(tallies([[2, 0], [0, 2]])) == pytest.approx(1.0)


def test_disagreement_counts_pairs():
    assert disagreement(tallies([[2, 0], [1, 1]], [3, 1])) == pytest.approx(0.25)
    assert disagreement(tallies([[2, 1]])) == pytest.approx(2 / 3)


def test_a_joint_is_scaled_to_all_rows():
    joint = calibrated_joint([[8, 2], [1, 1]], [900, 100])
    assert joint.ravel().tolist() == pytest.approx([0.72, 0.18, 0.05, 0.05])
    assert calibrated_joint([[8, 2], [0, 0]], [900, 100]).sum() == pytest.approx(1)
    assert calibrated_joint([[0, 0], [0, 0]]).sum() == 0


@pytest.mark.parametrize("others", [3, 5, 6, 7, 10])
@pytest.mark.parametrize("rows", [3, 10, 40])
def test_rows_may_be_counted_in_parts(rows, others):
    def counted(n):
        return sum([1 / others] * others * n)

    parts = cohen_kappa([[counted(rows), 0], [0, counted(2 * rows)]])
    whole = cohen_kappa([[rows, 0], [0, 2 * rows]])
    assert parts.n == whole.n == 3 * rows
    assert (parts.value, parts.low) == pytest.approx((whole.value, whole.low))
    assert parts.low < 1


@pytest.mark.parametrize("rows", [2, 10, 100])
def test_raters_who_never_differ_are_not_sure_to_agree(rows):
    for found in (krippendorff_alpha(tallies([[2, 0], [0, 2]], [rows // 2] * 2)),
                  cohen_kappa([[rows // 2, 0], [0, rows // 2]])):  # fmt: skip
        assert found.value == found.high == 1
        # differences as the exact interval of none allows; by chance half of the rows have one
        assert found.low == pytest.approx(1 - 2 * clopper_pearson(0, rows).high)
