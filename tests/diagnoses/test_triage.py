"""Results side by side: levels kept together, an order, shared causes, changes around a break."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cases import empty_case

from casework import CaseworkError, diagnoses
from casework.case import Case, CaseWriter, Receipt, Row
from casework.diagnoses import by_gravity, triage
from casework.diagnoses._triage import adjust
from casework.findings import Break, Cause, Primary, Result, Severity, Verdict
from casework.report import as_html
from casework.report.causes import recorded
from casework.report.collect import collect
from casework.tables import alias_events, clocks, config_events, deployments, eval_runs

START = datetime(2026, 2, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def result(
    name: str,
    verdict: Verdict = "confirmed",
    severity: Severity | None = "S2",
    p: float | None = None,
    *breaks: tuple[float, float],
) -> Result:
    return Result(
        diagnosis=name,
        family="family",
        verdict=verdict,
        severity=severity,
        headline=f"{name} says so.",
        primary=None if p is None else Primary(p, 0.05),
        breaks=tuple(Break(at(a), at(b), f"{name} moved") for a, b in breaks),
    )


def filled(path: Path, *rows: Row) -> Case:
    path.write_bytes(empty_case())
    with CaseWriter(path) as writer:
        writer.load(Receipt("rows", "ab" * 32, 1, "rows", "test"), rows)
    return Case(path)


def config(number: int, hours: float, key: str, value: str = "new") -> Row:
    values = {"occurred_at": at(hours), "key": key, "new_value": value, "old_value": "old"}
    return Row(config_events, f"line {number}", values)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with filled(
        tmp_path / "case.duckdb",
        config(1, 10, "embedding_model"),
        config(2, 10.5, "price_list"),
        config(3, 300, "prompt:answer"),
        Row(clocks, "line 4", {"host": "a", "error_s": 60.0}),
    ) as opened:
        yield opened


def test_one_test_alone_keeps_its_level() -> None:
    (alone,) = adjust([result("a", p=0.04)])
    assert alone.verdict == "confirmed"
    assert alone.primary == Primary(0.04, 0.05, adjusted_p=0.04, tests=1)


def test_among_several_a_weak_one_is_no_longer_confirmed() -> None:
    weak, strong, census = adjust(
        [result("a", p=0.04, severity="S1"), result("b", p=0.001), result("c")]
    )
    assert (strong.verdict, strong.severity) == ("confirmed", "S2")
    assert (census.verdict, census.primary) == ("confirmed", None)
    assert weak.primary
    assert weak.primary.adjusted_p == 0.04  # the larger of two is compared with the level itself
    first, second = adjust([result("a", p=0.03, severity="S1"), result("b", p=0.04)])
    assert (first.verdict, first.severity) == ("supported", "S2")
    assert "p = 0.060" in first.limits[-1]
    assert (second.verdict, second.severity) == ("supported", "S3")


@given(st.lists(st.tuples(st.sampled_from(["confirmed", "supported", "clean"]), st.floats(0, 1))))
def test_adjusting_never_raises_a_verdict(found: list[tuple[Verdict, float]]) -> None:
    results = [result(str(i), verdict, p=p) for i, (verdict, p) in enumerate(found)]
    for before, after in zip(results, adjust(results), strict=True):
        assert by_gravity([after, before])[0].verdict == before.verdict
        assert before.primary
        assert after.primary
        assert after.primary.adjusted_p is not None
        assert after.primary.adjusted_p >= before.primary.p


def test_the_gravest_comes_first() -> None:
    found = [
        result("d", "not_testable", None),
        result("c", "clean", None),
        result("b", "confirmed", "S2"),
        result("a", "confirmed", "S1"),
        result("e", "supported", "S2"),
    ]
    assert [r.diagnosis for r in by_gravity(found)] == ["a", "b", "e", "c", "d"]


def test_breaks_that_overlap_are_one_cause(case: Case) -> None:
    told = triage(
        case,
        [
            result("drift", "confirmed", "S2", None, (9.9, 10.1), (299, 301)),
            result("rotation", "supported", "S3", None, (0, 24)),
            result("quiet", "clean", None, None, (9, 11)),
            result("untested", "not_testable", None),
        ],
    )
    assert told.ranking == ("drift", "rotation", "quiet")
    first, second = told.causes
    assert first.diagnoses == ("drift", "rotation")
    assert first.breaks == ("drift moved", "rotation moved")
    # in what both have in common, a minute of clock error on either side
    assert (first.start, first.end) == (at(9.9) - timedelta(minutes=1), at(10.1 + 1 / 60))
    assert [change.key for change in first.within] == ["embedding_model"]
    assert [change.key for change in first.around] == ["price_list"]
    assert second.diagnoses == ("drift",)
    assert [change.key for change in second.within] == ["prompt:answer"]


def test_a_wide_bracket_joins_no_two_causes_that_are_apart(case: Case) -> None:
    told = triage(
        case,
        [
            result("a", "confirmed", "S2", None, (10, 11)),
            result("b", "confirmed", "S2", None, (300, 301)),
            result("wide", "confirmed", "S2", None, (0, 400)),
        ],
    )
    assert [cause.diagnoses for cause in told.causes] == [("a", "wide"), ("b", "wide")]


def test_changes_are_moves_and_not_reassertions(tmp_path: Path) -> None:
    def alias(number: int, hours: float, digest: str) -> Row:
        values = {"alias": "v1", "checkpoint": digest, "valid_from": at(hours)}
        return Row(alias_events, f"alias {number}", values)

    def runs(number: int, hours: float, replica: str, digest: str) -> Row:
        values = {"replica": replica, "checkpoint": digest, "valid_from": at(hours)}
        return Row(deployments, f"replica {number}", values)

    rows = [alias(1, 0, "a"), alias(2, 5, "a"), alias(3, 10, "b")]
    rows += [runs(i, 0, f"r{i}", "a") for i in range(4)]
    rows += [runs(9 + i, 10 + i, f"r{i}", "b") for i in range(4)]
    with filled(tmp_path / "case.duckdb", *rows) as case:
        changes = triage(case, []).changes
    assert [(c.table, c.key, c.before, c.after, c.occurred_at) for c in changes] == [
        ("alias_events", "v1", "a", "b", at(10)),
        ("deployments", "replicas", "a", "b", at(10)),
    ]


def test_a_value_that_stays_is_no_change_and_regions_at_once_are_one(tmp_path: Path) -> None:
    def alias(number: int, hours: float, region: str, digest: str) -> Row:
        values = {"alias": "v1", "checkpoint": digest, "valid_from": at(hours), "region": region}
        return Row(alias_events, f"alias {number}", values)

    rows = [config(1, 3, "price_list", "old")]
    rows += [alias(i, 0, f"r{i}", "a") for i in range(2)]
    rows += [alias(9 + i, 10, f"r{i}", "b") for i in range(2)]
    rows += [Row(deployments, f"pod in r{i}", {"replica": "pod-0", "checkpoint": "ab"[i],
                                               "region": f"r{i}", "valid_from": at(i)})
             for i in range(2)]  # fmt: skip
    with filled(tmp_path / "case.duckdb", *rows) as case:
        changes = triage(case, []).changes
    assert [(c.key, c.before, c.after) for c in changes] == [("v1", "a", "b")]


def test_a_log_without_old_values_tells_changes_by_the_value_before(tmp_path: Path) -> None:
    """Its first event may be a change: it counts, and confirms nothing."""
    values = ["b7"] * 5 + ["b8", "b8"]
    rows = [
        Row(config_events, f"line {n}",
            {"occurred_at": at(n), "key": "index_build", "new_value": value})
        for n, value in enumerate(values)
    ]  # fmt: skip
    brackets = [(-1.0, 0.5), (0.6, 4.4), (4.5, 9.0)]
    with filled(tmp_path / "case.duckdb", *rows) as case:
        told = triage(case, [result("a", "confirmed", "S2", None, *brackets)])
    assert [(c.before, c.after) for c in told.changes] == [(None, "b7"), ("b7", "b8")]
    assert [cause.attribution for cause in told.causes] == ["supported", None, "confirmed"]
    assert "what was there before is not recorded" in recorded(told.causes[0])


def test_one_change_of_two_sources_is_no_two_changes(tmp_path: Path) -> None:
    rows = [config(1, 10, "prompt:a", "v2"), config(2, 9.9, "prompt:a", "v2")]
    del rows[1].values["old_value"]
    with filled(tmp_path / "case.duckdb", *rows) as opened:
        (cause,) = triage(opened, [result("a", "confirmed", "S2", None, (9, 12))]).causes
    assert (len(cause.within), cause.together) == (2, (("prompt:a", "old", "v2"),))
    assert cause.attribution == "confirmed"


def test_a_registry_of_the_present_tells_of_no_move(tmp_path: Path) -> None:
    """Two models with one alias each made none, nor does the present stand within a history."""

    def alias(name: str, hours: float, digest: str, uri: str = "", source: str = "log") -> Row:
        more = {"attributes": {"uri": uri}} if uri else {}
        values = {"alias": name, "checkpoint": digest, "valid_from": at(hours), "source": source}
        return Row(alias_events, f"{name} {hours} {uri}", values | more)

    now = "mlflow registry (current only)"
    rows = [alias("champion", n, "xy"[n], f"models:/{n}@champion", now) for n in range(2)]
    rows += [alias("prod", 0, "h"), alias("prod", 5, "b", "", now), alias("prod", 10, "b")]
    rows += [alias("live", 20 + n, "acbd"[n], f"models:/{n % 2}@live") for n in range(4)]
    rows += [alias("only", 30 + n, "ab"[n], "models:/1@only") for n in range(2)]
    with filled(tmp_path / "case.duckdb", *rows) as case:
        changes = triage(case, []).changes
    assert [(c.key, c.before, c.after, c.occurred_at) for c in changes] == [
        ("prod", "h", "b", at(10)), ("models:/0@live", "a", "b", at(22)),
        ("models:/1@live", "c", "d", at(23)), ("only", "a", "b", at(31)),
    ]  # fmt: skip


def test_an_instant_at_the_end_of_the_calendar_has_its_place(tmp_path: Path) -> None:
    """Sources write the year 9999 for no end; a clock's error may be in nanoseconds by mistake."""
    far = (datetime(9999, 1, 1, tzinfo=UTC) - START) / timedelta(hours=1)
    rows = [config(1, 10, "price_list"), Row(clocks, "line 2", {"host": "a", "error_s": 1e20})]
    with filled(tmp_path / "case.duckdb", *rows) as case:
        (cause,) = triage(case, [result("a", "confirmed", "S2", None, (9, far))]).causes
    assert [change.key for change in cause.within] == ["price_list"]
    assert (cause.start, cause.end.year) == (at(9) - timedelta(days=36_525), 9999)


