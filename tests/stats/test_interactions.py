"""Differences of effects and of samples of points."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from casework.stats.interactions import classifier_chance, interaction, mean_discrepancy


def test_discrepancy_is_that_of_kernel_means() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 5)), rng.normal(0.5, 1, size=(9, 5))
    found = mean_discrepancy(x, y, 0.3)
    expected = (rbf_kernel(x, gamma=0.3).mean() + rbf_kernel(y, gamma=0.3).mean()
                - 2 * rbf_kernel(x, y, gamma=0.3).mean())  # fmt: skip
    assert found.biased == pytest.approx(expected)
    assert found.unbiased < found.biased


def test_effects_that_agree_have_no_interaction() -> None:
    found = interaction((0.2, 0.1), (0.2, 0.1))
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.low == -found.high
    with pytest.raises(ValueError, match="standard error"):
        interaction((0.2, 0.0), (0.2, 0.0))


def test_guessing_is_no_evidence() -> None:
    assert classifier_chance(0.5, 100).exact > 0.5
    assert classifier_chance(0.9, 100).exact < 1e-9
