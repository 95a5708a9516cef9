"""Shares that a model counted, put right by labels of people on a part of the rows."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.stats.scaled import FEWEST, Scaled, scaled_share
from casework.stats.screening import rogan_gladen

ORACLES = json.loads((Path(__file__).parents[1] / "oracles.json").read_text(encoding="utf-8"))
whole = math.inf


def judged(true: float, se: float, sp: float, both: float, weight: float = 1.0) -> Scaled:
    """A stratum whose labelled part errs exactly as often as the model does on average."""
    apparent = true * se + (1 - true) * (1 - sp)
    return Scaled(
        weight, apparent, whole, both, both * true * (1 - se), both * (1 - true) * (1 - sp)
    )


def test_it_is_the_share_of_rogan_and_gladen_where_both_hold() -> None:
    (oracle,) = (o for o in ORACLES if o["id"] == "p10_rogan_gladen")
    given_, true = oracle["inputs"], oracle["expected"]["true_prevalence"]
    se, sp = given_["sensitivity"], given_["specificity"]
    found = scaled_share([judged(true, se, sp, 500)])
    assert found is not None
    assert found.value == pytest.approx(rogan_gladen(given_["apparent"], se, sp))
    assert found.value == pytest.approx(true)


@pytest.mark.parametrize("labelled_by_model", [whole, 3_000.0])
def test_the_interval_is_that_of_two_phases(labelled_by_model: float) -> None:
    """Var = var(label - model) / n of both + var(model) / n of the model."""
    stratum = Scaled(1.0, 0.4, labelled_by_model, 900, 90, 36)
    found = scaled_share([stratum])
    mean = (90 - 36) / 900
    variance = ((90 + 36) / 900 - mean**2) / 900
    variance += 0.0 if math.isinf(labelled_by_model) else 0.4 * 0.6 / labelled_by_model
    assert found is not None
    assert found.value == pytest.approx(0.4 + mean)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * math.sqrt(variance), rel=0.03)


def test_strata_of_few_rows_share_their_errors() -> None:
    few = [Scaled(1.0, 0.5, whole, FEWEST / 4, 0, FEWEST / 8) for _ in range(4)]
    sure = Scaled(4.0, 0.1, whole, 400, 0, 0)
    found = scaled_share([*few, sure])
    assert found is not None
    assert found.value == pytest.approx(0.5 * (0.5 - 0.5) + 0.5 * 0.1)


@settings(max_examples=25)
@given(st.floats(0, 1), st.integers(1, 500), st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 9))
def test_a_share_lies_in_its_interval_between_nought_and_one(
    apparent: float, both: int, missed: float, flagged: float, weight: float
) -> None:
    held = Scaled(weight, apparent, whole, both, both * missed / 2, both * flagged / 2)
    right = Scaled(1.0, apparent, 50.0, both, 0, 0)
    found = scaled_share([held, right])
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    alone = scaled_share([right])
    assert alone is not None
    assert alone.value == pytest.approx(apparent)


def test_what_the_model_did_not_label_may_hold_any_share() -> None:
    seen = Scaled(1.0, 0.4, whole, 900, 90, 36)
    alone, part = scaled_share([seen]), scaled_share([seen], 4.0)
    assert alone is not None
    assert part is not None
    assert part.value == alone.value
    assert part.low == pytest.approx(alone.low / 4)
    assert part.high == pytest.approx(alone.high / 4 + 3 / 4)


def test_without_a_label_of_a_person_nothing_follows() -> None:
    assert scaled_share([]) is None
    assert scaled_share([Scaled(1.0, 0.4, whole, 0, 0, 0)]) is None


@pytest.mark.slow
@pytest.mark.parametrize("sampled", [(120, 40, 6), (50, 20, 20)])
def test_intervals_hold_the_share_as_often_as_they_say(sampled: tuple[int, ...]) -> None:
    """Three strata in which the model errs unlike; people labelled more of the small ones."""
    rng, held, tries = np.random.default_rng(5), 0, 600
    plan = list(zip((3000, 600, 400), (0.05, 0.6, 0.5), (0.7, 0.9, 0.8), (0.97, 0.9, 0.85),
                    sampled, strict=True))  # fmt: skip
    for seed in range(tries):
        strata, total = [], 0
        for rows, true, se, sp, n in plan:
            is_so = rng.random(rows) < true
            called = np.where(is_so, rng.random(rows) < se, rng.random(rows) > sp)
            drawn = rng.choice(rows, n, replace=False)
            missed = int((is_so[drawn] & ~called[drawn]).sum())
            flagged = int((called[drawn] & ~is_so[drawn]).sum())
            strata.append(Scaled(rows, float(called.mean()), whole, n, missed, flagged))
            total += int(is_so.sum())
        found = scaled_share(strata, seed=seed)
        assert found is not None
        held += found.low <= total / 4000 <= found.high
    assert held / tries >= 0.92
