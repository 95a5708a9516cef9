import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.multinomial import goodman, labels_needed, labels_to_settle, worst_case


def test_all_intervals_hold_together():
    rng, true = np.random.default_rng(2), np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    held = []
    for _ in range(600):
        found = goodman(rng.multinomial(510, true).tolist())
        held.append(all(e.low <= p <= e.high for e, p in zip(found, true, strict=True)))
    assert np.mean(held) >= 0.93


def test_the_worst_sample_size_is_enough_at_three_equal_classes():
    """Thompson's n promises a half width of 5 points for all classes at once, 95 times in 100."""
    rng, n = np.random.default_rng(4), labels_needed(0.05)
    shares = rng.multinomial(n, [1 / 3] * 3, size=4000) / n
    assert (np.abs(shares - 1 / 3).max(axis=1) <= 0.05).mean() >= 0.945


@pytest.mark.parametrize(
    ("alpha", "d2n", "classes"),
    [(0.05, 1.27359, 3), (0.1, 1.00635, 3), (0.01, 1.96986, 2), (0.5, 0.44129, 4)],
)
def test_table_of_thompson(alpha, d2n, classes):
    found, most = worst_case(alpha)
    assert (round(found, 5), most) == (d2n, classes)


@given(st.integers(1, 10**6))
def test_no_more_labels_than_rows(rows):
    assert labels_needed(0.05, rows=rows) <= min(rows, labels_needed(0.05))
    assert labels_to_settle(0.15, 0.1, rows) <= rows


def test_a_share_at_the_limit_takes_all_rows():
    assert labels_to_settle(0.1, 0.1, 700) == 700
    assert labels_to_settle(0.5, 0.1, 100_000) < labels_to_settle(0.12, 0.1, 100_000)


def test_what_cannot_be_a_count_is_refused():
    for wrong in ([0, 0], [1, -1]):
        with pytest.raises(ValueError, match="counts"):
            goodman(wrong)
    with pytest.raises(ValueError, match="half width"):
        labels_needed(0)
