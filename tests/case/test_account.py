"""What must be known of the evidence: identity of models, orphans, clocks, retries, silences."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casework.case import Case, CaseWriter, Receipt, Row
from casework.case.account import concerns, identities
from casework.records import Concern
from casework.tables import (
    Table,
    alias_events,
    candidates,
    checkpoints,
    clocks,
    eval_runs,
    eval_samples,
    feedback,
    requests,
    tickets,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
Load = Callable[..., Case]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load rows of one table as an exhibit each, and open the case."""
    path = tmp_path / "case.duckdb"
    CaseWriter.create(path, "account")

    def _load(*exhibits: tuple[Table, Sequence[dict[str, Any]]]) -> Case:
        with CaseWriter(path) as writer:
            for number, (table, listed) in enumerate(exhibits):
                sha = f"{number:02}".ljust(64, "0")
                receipt = Receipt(f"{number}.csv", sha, 1, "csv", "table_file")
                writer.load(receipt, [Row(table, f"row {n}", row) for n, row in enumerate(listed)])
        return Case(path)

    return _load


def request(number: int, hours: float, **more: Any) -> dict[str, Any]:
    when = START + timedelta(hours=hours)
    return {"request_id": f"r{number}", "occurred_at": when, "endpoint": "prod", **more}


def of(case: Case, kind: str) -> list[Concern]:
    return [one for one in concerns(case) if one.kind == kind]


def test_how_the_model_is_known_is_told_for_each_exhibit(load: Load) -> None:
    stamped = [request(n, n, checkpoint="sha256:a", response_model="prod") for n in range(3)]
    told = [request(10 + n, n, response_model=name) for n, name in enumerate(["prod", "m-1"])]
    copied = [request(20 + n, n, response_model="prod") for n in range(4)]
    partly = [request(30, 1, response_model="prod"), request(31, 2)]
    case = load((requests, stamped), (requests, told), (requests, copied), (requests, partly))
    with case:
        found = [(i.requests, i.digest, i.response_model, i.copied, i.nothing)
                 for i in identities(case)]  # fmt: skip
    assert found == [(3, 3, 0, 0, 0), (2, 0, 2, 0, 0), (4, 0, 0, 4, 0), (2, 0, 0, 1, 1)]
    assert all(sum(one[1:]) == one[0] for one in found)


def test_rows_that_point_nowhere_are_counted_where_the_other_table_is_there(load: Load) -> None:
    run = {"run_id": "a", "suite": "s", "started_at": START}
    samples = [{"run_id": name, "item_id": "1"} for name in ("a", "b", "c")]
    with load((eval_runs, [run]), (eval_samples, samples)) as case:
        (found,) = of(case, "orphans")
    assert (found.table, found.rows, found.of) == ("eval_samples", 2, 3)
    assert found.what == "run_id names what is not in eval_runs"


def test_nothing_is_an_orphan_of_a_table_that_was_never_loaded(load: Load) -> None:
    with load((eval_samples, [{"run_id": "a", "item_id": "1"}])) as case:
        assert concerns(case) == ()


def test_clocks_that_cannot_be_right_are_told(load: Load) -> None:
    listed = [
        request(0, 0, ended_at=START - timedelta(seconds=1)),
        request(1, 0, occurred_at=datetime(1970, 1, 1, tzinfo=UTC)),
        request(2, 0, occurred_at=datetime(2999, 1, 1, tzinfo=UTC)),
        request(3, 0, ended_at=START),
    ]
    with load((requests, listed)) as case:
        found = {(one.kind, one.rows, one.of) for one in concerns(case)}
    assert found == {("backwards", 1, 4), ("ancient", 1, 4), ("future", 1, 4)}


def test_a_retry_is_told_and_a_repeated_row_is_none(load: Load) -> None:
    listed = [request(0, 0), request(0, 1), request(0, 1), request(1, 2)]
    with load((requests, listed)) as case:
        (found,) = of(case, "retries")
        assert (found.rows, found.of) == (1, 3)


