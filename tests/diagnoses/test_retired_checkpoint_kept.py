"""What `retired_checkpoint` says beside its verdict: replays compared, rungs, retention."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import fisher_exact
from tests.cases import diagnose_rows
from tests.diagnoses.attributing import (
    START,
    alias,
    decision,
    value,
)

from casework.case import Row
from casework.diagnoses._retired_kept import RUNGS
from casework.findings import Result
from casework.tables import checkpoints, eval_runs, eval_samples, tickets

NOON = START + timedelta(hours=12)
DAY = timedelta(days=1)


def judge(tmp_path: Path, rows: list[Any], **settings: Any) -> Result:
    return diagnose_rows(tmp_path, "retired_checkpoint", rows, **settings)


def ticket(number: int, **more: Any) -> Row:
    values = {"ticket_id": f"t{number}", "reported_at": NOON + DAY, "endpoint": "v1",
              "observed_at": NOON, "output": "wrong"}  # fmt: skip
    return Row(tickets, f"row {number + 1}", values | more)


def stored(name: str, *, there: bool | None = True, **more: Any) -> Row:
    return Row(checkpoints, name, {"checkpoint": name, "uri": "s3", "exists": there} | more)


def replays(name: str, k: int, n: int, **more: Any) -> list[Row]:
    """So many replays of `t0` on a checkpoint, the first of them reproducing it."""
    run = {"run_id": f"run {name}", "suite": "replay", "started_at": NOON + 2 * DAY,
           "checkpoint": name}  # fmt: skip
    samples = [
        Row(eval_samples, f"{name}{i}", {
            "run_id": f"run {name}", "item_id": "t0", "epoch": i, "condition": "replay",
            "output_text": "wrong" if i < k else "right"})
        for i in range(n)
    ]  # fmt: skip
    return [Row(eval_runs, name, run | more), *samples]


def said_of(result: Result, measure: str) -> str:
    return " ".join(f.statement for f in result.findings if measure in f.measures)


TWO = [alias("a", START - DAY), alias("b", NOON, 1, rollout_ended_at=NOON + DAY)]
"""The window of a ticket seen at noon holds both."""


def test_replays_of_two_candidates_and_a_control_are_compared(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0), *replays("a", 9, 10), *replays("b", 1, 10), *replays("old", 0, 12)]
    result = judge(tmp_path, rows)
    found = {(row["first"], row["second"]): row for row in value(result, "reproduction_contrasts")}
    assert [*found] == [
        ("a", "other checkpoints"), ("a", "b"), ("b", "other checkpoints")]  # fmt: skip
    pair = found["a", "b"]
    assert pair["p"] == pytest.approx(fisher_exact([[9, 1], [1, 9]]).pvalue)
    assert pair["p_holm"] == pytest.approx(2 * pair["p"])  # the second smallest of three
    assert (pair["difference"], pair["is_control"]) == (pytest.approx(0.8), False)
    assert pair["low"] < 0.8 < pair["high"]
    assert value(result, "reproductions_told_apart") == 2
    assert "Of 3 comparisons of replays, 2 of them with checkpoints that are no candidates" in (
        said_of(result, "reproduction_contrasts"))  # fmt: skip


@pytest.mark.slow
def test_few_replays_tell_nothing_apart(tmp_path: Path) -> None:
    result = judge(tmp_path, [*TWO, ticket(0), *replays("a", 2, 2), *replays("b", 0, 2)])
    assert value(result, "reproductions_told_apart") == 0
    assert "0 tell the two apart" in said_of(result, "reproduction_contrasts")


@pytest.mark.slow
def test_without_replays_nothing_is_compared(tmp_path: Path) -> None:
    result = judge(tmp_path, [*TWO, ticket(0)])
    assert "reproduction_contrasts" not in result.measures
    assert not said_of(result, "reproduction_contrasts")


@pytest.mark.parametrize(
    ("more", "rung"),
    [
        *(pytest.param(*one, marks=pytest.mark.slow) for one in (
            ([], "named"),
            ([stored("a", there=None)], "listed"),
            ([stored("a", there=False)], "listed"),
            ([stored("a")], "there"),
            ([stored("a", verified_at=NOON)], "checked"),
            ([stored("a"), *replays("a", 1, 1)], "run again"),
            ([stored("a"), *replays("a", 1, 1, prompt_hash="q", params_hash="s")], "run again"),
        )),
        ([stored("a"), *replays("a", 1, 1, prompt_hash="p", params_hash="s")], "as it was served"),
    ],
)  # fmt: skip
def test_each_candidate_stands_on_its_rung(tmp_path: Path, more: list[Row], rung: str) -> None:
    """The replay with the prompt and the parameters of the request is the last."""
    asked = decision(0, NOON, checkpoint="a", prompt_hash="p", params_hash="s")
    result = judge(tmp_path, [asked, ticket(0, request_id="d0"), *more])
    (row,) = value(result, "reachability")
    assert (row["checkpoint"], row["rung"]) == ("a", rung)
    assert rung in RUNGS
    assert f"1 {rung}." in said_of(result, "reachability")


def lagging(count: int, days: float) -> list[Row]:
    """Tickets that took up to so many days."""
    return [
        ticket(n, observed_at=NOON - n / (count - 1) * days * DAY, reported_at=NOON)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("kept_days", "short"), [(20, 1), pytest.param(60, 0, marks=pytest.mark.slow)]
)
def test_retention_is_held_against_the_lag_of_reports(
    tmp_path: Path, kept_days: float, short: int
) -> None:
    left = NOON - 5 * DAY
    rows = [alias("a", START - 90 * DAY), alias("b", left, 1), *lagging(30, 41)]
    rows += [stored("a", retained_until=left + kept_days * DAY), stored("b", retained_until=left)]
    result = judge(tmp_path, rows)
    found = result.measures["retained_too_short"]
    assert (found.value, found.n) == (short, 1)  # the alias still points at b
    assert any("Set the retention anew" in remedy for remedy in result.remedies) == bool(short)
    assert value(result, "lag_p99_upper_s") is None  # thirty reports bound no 99th percentile


@pytest.mark.slow
def test_three_hundred_reports_bound_the_lag_by_the_longest(tmp_path: Path) -> None:
    result = judge(tmp_path, [alias("a", START - 90 * DAY), *lagging(300, 30)])
    assert value(result, "lag_p99_upper_s") == 30 * 86_400
    assert value(result, "lag_p99_s") < 30 * 86_400


@pytest.mark.slow
def test_without_dates_of_both_retention_is_not_judged(tmp_path: Path) -> None:
    result = judge(tmp_path, [*TWO, ticket(0, observed_at=None), stored("a")])
    assert value(result, "retained_too_short") is None
