"""What `output_attribution` says beside its verdict: the record, worst cases, sources, clocks."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cases import diagnose_rows
from tests.diagnoses.attributing import (
    START,
    alias,
    clock,
    decision,
    minutes,
    value,
)

from casework.case import Row
from casework.findings import Result
from casework.tables import clocks, deployments
from casework.words import duration


def attribute(tmp_path: Path, rows: list[Row], **settings: Any) -> Result:
    return diagnose_rows(tmp_path, "output_attribution", rows, **settings)


def said_of(result: Result, measure: str) -> str:
    return " ".join(f.statement for f in result.findings if measure in f.measures)


def test_the_record_is_told_field_by_field(tmp_path: Path) -> None:
    """A fourth has a digest, half a prompt, one both; tests and embeddings are not of it."""
    rows = [alias("a", START), clock(1), Row(clocks, "row 2", {"host": "r1", "error_s": 1.0})]
    for n in range(8):
        more = {"checkpoint": "a"} if n < 2 else {}
        more |= {"prompt_hash": "p", "params_hash": "q"} if n % 2 else {}
        rows.append(decision(n, START + minutes(n + 1), replica=f"r{n % 2}", **more))
    rows.append(decision(8, START + minutes(9), environment="staging", user_id="u"))
    rows.append(decision(9, START + minutes(9), operation="embeddings", decision=None))
    result = attribute(tmp_path, rows)
    held = {row["field"]: row["records"] for row in value(result, "decision_record")}
    assert result.measures["decision_record"].n == 8
    assert {"id": 8, "weights": 2, "prompt": 4, "clock and its error": 4, "output": 0,
            "decision": 8, "person on whose behalf": 0}.items() <= held.items()  # fmt: skip
    assert held["hash chain of the log"] is None  # no column can hold it: not known, not nought
    assert value(result, "whole_system_records") == 1 / 8
    said = said_of(result, "decision_record")
    assert "a part clock and its error 50 %, weights 25 %, prompt 50 %, parameters 50 %" in said
    assert "no breach is claimed or excluded" in said
    assert "span 7 min, less than the six months" in said


def test_open_decisions_bound_a_difference_between_checkpoints(tmp_path: Path) -> None:
    """2 of 4 against 1 of 4; of two open ones one is a yes: from 2/5 - 2/5 to 3/5 - 1/5."""
    rows = [alias("a", START), alias("b", START + minutes(60), 1), clock(60)]
    outcomes = ["yes", "yes", "no", "no", "no", "yes", "no", "no"]
    at = [10, 20, 30, 40, 70, 80, 90, 100]
    rows += [decision(n, START + minutes(at[n]), decision=o) for n, o in enumerate(outcomes)]
    rows += [decision(10 + n, START + minutes(60), decision=("yes", "no")[n]) for n in range(2)]
    result = attribute(tmp_path, rows)
    (row,) = value(result, "outcome_differences")  # of two outcomes one says it all
    assert (row["decision"], row["first"], row["second"]) == ("yes", "a", "b")
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.25, 0.0, 0.4))
    assert value(result, "outcome_differences_unsure") == 1
    assert "it lies between 0 and 40 points; the sign of 1 of the 1 is open" in said_of(
        result, "outcome_differences"
    )


@pytest.mark.slow
def test_a_decision_without_candidate_may_be_of_any_checkpoint(tmp_path: Path) -> None:
    rows = [alias("a", START), alias("b", START + minutes(60), 1), clock(1)]
    rows += [decision(n, START + minutes(10 + n), decision="yes") for n in range(4)]
    rows += [decision(10 + n, START + minutes(70 + n), decision="no") for n in range(4)]
    rows.append(decision(20, START - minutes(60), decision="no"))
    result = attribute(tmp_path, rows)
    (row,) = value(result, "outcome_differences")
    assert (row["decision"], row["first"], row["second"]) == ("no", "a", "b")
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((-1.0, -1.0, -0.8))


def test_an_outcome_that_only_open_decisions_have_is_a_question(tmp_path: Path) -> None:
    """4 of 4 against 4 of 4, and three of any: from 0 - 3/7 to 3/7 - 0, whichever sign."""
    rows = [alias("a", START), alias("b", START + minutes(60), 1), clock(1)]
    rows += [decision(n, START + minutes(10 + n)) for n in range(4)]
    rows += [decision(10 + n, START + minutes(70 + n)) for n in range(4)]
    rows += [decision(20 + n, START - minutes(60 + n), decision="no") for n in range(3)]
    result = attribute(tmp_path, rows)
    (row,) = value(result, "outcome_differences")
    assert row["decision"] == "no"
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.0, -3 / 7, 3 / 7))
    assert value(result, "outcome_differences_unsure") == 1
    assert "the sign of 1 of the 1 is open" in said_of(result, "outcome_differences")


@pytest.mark.slow
def test_one_outcome_or_one_checkpoint_is_no_question(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1), *(decision(n, START + minutes(n + 1)) for n in range(4))]
    result = attribute(tmp_path, rows)
    assert value(result, "outcome_differences") == []
    assert value(result, "outcome_differences_unsure") is None


def test_the_rule_of_the_alias_is_held_against_the_digest_on_record(tmp_path: Path) -> None:
    """None of 300 contradicts: at most 1 % (rule of three); one that does counts."""
    rows = [alias("a", START), alias("b", START + minutes(400), 1), clock(1)]
    rows += [decision(n, START + minutes(n + 1), checkpoint="a") for n in range(299)]
    (tmp_path / "wrong").mkdir()
    result = attribute(tmp_path, [*rows, decision(300, START + minutes(450), checkpoint="b")])
    found = result.measures["alias_error_rate"]
    assert (found.value, found.n) == (0, 300)
    assert found.ci95 == pytest.approx((0, 0.00994), abs=1e-4)
    assert value(result, "alias_kappa") == 1
    wrong = attribute(
        tmp_path / "wrong", [*rows, decision(300, START + minutes(450), checkpoint="a")]
    )
    assert value(wrong, "alias_error_rate") == pytest.approx(1 / 300)
    assert value(wrong, "alias_kappa") == 0  # all are of one checkpoint: as chance would have it


def test_without_a_stamp_the_alias_cannot_be_checked(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1), decision(0, START + minutes(1))]
    result = attribute(tmp_path, rows)
    assert value(result, "alias_error_rate") is None
    assert value(result, "clock_offset_least_s") is None
    assert not said_of(result, "alias_error_rate") + said_of(result, "clock_bounds")


@pytest.mark.parametrize(
    ("ids", "missing"),
    [pytest.param(range(20), 0, marks=pytest.mark.slow), ([*range(9), *range(12, 20)], 3)],
)
def test_gaps_of_numbered_ids_are_counted(tmp_path: Path, ids: Any, missing: int) -> None:
    """Numbers of other ids fill none: those of searches, and of the one of the far shard."""
    rows = [alias("a", START), clock(1), *(decision(n, START + minutes(n + 1)) for n in ids)]
    for n in range(9, 12):
        more = {"request_id": f"search-{n}", "operation": "embeddings", "decision": None}
        rows.append(decision(100 + n, START + minutes(30), **more))
    rows.append(decision(200, START + minutes(31), request_id="shard-999999"))
    result = attribute(tmp_path, rows)
    found = result.measures["missing_ids"]
    assert (found.value, found.n) == (missing, 20)
    assert any(f"{missing} of the 20 from the first" in limit for limit in result.limits)


def switching(offset_s: float, step_s: float = 0.0) -> list[Row]:
    """A replica that runs a, b and a again, whose records are ahead by so much, later by more."""
    rows = [alias("a", START - timedelta(days=1)), clock(30)]
    for digest, since, until in (("a", 0, 120), ("b", 120, 360), ("a", 360, 600)):
        values = {"replica": "r1", "checkpoint": digest, "valid_from": START + minutes(since),
                  "valid_until": START + minutes(until)}  # fmt: skip
        rows.append(Row(deployments, f"row {since}", values))
        for at in range(since, until, 5):
            true = START + minutes(at) + timedelta(seconds=20)
            ahead = timedelta(seconds=offset_s + (step_s if since else 0))
            rows.append(decision(at, true + ahead, replica="r1", checkpoint=digest))
    return rows


@pytest.mark.parametrize(
    ("offset_s", "low_s", "high_s"),
    [
        pytest.param(0, -280, 20, marks=pytest.mark.slow),
        (100, -180, 120),
        pytest.param(-300, -580, -280, marks=pytest.mark.slow),
    ],
)
def test_the_order_of_answers_and_deployments_bounds_a_clock(
    tmp_path: Path, offset_s: float, low_s: float, high_s: float
) -> None:
    """Answers begin 20 s after a deployment and end 280 s before the next, by a true clock."""
    result = attribute(tmp_path, switching(offset_s))
    (row,) = value(result, "clock_bounds")
    assert (row["low_s"], row["high_s"]) == (low_s, high_s)
    assert low_s <= offset_s <= high_s
    least = max(0, low_s, -high_s)
    assert value(result, "clock_offset_least_s") == least
    said = said_of(result, "clock_bounds")
    assert ("contradicts no clock error of 30 s" in said) == (least <= 30)
    if least > 30:
        assert "by up to 4 min 40 s (replica r1)" in said
    else:
        widest = duration(max(-low_s, high_s))
        assert f"; on 1 of them it leaves none beyond {widest} possible." in said
    assert value(result, "stamps_never_deployed") == 0


@pytest.mark.parametrize(
    ("error_s", "said"),
    [
        pytest.param(30, "on 1 of them no constant offset explains it", marks=pytest.mark.slow),
        (900, "contradicts no clock error of 15 min. On 1 of them no constant offset fits, but"),
    ],
)
def test_a_clock_that_was_set_anew_fits_no_offset(
    tmp_path: Path, error_s: float, said: str
) -> None:
    """It is beyond the stated error only where that is smaller than what the order asks for."""
    result = attribute(tmp_path, switching(-300, 900), clock_error_s=error_s)
    (row,) = value(result, "clock_bounds")
    assert row["low_s"] > row["high_s"]
    told = said_of(result, "clock_bounds")
    assert said in told
    assert ("zones may be too narrow" in told) == (error_s == 30)


def test_a_stamp_that_its_replica_never_ran_is_told(tmp_path: Path) -> None:
    """On a logged replica; without a log nothing is known of it."""
    rows = [alias("a", START), alias("z", START - minutes(60), 1), clock(30)]
    rows.append(Row(deployments, "row", {"replica": "r1", "checkpoint": "a", "valid_from": START}))
    stamps = [("r1", "a"), ("r1", "a"), ("r1", "z"), ("r1", "z"), ("r1", "z"), ("r2", "z")]
    rows += [
        decision(n, START + minutes(n + 1), replica=replica, checkpoint=digest)
        for n, (replica, digest) in enumerate(stamps)
    ]
    result = attribute(tmp_path, rows)
    found = result.measures["stamps_never_deployed"]
    assert (found.value, found.n) == (3, 5)
    assert [row["decisions"] for row in value(result, "clock_bounds")] == [2]
    assert "Of 5 decisions" in said_of(result, "stamps_never_deployed")