def test_a_call_of_a_framework_above_that_of_its_client_is_told(load: Load) -> None:
    def call(n: int, trace: str, span: str, parent: str | None) -> dict[str, Any]:
        return {**request(n, n), "trace_id": trace, "span_id": span, "parent_span_id": parent}

    listed = [call(0, "t", "a", None), call(1, "t", "b", "a"), call(2, "t", "c", "a"),
              call(3, "other", "d", "a"), call(4, "t", "e", "unknown")]  # fmt: skip
    with load((requests, listed)) as case:
        (found,) = of(case, "nested_calls")
        assert (found.rows, found.of) == (1, 5)


def test_an_outage_stands_out_and_nights_do_not(load: Load) -> None:
    by_day = [day * 24 + hour / 10 for day in range(20) for hour in range(80)]
    nights = [request(n, hours) for n, hours in enumerate(by_day)]
    outage = [request(10_000 + n, hours + (200 if hours > 240 else 0))
              for n, hours in enumerate(by_day)]  # fmt: skip
    with load((requests, nights), (requests, outage)) as case:
        found = of(case, "silence")
    assert [one.exhibit_id for one in found] == ["01".ljust(16, "0")]
    assert "nothing for 200.1 h" in found[0].what


def test_an_alias_without_a_history_is_told(load: Load) -> None:
    base = {"alias": "prod", "checkpoint": "sha256:a"}
    history = [{**base, "valid_from": START + timedelta(days=n)} for n in range(3)]
    present = [{**base, "alias": "x", "valid_from": START, "source": "registry (current only)"}]
    known = [{"checkpoint": "sha256:a"}]
    with load((alias_events, history), (alias_events, present), (checkpoints, known)) as case:
        (found,) = concerns(case)
    assert (found.kind, found.rows, found.of) == ("current_only", 1, 1)


def scored(run: str, right: int, items: int, part: float = 1.0) -> list[dict[str, Any]]:
    return [{"run_id": run, "item_id": str(i), "score": part * (i < right)} for i in range(items)]


def reported(run: str, score: float, items: int, suite: str = "s") -> dict[str, Any]:
    return {"run_id": run, "suite": suite, "started_at": START, "score": score, "n_items": items}


def test_a_score_that_no_count_of_items_gives_is_told(load: Load) -> None:
    """94.0 % of 37 is impossible, 16.1 % of 330 is 53, 35 of 37 is 94.6 %."""
    runs = [reported("a", 0.94, 37), reported("b", 0.161, 330), reported("c", 35 / 37, 37)]
    with load((eval_runs, runs), (eval_samples, scored("c", 35, 37))) as case:
        (found,) = of(case, "impossible")
        assert (found.table, found.rows, found.of) == ("eval_runs", 1, 3)
        assert of(case, "recount") == []


def test_a_score_that_its_items_do_not_give_is_told(load: Load) -> None:
    runs = [reported("a", 0.9, 40), reported("b", 0.93, 40), reported("c", 0.8, 50)]
    samples = [*scored("a", 30, 40), *scored("b", 37, 40), *scored("c", 3, 9)]
    with load((eval_runs, runs), (eval_samples, samples)) as case:
        (found,) = of(case, "recount")
        assert (found.rows, found.of) == (1, 2)


def test_a_whole_score_is_that_of_a_hundredth(load: Load) -> None:
    """All of 100 right, where 55 are; and none, where 45 are."""
    runs = [reported("a", 1.0, 100), reported("b", 0.0, 100), reported("c", 1.0, 250)]
    samples = [*scored("a", 55, 100), *scored("b", 45, 100), *scored("c", 249, 250)]
    with load((eval_runs, runs), (eval_samples, samples)) as case:
        (found,) = of(case, "recount")
        assert (found.rows, found.of) == (2, 3)


def test_a_score_in_single_precision_is_that_of_its_items(load: Load) -> None:
    run = reported("a", float(np.float32(16 / 17)), 17)
    with load((eval_runs, [run]), (eval_samples, scored("a", 16, 17))) as case:
        assert of(case, "impossible") == of(case, "recount") == []


def test_of_items_with_partial_credit_no_score_is_impossible(load: Load) -> None:
    runs = [reported("a", 0.94, 37), reported("b", 0.94, 37, "without items")]
    with load((eval_runs, runs), (eval_samples, scored("a", 35, 37, 0.5))) as case:
        assert of(case, "impossible") == of(case, "recount") == []