def test_what_is_said_of_changes_on_record(case: Case) -> None:
    both = triage(case, [result("a", "confirmed", "S2", None, (9, 11))]).causes[0]
    assert "time alone does not tell which" in recorded(both)
    near = triage(case, [result("a", "confirmed", "S2", None, (10.2, 10.3))]).causes[0]
    assert recorded(near).startswith("none within; close by: 2026-02-01 10:00 UTC embedding_model")
    none = triage(case, [result("a", "confirmed", "S2", None, (50, 51))]).causes[0]
    assert recorded(none) == "none"
    assert isinstance(none, Cause)


def test_changes_together_cap_what_can_be_said_of_any_of_them(case: Case) -> None:
    def attribution(verdict: Verdict, first: float, last: float) -> tuple[Verdict | None, str]:
        (cause,) = triage(case, [result("a", verdict, "S2", None, (first, last))]).causes
        return cause.attribution, recorded(cause)

    assert attribution("confirmed", 9.9, 10.1)[0] == "confirmed"
    assert attribution("supported", 9.9, 10.1)[0] == "supported"
    capped, told = attribution("confirmed", 9, 11)
    assert capped == "supported"
    assert "that one of them did it is supported at most" in told
    assert attribution("confirmed", 50, 51) == (None, "none")


def test_a_value_that_changed_twice_there_was_changed_twice(tmp_path: Path) -> None:
    rows = [config(1, 10, "prompt:a", "v2"), config(2, 11, "prompt:a", "v3")]
    with filled(tmp_path / "case.duckdb", *rows) as opened:
        (cause,) = triage(opened, [result("a", "confirmed", "S2", None, (9, 12))]).causes
    assert len(cause.together) == 2
    assert cause.attribution == "supported"


