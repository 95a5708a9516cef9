"""NPS: intervals that hold, and what number of answers shows a change."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.nps import Answers, adjusted_wald, answers_needed, nps_difference, wald

counts = st.integers(0, 400)
answers = st.tuples(counts, counts, counts).filter(any).map(lambda c: Answers(*c))


@given(answers)
def test_the_score_is_the_mean_of_votes(found: Answers) -> None:
    votes = np.repeat([1, 0, -1], [found.promoters, found.passives, found.detractors])
    assert found.score == pytest.approx(votes.mean())
    assert found.standard_error == pytest.approx(votes.std() / np.sqrt(len(votes)), abs=1e-12)


@given(answers)
def test_intervals_stay_on_the_scale(found: Answers) -> None:
    for interval in (wald(found), adjusted_wald(found)):
        assert -1 <= interval.low <= interval.high <= 1


@given(answers, answers)
def test_a_difference_turns_its_sign_with_the_order(a: Answers, b: Answers) -> None:
    there, back = nps_difference(a, b), nps_difference(b, a)
    assert there.value == -back.value
    assert there.p == back.p
    assert 0 <= there.p <= 1


def test_the_adjusted_interval_covers_where_answers_are_few() -> None:
    rng = np.random.default_rng(3)
    draws = rng.multinomial(15, [0.6, 0.3, 0.1], 2_000)
    covered = [abs((e := adjusted_wald(Answers(*map(int, d)))).low) >= 0 and e.low <= 0.5 <= e.high
               for d in draws]  # fmt: skip
    assert np.mean(covered) > 0.93


def test_answers_needed_are_those_of_the_method() -> None:
    assert 900 < answers_needed(0.1) < 1_000
    assert 220 < answers_needed(-0.2) < 260
    with pytest.raises(ValueError, match="change of zero"):
        answers_needed(0)


def test_no_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Answers(0, 0, 0)


@given(answers, answers)
def test_no_difference_is_certain_of_few_answers(a: Answers, b: Answers) -> None:
    assert math.isfinite(nps_difference(a, b).z)
    one, other = Answers(1, 0, 0), Answers(0, 0, 1)
    assert nps_difference(one, other).p > 0.1
    assert nps_difference(one, one).p == 1