def test_a_log_of_one_outcome_alone_is_told(load: Load) -> None:
    def candidate(n: int, passed: bool) -> dict[str, Any]:
        return {"query_id": f"q{n}", "doc_id": "d", "passed": passed}

    def thumb(n: int, signal: int) -> dict[str, Any]:
        return {"feedback_id": f"f{n}", "occurred_at": START, "signal": signal}

    one = [candidate(n, True) for n in range(30)], [thumb(n, -1) for n in range(30)]
    with load((candidates, one[0]), (feedback, one[1])) as case:
        assert {(found.table, found.rows) for found in of(case, "censored")} == {
            ("candidates", 30), ("feedback", 30)}  # fmt: skip


def test_a_log_of_both_outcomes_is_not(load: Load) -> None:
    both = [{"query_id": f"q{n}", "doc_id": "d", "passed": n > 0} for n in range(30)]
    thumbs = [{"feedback_id": f"f{n}", "occurred_at": START, "signal": 1} for n in range(19)]
    with load((candidates, both), (feedback, thumbs)) as case:
        assert of(case, "censored") == []


def test_a_log_in_two_files_one_an_outcome_is_not(load: Load) -> None:
    up, down = ([{"feedback_id": f"{signal} {n}", "occurred_at": START, "signal": signal}
                 for n in range(rows)] for signal, rows in ((1, 30), (-1, 5)))  # fmt: skip
    with load((feedback, up), (feedback, down)) as case:
        assert of(case, "censored") == []


@pytest.mark.parametrize(("error_s", "told"), [(None, 5), (7300.0, 0)])
def test_feedback_before_its_request_is_told(load: Load, error_s: float | None, told: int) -> None:
    """Half of the feedback was written in the time of a place two hours to the west."""
    asked = [request(n, n) for n in range(10)]
    given = [
        {"feedback_id": f"f{n}", "signal": 1, "request_id": f"r{n}",
         "occurred_at": START + timedelta(hours=n - 2 * (n % 2), seconds=30)}
        for n in range(10)
    ]  # fmt: skip
    known = [{"host": "h", "error_s": error_s}] if error_s else []
    with load((requests, asked), (feedback, given), (clocks, known)) as case:
        found = of(case, "too_early")
    assert [(one.table, one.rows, one.of) for one in found] == ([("feedback", told, 10)] if told
                                                               else [])  # fmt: skip
    assert all("by 2.0 h at the median" in one.what for one in found)


def test_a_date_alone_is_not_before_a_request_of_that_day(load: Load) -> None:
    """It is of the day in any time zone, which in the west ends 36 hours after midnight UTC."""
    hours = [(10, 0), (35, 0), (37, 0), (10, 0.5)]
    asked = [request(n, at) for n, (at, _) in enumerate(hours)]
    reports = [
        {"ticket_id": f"t{n}", "reported_at": START + timedelta(hours=at), "request_id": f"r{n}"}
        for n, (_, at) in enumerate(hours)
    ]
    with load((requests, asked), (tickets, reports)) as case:
        (found,) = of(case, "too_early")
    assert (found.table, found.rows, found.of) == ("tickets", 2, 4)
    assert "by 5.2 h at the median" in found.what  # 1 h after the day, and 9.5 h


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ([(-1, 10), (-1, 10), (-1, 10)], 0),  # of Berlin in winter
        ([(-1, 10), (22 + 24 * 200, 10 + 24 * 201), (-1, 25)], 1),  # and in summer
        ([(-10, 13), (-10, 14)], 0),  # of Sydney
        ([(-1, 10), (-1, 10), (-0.75, 10)], 3),
        ([(-1, 10), (-1 + 1 / 60, 10)], 2),
        ([(-1, 10), (-2, 10), (-3, 10)], 3),
    ],
)
def test_a_date_is_midnight_in_a_zone_that_was_named(
    load: Load, hours: list[tuple[float, float]], told: int
) -> None:
    asked = [request(n, at) for n, (_, at) in enumerate(hours)]
    reports = [
        {"ticket_id": f"t{n}", "reported_at": START + timedelta(hours=at), "request_id": f"r{n}"}
        for n, (at, _) in enumerate(hours)
    ]
    with load((requests, asked), (tickets, reports)) as case:
        assert sum(found.rows for found in of(case, "too_early")) == told


def test_an_empty_case_has_no_concern(load: Load) -> None:
    with load() as case:
        assert concerns(case) == ()
        assert identities(case) == ()
