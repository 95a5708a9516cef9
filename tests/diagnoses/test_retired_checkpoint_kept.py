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
from casework.tables import checkpoints, config_events, eval_runs, eval_samples, tickets

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


def index(days: float, build: str, before: str | None = None, **more: Any) -> Row:
    """A build of the index on record, so many days after the answer."""
    values = {"occurred_at": NOON + days * DAY, "key": "index_build", "new_value": build,
              "old_value": before}  # fmt: skip
    return Row(config_events, f"{days}", values | more)


@pytest.mark.parametrize(
    ("events", "is_settled"),
    [
        ([index(-5, "b7"), index(1, "b7")], True),
        ([index(-5, "b7"), index(1, "b8")], False),
        pytest.param([index(1, "b8", "b7")], False, marks=pytest.mark.slow),
        pytest.param([index(-5, "b7", scope="eu"), index(1, "b8", scope="us")], False,
                     marks=pytest.mark.slow),
    ],
    ids=["said again", "another after it", "another", "each the first of its scope"],
)  # fmt: skip
def test_an_index_that_is_said_again_did_not_change(
    tmp_path: Path, events: list[Row], is_settled: bool
) -> None:
    rows = [*TWO, ticket(0), *replays("a", 150, 150), *replays("b", 0, 150), *events]
    result = judge(tmp_path, rows)
    assert value(result, "resolved") == is_settled
    assert result.verdict == ("inconclusive" if is_settled else "confirmed")
    told = any("300 replays ran after the index" in limit for limit in result.limits)
    assert told != is_settled


def test_a_candidate_that_replays_ruled_out_is_no_control(tmp_path: Path) -> None:
    """What the rival counts as no candidate is what the comparison does."""
    rows = [*TWO, ticket(0, reported_at=NOON + 2 * DAY, observed_at=None)]
    rows += [decision(i, NOON + (i - 245) / 250 * DAY, decision=None) for i in range(250)]
    rows += [*replays("a", 10, 10), *replays("b", 1, 10)]
    result = judge(tmp_path, rows, lag_s=3 * 86_400)
    ((candidate, _),) = [(c["checkpoint"], c["probability"])
                         for c in value(result, "tickets")[0]["candidates"]]  # fmt: skip
    assert (candidate, value(result, "resolved")) == ("a", 1)
    assert ", 0 of them with checkpoints that are no candidates" in (
        said_of(result, "reproduction_contrasts"))  # fmt: skip
    rival = next(r for r in result.rivals if r.explanation.startswith("It is not of the"))
    assert (rival.outcome, rival.why) == (
        "not_testable", "no replay on a checkpoint that is no candidate")  # fmt: skip


def test_the_picture_of_replays_counts_those_that_it_leaves_out(tmp_path: Path) -> None:
    found = [replays(f"c{i:02}", i > 19, 1) for i in range(24)]
    result = judge(tmp_path, [*TWO, ticket(0), *(row for rows in found for row in rows)])
    chart = next(chart for chart in result.charts if chart.id.endswith("reproduction"))
    assert chart.title == "4 of 24 replayed pairs reproduced the report"
    assert "24 pairs of ticket and checkpoint, of which the first 20 are shown." in chart.alt
    assert len(chart.rows) == 20


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
        ([stored("a"), *replays("a", 1, 1, prompt_hash="p", params_hash="s"),
          index(1, "b8", "b7")], "run again"),
        ([stored("a"), *replays("a", 1, 1, prompt_hash="p", params_hash="s"),
          index(-1, "b8", "b7")], "as it was served"),
        ([stored("a"), *replays("a", 1, 1, prompt_hash="p", params_hash="s")], "as it was served"),
    ],
)  # fmt: skip
def test_each_candidate_stands_on_its_rung(tmp_path: Path, more: list[Row], rung: str) -> None:
    """The replay with the prompt and the parameters of the request is the last."""
    asked = decision(0, NOON, checkpoint="a", prompt_hash="p", params_hash="s")
    rows = [asked, ticket(0, request_id="d0", observed_at=None), *more]
    result = judge(tmp_path, rows)
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


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ([alias("a", START - 80 * DAY, 2, alias="batch")], (None, 0)),
        pytest.param([alias("a", START - 80 * DAY, 2, alias="batch"),
                      alias("b", NOON, 3, alias="batch")], (1, 1), marks=pytest.mark.slow),
        ([stored("a", uri="gs")], (None, 0)),
        pytest.param([stored("a", uri="gs", there=False)], (1, 1), marks=pytest.mark.slow),
    ],
    ids=["another alias points at it", "that left it too", "a copy without a limit",
         "a copy that is deleted"],
)  # fmt: skip
def test_what_an_alias_points_at_or_a_copy_keeps_is_not_retained_too_short(
    tmp_path: Path, more: list[Row], found: tuple[int | None, int]
) -> None:
    left = NOON - 5 * DAY
    rows = [alias("a", START - 90 * DAY), alias("b", left, 1), *lagging(30, 41)]
    result = judge(tmp_path, [*rows, stored("a", retained_until=left + 20 * DAY), *more])
    kept = result.measures["retained_too_short"]
    assert (kept.value, kept.n) == found


@pytest.mark.slow
def test_three_hundred_reports_bound_the_lag_by_the_longest(tmp_path: Path) -> None:
    result = judge(tmp_path, [alias("a", START - 90 * DAY), *lagging(300, 30)])
    assert value(result, "lag_p99_upper_s") == 30 * 86_400
    assert value(result, "lag_p99_s") < 30 * 86_400


@pytest.mark.slow
def test_without_dates_of_both_retention_is_not_judged(tmp_path: Path) -> None:
    result = judge(tmp_path, [*TWO, ticket(0, observed_at=None), stored("a")])
    assert value(result, "retained_too_short") is None
