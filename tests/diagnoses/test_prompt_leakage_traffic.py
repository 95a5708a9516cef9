"""Leaked questions that customers ask too: the effect with each item as often as they ask it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.diagnoses.leaking import diagnose_columns, joined, of_runs, rival, texts, value

from casework.findings import Result
from casework.stats.leakage import weighted_drop

Diagnose = Callable[..., Result]


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    return partial(diagnose_columns, tmp_path)


def asked(questions: list[str], often: list[int], **more: Any) -> dict[str, list[Any]]:
    """Requests that ask each question so often."""
    told = [q for q, n in zip(questions, often, strict=True) for _ in range(n)]
    return {"request_id": [f"q{k}" for k in range(len(told))], "input_text": told,
            "occurred_at": ["2026-03-01T00:00:00Z"] * len(told)} | {
        name: [x] * len(told) for name, x in more.items()}  # fmt: skip


def test_the_effect_is_told_with_each_item_as_often_as_customers_ask_it(
    diagnose: Diagnose,
) -> None:
    questions = texts(114, 100)
    runs = of_runs(questions, 40, [1.0] * 100, [0.0] * 20 + [1.0] * 80)
    often = [1] * 5 + [0] * 15 + [9] * 10 + [0] * 10
    result = diagnose({"eval_samples": runs, "requests": asked(questions[:40], often)})
    weighted = result.measures["drop_traffic_weighted"]
    assert weighted.value == pytest.approx(5 / 95)
    assert (weighted.n, weighted.unit) == (15, "points")
    assert weighted.evidence == "prompt_leakage.recurring"
    assert weighted.ci95 is not None
    assert weighted.ci95[0] < 5 / 95 < weighted.ci95[1]
    assert value(result, "leave_one_out_drop") == 0.5
    assert value(result, "drop_not_recurring") == pytest.approx(20 / 30)
    (said,) = [f.statement for f in result.findings if "as often as they ask it" in f.statement]
    assert "15 of 40 leaked items word for word, in 95 requests" in said
    assert rival(result, "Customers do ask").why.startswith("10 of 40 leaked items")
    without = diagnose({"eval_samples": runs})
    assert value(without, "drop_traffic_weighted") is None
    assert without.verdict == "confirmed"


@pytest.mark.parametrize(
    "requests",
    [{"often": [3] * 4 + [0] * 36}, {"often": [3] * 40, "environment": "eval"}],
    ids=["few", "of the eval itself"],
)
def test_what_customers_hardly_ask_has_no_weighted_effect(
    requests: dict[str, Any], diagnose: Diagnose
) -> None:
    questions = texts(115, 100)
    result = diagnose({
        "eval_samples": of_runs(questions, 40, [1.0] * 100, [0.0] * 20 + [1.0] * 80),
        "requests": asked(questions[:40], **requests),
    })  # fmt: skip
    assert value(result, "drop_traffic_weighted") is None
    assert result.verdict == "confirmed"


def test_a_request_that_was_retried_is_one(diagnose: Diagnose) -> None:
    questions = texts(116, 100)
    once = asked(questions[:40], [1] * 40)
    again = once | {"occurred_at": ["2026-03-01T00:00:09Z"] * 40}
    result = diagnose({
        "eval_samples": of_runs(questions, 40, [1.0] * 100, [0.0] * 20 + [1.0] * 80),
        "requests": joined(once, again),
    })  # fmt: skip
    assert rival(result, "Customers do ask").why.startswith("0 of 40 leaked items")
    assert result.verdict == "confirmed"


def test_a_weighted_fall_is_worth_as_many_items_as_carry_it() -> None:
    rng = np.random.default_rng(5)
    before, after = np.ones(60), rng.integers(0, 2, 60).astype(float)
    even = weighted_drop(before, after, np.full(60, 7), 1)
    assert even.value == pytest.approx(1 - after.mean())
    weights = np.ones(60)
    weights[0] = 10_000
    one = weighted_drop(before, after, weights, 1)
    assert one.value == pytest.approx(1 - after[0], abs=0.01)
    assert one.high - one.low > 3 * (even.high - even.low)
    with pytest.raises(ValueError, match="no pair"):
        weighted_drop([], [], [])
