"""Mean changes of few pairs: the test keeps its level, and the interval covers."""

import numpy as np
import pytest

from casework.stats.estimates import Estimate
from casework.stats.sign_flips import sign_flip_p, usual_size, with_unseen


def test_all_signs_of_few_pairs_are_tried():
    changes = [0.3, -0.1, 0.4, 0.2, 0.6, 0.5, 0.1]
    signs = np.array(np.meshgrid(*[[-1, 1]] * 7)).reshape(7, -1)
    sums = signs.T @ np.array(changes)
    as_far = np.mean(sums >= sum(changes) - 1e-9)
    assert sign_flip_p(changes) == pytest.approx(2 * as_far)


def test_signs_drawn_by_chance_agree_with_students_test():
    from scipy.stats import ttest_1samp

    changes = np.random.default_rng(1).normal(0.1, 1, 400)
    assert sign_flip_p(changes) == pytest.approx(ttest_1samp(changes, 0).pvalue, abs=0.02)


def test_the_test_keeps_its_level_with_ties():
    rng = np.random.default_rng(2)
    found = [sign_flip_p(rng.integers(-1, 2, 8)) for _ in range(300)]
    assert np.mean(np.array(found) <= 0.05) <= 0.08


def test_an_interval_of_equal_changes_covers_what_was_rare():
    """Nine of ten items change by one; six that all do are no proof of all."""
    bare = Estimate(1.0, 1.0, 1.0, 6)
    wide = with_unseen(bare, usual_size([1.0] * 6))
    assert 0 < wide.low < 0.9 <= wide.high
    assert with_unseen(Estimate(0.3, 0.2, 0.4, 500), 0.5) == Estimate(0.3, 0.2, 0.4, 500)


def test_edges():
    assert sign_flip_p([2.0]) == 1
    assert sign_flip_p([0.0, 0.0]) == 1
    assert sign_flip_p(np.zeros(3000)) == 1
    assert sign_flip_p(np.full(3000, 0.5)) == 0
    with pytest.raises(ValueError, match="no pair"):
        sign_flip_p([])
