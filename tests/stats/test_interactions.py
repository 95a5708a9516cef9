"""Differences of effects, and the chance level of a classifier."""

import pytest

from casework.stats.interactions import classifier_chance, interaction


def test_effects_that_agree_have_no_interaction() -> None:
    found = interaction((0.2, 0.1), (0.2, 0.1))
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.low == -found.high
    with pytest.raises(ValueError, match="standard error"):
        interaction((0.2, 0.0), (0.2, 0.0))


def test_guessing_is_no_evidence() -> None:
    assert classifier_chance(0.5, 100).exact > 0.5
    assert classifier_chance(0.9, 100).exact < 1e-9