def test_another_harness_is_a_change_of_the_suite(tmp_path: Path) -> None:
    def run(number: int, hours: float, suite: str, version: str | None) -> Row:
        values = {"run_id": f"r{number}", "suite": suite, "started_at": at(hours),
                  "harness": version and "inspect_ai", "harness_version": version}  # fmt: skip
        return Row(eval_runs, f"run {number}", values)

    versions = [("a", "0.1"), ("b", "0.1"), ("a", None), ("a", "0.2"), ("b", "0.1"), ("a", "0.2")]
    rows = [run(i, i, suite, version) for i, (suite, version) in enumerate(versions)]
    rows.append(run(8, 8, "b", "0.1"))
    rows[-1].values["harness"] = "lm_eval"
    for n in range(6):  # two harnesses side by side, one of them brought up to date
        rows.append(run(10 + n, 10 + n, "c", "0.2" if n > 2 else "0.1"))
        rows[-1].values["harness"] = ("inspect_ai", "lm_eval")[n % 2]
    rows[-3].values["harness_version"] = "0.1"
    rows[-1].values["harness_version"] = "0.1"
    with filled(tmp_path / "case.duckdb", *rows) as case:
        changes = triage(case, []).changes
    assert [(c.table, c.key, c.before, c.after, c.occurred_at) for c in changes] == [
        ("eval_runs", "harness of a", "inspect_ai 0.1", "inspect_ai 0.2", at(3)),
        ("eval_runs", "harness of b", "inspect_ai 0.1", "lm_eval 0.1", at(8)),
        ("eval_runs", "harness of c", "inspect_ai 0.1", "inspect_ai 0.2", at(14)),
    ]


