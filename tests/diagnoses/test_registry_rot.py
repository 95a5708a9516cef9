"""What `registry_rot` must state, against planted numbers and hand-made records."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cases import also, empty_case
from tests.diagnoses.conftest import Diagnosed

from casework.case import Case, CaseWriter, Receipt, Row
from casework.diagnoses import get
from casework.diagnoses._approvals import judge_approvals
from casework.errors import UsageError
from casework.findings import Result
from casework.tables import (
    Table,
    accounts,
    alias_events,
    benchmarks,
    checkpoints,
    engagements,
    eval_runs,
    model_versions,
    people,
    requests,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
D1, D2 = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def days(count: float) -> datetime:
    return NOW - timedelta(days=count)


class Estate:
    """Rows of a case in which one digest serves a hundred requests on a living record."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.serve(D1, 100)
        self.version("router", "3", D1)
        self.add(people, person="ana", active_from=days(900), timezone="Europe/Berlin", team="core")
        self.add(people, person="bo", active_from=days(900), timezone="Asia/Tokyo", team="core")
        self.add(benchmarks, benchmark="DeskEval")
        self.add(engagements, person="zed", object="x", kind="view", occurred_at=days(400))
        self.add(engagements, person="bo", object="router:3", kind="view", occurred_at=days(61))

    def add(self, table: Table, **values: Any) -> None:
        self.rows.append(Row(table, f"row {len(self.rows) + 1}", values))

    def serve(self, digest: str | None, count: int, **more: Any) -> None:
        for _ in range(count):
            n = len(self.rows)
            self.add(requests, **{
                "request_id": f"r{n}", "occurred_at": days(9) + timedelta(minutes=n),
                "endpoint": "live", "checkpoint": digest, "account_id": f"a{n % 7}",
            } | more)  # fmt: skip

    def version(self, model: str, version: str, digest: str | None, **more: Any) -> None:
        self.add(model_versions, **{
            "model": model, "version": version, "checkpoint": digest, "owner": "ana",
            "requested_by": "ana", "requested_at": days(60), "approved_by": "bo",
            "approved_at": days(59), "benchmark": "DeskEval", "eval_checkpoint": digest,
            "card_updated_at": days(61), "review_words": 1190, "created_at": days(62),
        } | more)  # fmt: skip

    def change(self, table: Table, **more: Any) -> None:
        """Change the first row of a table."""
        i = next(i for i, row in enumerate(self.rows) if row.table is table)
        self.rows[i] = self.rows[i]._replace(values={**self.rows[i].values, **more})

    def without(self, *tables: Table) -> None:
        self.rows = [row for row in self.rows if row.table not in tables]

    def judge(self, tmp_path: Path, **settings: Any) -> Result:
        path = tmp_path / "case.duckdb"
        path.write_bytes(empty_case())
        with CaseWriter(path) as writer:
            writer.load(Receipt("rows", "ab" * 32, 1, "rows", "test"), self.rows)
        with Case(path) as case:
            return get("registry_rot")(case, **settings)


@pytest.fixture
def estate() -> Estate:
    return Estate()


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.slow)])
def test_planted_numbers_are_found(diagnosed: Diagnosed, seed: int) -> None:
    result, truth = diagnosed("registry_rot.planted", seed)
    names = [name for name in result.measures if name in truth.numbers]
    assert {"governed_traffic_share", "absent_owners", "approvals_below_reading_time"} <= set(names)
    assert {n: value(result, n) for n in names} == pytest.approx(
        {n: truth.numbers[n] for n in names}
    )
    told = value(result, "approvals")[0]
    assert told["local_time"] == "23:43"
    assert told["delay_s"] == truth.numbers["delay_s"]
    assert told["engagements"] == 0
    assert any("No evidence of review" in finding.statement for finding in result.findings)