def test_the_report_tells_of_shared_causes(tmp_path: Path) -> None:
    path = tmp_path / "case.duckdb"
    filled(path, config(1, 10, "<b>embedding_model</b>")).close()
    with CaseWriter(path) as writer:
        writer.store(
            [
                result("threshold_drift", "confirmed", "S2", None, (9, 11)),
                result("substrate_rotation", "supported", "S3", None, (9.5, 12)),
            ]
        )
    with Case(path) as case:
        page = as_html(collect(case))
    assert "What may have one cause" in page
    assert "Threshold drift, Substrate rotation" in page
    assert "<b>embedding_model" not in page


def test_what_was_concluded_before_a_load_is_not_kept_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "case.duckdb"
    path.write_bytes(empty_case())

    def meanwhile(results: list[Result]) -> list[Result]:
        with CaseWriter(path) as writer:
            row = Row(clocks, "line 1", {"host": "h", "error_s": 1.0})
            writer.load(Receipt("clocks.csv", "ab" * 32, 1, "csv", "table_file"), [row])
        return results

    monkeypatch.setattr(diagnoses, "adjust", meanwhile)
    with pytest.raises(CaseworkError, match="CASE_CHANGED"):
        diagnoses.diagnose(path, ["registry_rot"])
    with Case(path) as case:
        assert case.results() == ()