def test_words_are_neutral(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("registry_rot.planted", 3)
    said = " ".join([result.headline, *(f.statement for f in result.findings), *result.remedies])
    for word in ("rubber", "careless", "negligen", "blame", "fail to", "reckless", "ignored"):
        assert word not in said.lower()


def test_a_living_record_is_clean(estate: Estate, tmp_path: Path) -> None:
    result = estate.judge(tmp_path)
    assert result.verdict == "clean"
    assert value(result, "governed_traffic_share") == 1
    assert result.measures["governed_traffic_share"].ci95 is None  # counted, not estimated
    assert result.severity is None


@pytest.mark.parametrize(
    ("change", "measure", "severity"),
    [
        ({"eval_checkpoint": D2}, "card_mismatches", "S1"),
        ({"owner": "gone"}, "absent_owners", "S2"),
        ({"benchmark": "OldSet"}, "deprecated_benchmarks", "S2"),
    ],
)
def test_each_control_is_counted_and_weighed(
    estate: Estate, tmp_path: Path, change: dict[str, Any], measure: str, severity: str
) -> None:
    estate.change(model_versions, **change)
    estate.add(people, person="gone", active_from=days(900), active_until=days(100))
    estate.add(benchmarks, benchmark="OldSet", deprecated_at=days(80), superseded_by="DeskEval")
    estate.add(eval_runs, run_id="e", suite="x", started_at=days(70), checkpoint="other")
    result = estate.judge(tmp_path)
    assert (result.verdict, result.severity) == ("confirmed", severity)
    assert value(result, measure) == 1
    assert value(result, "ungoverned_traffic_share") == 1
    assert value(result, "affected_accounts") == 7


def test_an_unregistered_digest_is_the_gravest(estate: Estate, tmp_path: Path) -> None:
    estate.serve(D2, 50)
    result = estate.judge(tmp_path, registry_lag_days=0)
    assert (result.verdict, result.severity) == ("confirmed", "S1")
    assert value(result, "unregistered_traffic_share") == pytest.approx(1 / 3)
    late = estate.judge(tmp_path, registry_lag_days=30)
    assert late.verdict == "supported"
    assert any("`registry_lag_days` says so" in rival.why for rival in late.rivals)


def test_a_digest_younger_than_the_registry_may_only_be_missing(
    estate: Estate, tmp_path: Path
) -> None:
    """The last date of the registry lies 59 days back, and nothing says when it was exported."""
    estate.serve(D2, 50, occurred_at=days(20))
    result = estate.judge(tmp_path)
    assert (result.verdict, result.rivals[0].outcome) == ("supported", "not_excluded")
    assert "nothing after 2026-01-01 12:00 UTC" in result.rivals[0].why
    estate.serve(D2, 1, occurred_at=days(59.5))  # before the live days, and before that date
    result = estate.judge(tmp_path)
    assert (result.verdict, result.rivals[0].outcome) == ("confirmed", "excluded")
    estate.serve(f"sha256:{'3' * 64}", 1)
    assert estate.judge(tmp_path).verdict == "confirmed", "of two, one is older than the registry"


def test_an_alias_tells_since_when_a_digest_was_in_use(estate: Estate, tmp_path: Path) -> None:
    estate.serve(None, 50, endpoint="other")
    estate.add(alias_events, alias="other", checkpoint=D2, valid_from=days(200))
    result = estate.judge(tmp_path)
    assert (result.verdict, result.rivals[0].outcome) == ("confirmed", "excluded")


def test_a_registry_without_dates_reaches_nowhere(estate: Estate, tmp_path: Path) -> None:
    dates = ("requested_at", "approved_at", "card_updated_at", "created_at")
    estate.change(model_versions, **dict.fromkeys(dates))
    estate.serve(D2, 50)
    result = estate.judge(tmp_path)
    assert result.rivals[0].outcome == "not_excluded"
    assert "no version has a date" in result.rivals[0].why


def test_a_registry_without_digests_leaves_it_open(estate: Estate, tmp_path: Path) -> None:
    estate.serve(D2, 50)
    estate.version("router", "4", "s3://models/router/4")
    result = estate.judge(tmp_path, registry_lag_days=0)
    assert result.verdict == "supported"
    assert result.rivals[0].outcome == "not_excluded"


def test_digests_match_whatever_their_spelling(estate: Estate, tmp_path: Path) -> None:
    estate.change(model_versions, checkpoint=D1.removeprefix("sha256:").upper())
    assert value(estate.judge(tmp_path), "governed_traffic_share") == 1


def test_the_best_of_several_records_counts(estate: Estate, tmp_path: Path) -> None:
    estate.version("router-copy", "1", D1, owner=None, eval_checkpoint=D2)
    assert estate.judge(tmp_path).verdict == "clean"


def test_what_served_is_known_by_alias_too(estate: Estate, tmp_path: Path) -> None:
    estate.without(requests)
    estate.serve(None, 40)
    estate.serve(None, 10, endpoint="elsewhere")
    estate.add(alias_events, alias="live", checkpoint=D1, valid_from=days(200))
    result = estate.judge(tmp_path)
    assert value(result, "governed_traffic_share") == 1
    assert value(result, "unattributed_traffic_share") == pytest.approx(0.2)
    assert value(result, "governed_traffic_least") == pytest.approx(0.8)
    assert result.verdict == "inconclusive"


def test_an_incomplete_log_gives_an_interval_over_endpoints(estate: Estate, tmp_path: Path) -> None:
    assert estate.judge(tmp_path).measures["governed_traffic_share"].ci95 is None
    for i, (digest, count) in enumerate([(D1, 30), (D2, 20), (D1, 25), (None, 10)]):
        estate.serve(digest, count, endpoint=f"e{i}")
    measured = estate.judge(tmp_path).measures["governed_traffic_share"]
    assert measured.value == pytest.approx(155 / 175)
    assert measured.ci95 is not None
    assert measured.ci95[0] < measured.value < measured.ci95[1]


def test_the_interval_ends_at_the_bounds(estate: Estate, tmp_path: Path) -> None:
    """What is known of each digest is a count: no interval goes past what it leaves open."""
    estate.version("router", "4", D2, owner="unheard-of")
    estate.serve(D2, 30, endpoint="batch")
    estate.serve(D1, 10, endpoint="third")
    measures = estate.judge(tmp_path).measures
    least, most = measures["governed_traffic_least"], measures["governed_traffic_most"]
    assert measures["governed_traffic_share"].ci95 == (least.value, most.value)
    assert least.value == pytest.approx(110 / 140)
    estate.serve(None, 20, endpoint="third")
    measures = estate.judge(tmp_path).measures
    low, high = measures["governed_traffic_share"].ci95 or (0.0, 0.0)
    assert measures["governed_traffic_least"].value <= low
    assert high <= measures["governed_traffic_most"].value


def test_owners_that_are_not_on_the_list_may_all_be_there(estate: Estate, tmp_path: Path) -> None:
    estate.change(model_versions, owner="Ana.Berg@Desk.example")
    estate.serve(D1, 50, endpoint="batch")
    result = estate.judge(tmp_path)
    assert result.verdict == "inconclusive"
    assert result.measures["governed_traffic_share"].ci95 == (0.0, 1.0)
    assert any("Ana.Berg@Desk.example" in limit for limit in result.limits)


@pytest.mark.parametrize(("exists", "gone"), [(True, 0), (False, 1), (None, None)])
def test_what_a_version_would_be_rolled_back_to(
    estate: Estate, tmp_path: Path, exists: bool | None, gone: int | None
) -> None:
    estate.version("router", "2", D2, created_at=days(90))
    estate.add(checkpoints, checkpoint=D2, uri="s3://m/2", exists=exists)
    assert value(estate.judge(tmp_path), "rollbacks_gone") == gone


def test_an_approval_by_who_asked_is_told(estate: Estate, tmp_path: Path) -> None:
    estate.change(model_versions, requested_by="bo")
    result = estate.judge(tmp_path)
    assert value(result, "approvals_by_requester") == 1
    assert any("whoever had asked" in finding.statement for finding in result.findings)


def test_nothing_attributed_is_not_testable(estate: Estate, tmp_path: Path) -> None:
    estate.without(requests)
    estate.serve(None, 5)
    result = estate.judge(tmp_path)
    assert result.verdict == "not_testable"
    assert "alias_events" in {missing.table for missing in result.missing}


@pytest.mark.parametrize(
    ("table", "verdict"),
    [(people, "inconclusive"), (benchmarks, "inconclusive"), (engagements, "clean")],
)
def test_what_is_not_loaded_is_not_known(
    estate: Estate, tmp_path: Path, table: Table, verdict: str
) -> None:
    estate.without(table)
    result = estate.judge(tmp_path)
    assert result.verdict == verdict
    assert any(f"No `{table.name}` is loaded" in limit for limit in result.limits)
    unknown = {"people": "absent_owners", "benchmarks": "deprecated_benchmarks",
               "engagements": "approvals_without_engagement"}  # fmt: skip
    assert {name for name in unknown.values() if value(result, name) is None} == {
        unknown[table.name]
    }, "not known is not none"


def test_without_a_log_of_engagement_a_quick_approval_is_open(
    estate: Estate, tmp_path: Path
) -> None:
    estate.without(engagements)
    estate.change(model_versions, approved_at=days(60) + timedelta(seconds=9))
    result = estate.judge(tmp_path)
    assert (result.verdict, result.severity) == ("inconclusive", "S4")
    assert value(result, "approvals_below_reading_time") == 1
    assert value(result, "approvals_without_engagement") is None


def test_without_a_length_a_quick_approval_is_not_known(estate: Estate, tmp_path: Path) -> None:
    estate.without(engagements)
    for ago in (400, 2):
        estate.add(engagements, person="zed", object="x", kind="view", occurred_at=days(ago))
    quick = days(60) + timedelta(seconds=9)
    estate.change(model_versions, approved_at=quick, review_words=None)
    result = estate.judge(tmp_path)
    assert (result.verdict, result.severity) == ("inconclusive", "S4")
    assert value(result, "approvals_without_engagement") == 1
    for name in ("approvals_below_reading_time", "approvals_without_evidence_of_review"):
        assert value(result, name) is None
    said = " ".join([result.headline, *(f.statement for f in result.findings)])
    assert "not recorded of" not in said
    assert "Of 1 approval by people: whether reading takes longer is not known of any" in said
    assert "9 s after the request; how long reading takes is not recorded. Nothing is" in said
    assert any("For 1 approval by people" in limit for limit in result.limits)
    estate.version("router", "2", D2, review_words=1190)  # and nothing looked at before it either
    result = estate.judge(tmp_path)
    unseen = result.measures["approvals_without_evidence_of_review"]
    assert (unseen.value, unseen.n) == (0, 1), "counted out of those of which it is known"


def test_no_approval_on_record_is_told_and_not_ruled_out(estate: Estate, tmp_path: Path) -> None:
    estate.change(model_versions, approved_by=None, approved_at=None)
    result = estate.judge(tmp_path)
    assert result.verdict == "clean"
    assert any("no approval was looked at" in limit for limit in result.limits)
    assert not any("approv" in rival.explanation for rival in result.rivals)


@pytest.mark.parametrize(
    ("until", "zone", "said"),
    [
        ("2025-09-14T22:00:00+00:00", "Europe/Berlin", "left on 2025-09-15"),
        ("2025-09-15T00:00:00+00:00", "Europe/Berlin", "left on 2025-09-15"),
        ("2025-09-14T22:00:00+00:00", "Asia/Tokyo", "left at 2025-09-14 22:00 UTC"),
        ("2025-09-14T22:00:00+00:00", None, "left at 2025-09-14 22:00 UTC"),
    ],
)
def test_a_day_of_the_staff_list_is_said_as_that_day(
    estate: Estate, tmp_path: Path, until: str, zone: str | None, said: str
) -> None:
    estate.change(model_versions, owner="gone")
    gone = datetime.fromisoformat(until)
    estate.add(people, person="gone", active_from=days(900), active_until=gone, timezone=zone)
    assert said in estate.judge(tmp_path).headline


def test_a_benchmark_retired_at_an_instant_has_its_zone(estate: Estate, tmp_path: Path) -> None:
    at = datetime(2025, 12, 1, 23, tzinfo=UTC)
    estate.change(benchmarks, deprecated_at=at, superseded_by="Other")
    assert "retired at 2025-12-01 23:00 UTC" in estate.judge(tmp_path).headline
    estate.change(benchmarks, deprecated_at=at + timedelta(hours=1))
    assert "retired on 2025-12-02" in estate.judge(tmp_path).headline


def test_a_record_without_owner_is_not_one_whose_owner_left(estate: Estate, tmp_path: Path) -> None:
    estate.version("router", "2", D2)
    estate.change(model_versions, owner=None)
    assert "it names no owner" in estate.judge(tmp_path).headline


@pytest.mark.parametrize(
    ("name", "successor", "verdict"),
    [
        ("Desk Eval", "Newer", "confirmed"),  # the card says DeskEval
        ("DeskEval", "Desk-Eval", "clean"),
        ("DeskEval", "DeskEval+", "confirmed"),  # a successor by name, not another spelling
    ],
)
def test_a_benchmark_is_known_in_other_spelling(
    estate: Estate, tmp_path: Path, name: str, successor: str, verdict: str
) -> None:
    estate.without(benchmarks)
    estate.add(benchmarks, benchmark=name, deprecated_at=days(80), superseded_by=successor)
    estate.add(benchmarks, benchmark="Others")
    estate.add(eval_runs, run_id="e", suite="x", started_at=days(70), checkpoint="other")
    assert estate.judge(tmp_path).verdict == verdict


@pytest.mark.parametrize(("retired", "verdict"), [(None, "inconclusive"), (80, "clean")])
def test_a_benchmark_that_the_list_does_not_name(
    estate: Estate, tmp_path: Path, retired: int | None, verdict: str
) -> None:
    """Of a list of all it is not known; a list of retired ones alone would name it."""
    estate.without(benchmarks)
    estate.add(benchmarks, benchmark="評測", deprecated_at=retired and days(retired))
    result = estate.judge(tmp_path)
    assert result.verdict == verdict
    assert any("Not on the list of benchmarks: DeskEval" in limit for limit in result.limits) == (
        verdict != "clean"
    )


def test_names_in_another_script_are_not_one_name(estate: Estate, tmp_path: Path) -> None:
    estate.change(model_versions, benchmark="評測集")
    estate.change(benchmarks, benchmark="評測集", deprecated_at=days(80), superseded_by="新集")
    estate.add(eval_runs, run_id="e", suite="x", started_at=days(70), checkpoint="other")
    assert estate.judge(tmp_path).verdict == "confirmed"


def test_what_was_not_looked_at_is_not_ruled_out(estate: Estate, tmp_path: Path) -> None:
    estate.serve(D2, 50)
    rivals = {r.explanation: r for r in estate.judge(tmp_path).rivals}
    assert rivals["The digest differs by precision alone"].outcome == "not_testable"
    assert rivals["Test traffic is counted as live"].outcome == "not_testable"
    estate.without(requests)
    estate.serve(D1, 10, environment="production")
    rivals = {r.explanation: r for r in estate.judge(tmp_path).rivals}
    assert rivals["The digest differs by precision alone"].outcome == "excluded"
    assert rivals["Test traffic is counted as live"].outcome == "excluded"


def test_accounts_that_no_request_names_are_not_none(estate: Estate, tmp_path: Path) -> None:
    estate.without(requests)
    estate.serve(D2, 50, account_id=None)
    result = estate.judge(tmp_path)
    assert value(result, "affected_accounts") is None
    assert not any("accounts" in finding.statement for finding in result.findings)


def test_no_live_request_is_not_testable(estate: Estate, tmp_path: Path) -> None:
    estate.without(requests)
    estate.serve(D1, 5, environment="staging")
    result = estate.judge(tmp_path)
    assert result.verdict == "not_testable"
    assert "requests" in {missing.table for missing in result.missing}


@pytest.mark.parametrize("kind", ["approve", "view"])
def test_the_approval_itself_is_no_engagement(estate: Estate, tmp_path: Path, kind: str) -> None:
    estate.without(engagements)
    quick = days(60) + timedelta(seconds=9)
    estate.change(model_versions, approved_at=quick)
    estate.add(engagements, person="zed", object="x", kind="view", occurred_at=days(400))
    estate.add(engagements, person="bo", object=D1, kind=kind, occurred_at=quick)
    result = estate.judge(tmp_path)
    assert result.verdict == ("supported" if kind == "approve" else "clean")
    assert result.severity == ("S3" if kind == "approve" else None)


def test_engagement_long_before_does_not_count(estate: Estate, tmp_path: Path) -> None:
    estate.add(engagements, person="zed", object="x", kind="view", occurred_at=days(2))
    result = estate.judge(tmp_path, engagement_days=0.5)
    assert value(result, "approvals_without_engagement") == 1
    assert value(estate.judge(tmp_path), "approvals_without_engagement") == 0


def test_an_approval_dated_before_its_request_has_no_delay(estate: Estate, tmp_path: Path) -> None:
    estate.change(model_versions, approved_at=days(60.5))
    result = estate.judge(tmp_path)
    assert value(result, "approvals_below_reading_time") is None


def test_retries_and_old_traffic_are_not_counted(estate: Estate, tmp_path: Path) -> None:
    estate.serve(D2, 30, occurred_at=days(50))
    first = next(row for row in estate.rows if row.table is requests)
    again = {**first.values, "occurred_at": first.values["occurred_at"] + timedelta(seconds=5)}
    estate.add(requests, **again)
    result = estate.judge(tmp_path)
    assert result.measures["governed_traffic_least"].n == 100
    assert result.verdict == "clean"
    assert estate.judge(tmp_path, live_days=90).verdict != "clean"


def test_a_fine_tune_of_a_registered_base_is_no_quantised_form(
    estate: Estate, tmp_path: Path
) -> None:
    estate.serve(D2, 50)
    estate.add(checkpoints, checkpoint=D2, uri="s3://models/tuned", base_checkpoint=D1)
    tuned = estate.judge(tmp_path, registry_lag_days=0)
    assert value(tuned, "unregistered_traffic_share") > 0
    estate.change(checkpoints, uri="s3://models/router-int8")
    quantised = estate.judge(tmp_path)
    assert value(quantised, "unregistered_traffic_share") == 0
    assert value(quantised, "quantised_traffic_share") == pytest.approx(1 / 3)
    assert quantised.verdict == "inconclusive"


def test_hostile_text_is_told_and_not_run(estate: Estate, tmp_path: Path) -> None:
    bad = "x'); DROP TABLE requests; --<script>\u202e"
    estate.change(model_versions, model=bad, owner=bad, approved_by=bad)
    estate.add(people, person=bad, active_from=days(900), timezone="../../etc/passwd")
    result = estate.judge(tmp_path)
    assert result.verdict in ("clean", "inconclusive", "supported")
    assert value(result, "approvals")[0]["local_time"] is None


@pytest.mark.parametrize("given", ["yesterday", "31.12.2026", ""])
def test_an_instant_that_is_none_is_refused(estate: Estate, tmp_path: Path, given: str) -> None:
    with pytest.raises(UsageError, match="BAD_VALUE"):
        estate.judge(tmp_path, as_of=given)


def test_an_approver_who_is_always_quick_has_an_unremarkable_rank() -> None:
    """So the absolute floor is shown too."""
    row = {
        "approved_by": "bo", "approved_at": NOW, "review_words": 1190, "timezone": None,
        "automated": False, "engagements": None, "engagement_covered": True, "delay_s": 9.0,
        "requests": 1,
    }  # fmt: skip
    same = judge_approvals([row] * 41, 238.0)
    assert {a.rank_p for a in same} == {1.0}
    assert all(a.is_below and a.reading_s == 300.0 for a in same)
    alone = judge_approvals([row, *[row | {"delay_s": 600.0 + i} for i in range(40)]], 238.0)
    assert alone[0].rank_p == pytest.approx(1 / 41)


def test_a_score_that_no_count_of_items_gives_is_told(estate: Estate, tmp_path: Path) -> None:
    estate.change(model_versions, metric="accuracy", metric_value=0.94, eval_run_id="e")
    estate.add(eval_runs, run_id="e", suite="x", started_at=days(70), ended_at=days(70),
               checkpoint=D1, n_items=37)  # fmt: skip
    assert value(estate.judge(tmp_path), "impossible_scores") == 1
    estate.change(eval_runs, n_items=50)
    assert value(estate.judge(tmp_path), "impossible_scores") == 0


def test_a_run_that_is_not_loaded_is_not_known(estate: Estate, tmp_path: Path) -> None:
    """The registry tells of no evals, and one eval log of another digest was handed over."""
    estate.change(model_versions, eval_checkpoint=None)
    estate.add(eval_runs, run_id="e", suite="x", started_at=days(70), ended_at=days(70),
               checkpoint=D2)  # fmt: skip
    result = estate.judge(tmp_path)
    assert result.verdict == "inconclusive"
    assert value(result, "never_evaluated") is None
    assert any("No eval run of router 3 is loaded" in limit for limit in result.limits)
    estate.version("router", "2", D2, eval_checkpoint=D2)
    assert estate.judge(tmp_path).verdict == "confirmed", "the registry tells of the others"


@pytest.mark.parametrize(("suite", "verdict"), [("B3", "clean"), ("B2", "confirmed")])
def test_a_digest_is_measured_anew_on_a_benchmark_in_force(
    estate: Estate, tmp_path: Path, suite: str, verdict: str
) -> None:
    """The successor of its benchmark has been retired too, and has a successor."""
    estate.change(benchmarks, deprecated_at=days(30), superseded_by="B2")
    estate.add(benchmarks, benchmark="B2", deprecated_at=days(10), superseded_by="B3")
    estate.add(benchmarks, benchmark="B3")
    estate.add(eval_runs, run_id="x", suite=suite, checkpoint=D1, started_at=days(20),
               ended_at=days(20))  # fmt: skip
    assert estate.judge(tmp_path).verdict == verdict


def test_benchmarks_that_supersede_each_other_end(estate: Estate, tmp_path: Path) -> None:
    estate.change(benchmarks, deprecated_at=days(30), superseded_by="B2")
    estate.add(benchmarks, benchmark="B2", deprecated_at=days(10), superseded_by="DeskEval")
    assert estate.judge(tmp_path).headline.count("its benchmark was retired") == 1


def test_the_last_check_tells_whether_a_rollback_is_there(estate: Estate, tmp_path: Path) -> None:
    estate.version("router", "2", D2, created_at=days(100))
    estate.add(checkpoints, checkpoint=D2, uri="s", exists=True, verified_at=days(90))
    estate.add(checkpoints, checkpoint=D2, uri="s", exists=False, verified_at=days(3))
    assert value(estate.judge(tmp_path), "rollbacks_gone") == 1


QUICK = days(60) + timedelta(seconds=9)


def unseen(estate: Estate, *ago: float, **more: Any) -> None:
    """Nine seconds for an approval, nothing of it in a log with other events so many days ago."""
    estate.without(engagements)
    for event in ago:
        estate.add(engagements, person="zed", object="x", kind="view", occurred_at=days(event))
    estate.change(model_versions, approved_at=QUICK, **more)


def told(result: Result) -> str:
    return " ".join([result.headline, *(finding.statement for finding in result.findings)])


@pytest.mark.parametrize(
    ("ago", "verdict"),
    [((400, 2), "supported"), ((400, 300), "inconclusive"), ((2,), "inconclusive")],
)
def test_a_log_that_ended_before_tells_nothing(
    estate: Estate, tmp_path: Path, ago: tuple[float, ...], verdict: str
) -> None:
    unseen(estate, *ago)
    result = estate.judge(tmp_path)
    assert result.verdict == verdict
    assert ("No evidence of review" in told(result)) == (verdict == "supported")


def test_a_record_of_which_it_is_not_known_is_not_said_to_live(
    estate: Estate, tmp_path: Path
) -> None:
    unseen(estate, 400, 2)
    assert estate.judge(tmp_path).headline.startswith("Every record is alive, but 1 approval")
    estate.without(people)
    assert estate.judge(tmp_path).headline.startswith("No control is known to fail, but 1 approval")


@pytest.mark.parametrize(("other", "verdict"), [(1, "supported"), (20, "confirmed")])
def test_what_was_not_looked_for_is_not_confirmed(
    estate: Estate, tmp_path: Path, other: int, verdict: str
) -> None:
    """The owner has left, and no log might tell of a trace; of another digest all is known."""
    estate.without(engagements)
    estate.change(people, active_until=days(100))
    estate.serve(D2, other)
    assert estate.judge(tmp_path, registry_lag_days=0.0).verdict == verdict


def test_one_person_in_two_spellings_is_one(estate: Estate, tmp_path: Path) -> None:
    estate.change(people, active_until=days(100))
    estate.change(model_versions, requested_by="Bo")
    estate.serve(D2, 9)
    estate.version("other", "1", D2, owner="Ana", approved_by="BO")
    result = estate.judge(tmp_path)
    assert value(result, "absent_owners") == 1
    assert value(result, "approvals_by_requester") == 1
    assert value(result, "top_approver_share") == 1


def test_ranks_are_among_approvals_whose_delay_is_known(estate: Estate, tmp_path: Path) -> None:
    unseen(estate, 400, 2)
    for number in range(5):
        estate.version("old", str(number), None, requested_at=None)
    estate.version("old", "t", None)
    said = told(estate.judge(tmp_path))
    assert "the approver of which it is known, so short a delay has p = 0.50" in said


@pytest.mark.parametrize(
    ("approver", "automated"),
    [("bill.gates@desk.example", 0), ("gates", 1), *also(("Bill Gates", 0), ("promotion-gate", 1))],
)
def test_a_surname_is_no_service_account(
    estate: Estate, tmp_path: Path, approver: str, automated: int
) -> None:
    estate.change(model_versions, approved_by=approver)
    assert value(estate.judge(tmp_path), "approvals_automated") == automated


def test_requests_set_aside_are_of_the_live_days(estate: Estate, tmp_path: Path) -> None:
    for row in estate.rows:
        if row.table is requests:
            row.values["environment"] = "production"
    estate.serve(D1, 5, occurred_at=days(200))
    estate.serve(D1, 3, occurred_at=days(200), environment="staging")
    estate.serve(D1, 2, environment="staging")
    (rival,) = (r for r in estate.judge(tmp_path).rivals if r.explanation.startswith("Test"))
    assert (rival.outcome, rival.why) == ("excluded", "2 requests outside production set aside")


def test_revenue_is_of_the_accounts_of_which_it_is_known(estate: Estate, tmp_path: Path) -> None:
    estate.change(people, active_until=days(100))
    estate.add(accounts, account_id="a1", revenue=100.0)
    result = estate.judge(tmp_path)
    assert "of 7 accounts" in told(result)
    assert "The revenue of 1 of them is 100 a year." in told(result)
    assert (value(result, "affected_accounts"), result.measures["affected_revenue"].n) == (7, 1)


@pytest.mark.parametrize(
    ("uri", "form"),
    [
        ("s3://models/router-int8.safetensors", True),
        ("models/router.Q4_K_M.gguf", True),
        ("s3://models/checkpoint8/router", False),
        ("s3://models/2026-q3/router", False),
        *also(
            ("models/router-8bit", True),
            ("models/quantized/router", True),
            ("s3://models/quantitative-desk/router", False),
        ),
    ],
)
def test_a_quantised_form_is_told_by_its_name(
    estate: Estate, tmp_path: Path, uri: str, form: bool
) -> None:
    estate.serve(D2, 50)
    estate.add(checkpoints, checkpoint=D2, uri=uri, base_checkpoint=D1)
    assert (value(estate.judge(tmp_path), "quantised_traffic_share") > 0) == form
