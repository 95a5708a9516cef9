from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casework import diagnoses
from casework.case import Case
from casework.case.origins import rejected
from casework.errors import UsageError
from casework.findings import Break, Primary
from casework.intake import load
from casework.report import as_json, read_json
from casework.report.desk import Desk, consult, lay_out, rejected_rows, timed_evidence

NAME = "output_attribution"
CHANGED = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def case_path(tmp_path: Path) -> Path:
    rows = "".join(f"d-{day},2026-03-{day:02}T00:00:00Z,v1,yes\n" for day in range(2, 20))
    (tmp_path / "requests.csv").write_text(f"request_id,occurred_at,endpoint,decision\n{rows}")
    (tmp_path / "alias_events.csv").write_text(
        "alias,checkpoint,valid_from\nv1,a,2026-03-01T00:00:00Z\nv1,b,2026-03-10T00:00:00Z\n"
    )
    (tmp_path / "clocks.csv").write_text("host,error_s\na,60\n")
    path = tmp_path / "case.duckdb"
    Case.create(path, "A case").close()
    load(path, [tmp_path / "requests.csv", tmp_path / "alias_events.csv"])
    return path


def desk(path: Path) -> Desk:
    with Case(path) as case:
        return lay_out(case)


def test_a_case_that_was_not_diagnosed_says_what_can_be(case_path: Path) -> None:
    found = desk(case_path)
    assert set(found.standing) == {diagnosis.name for diagnosis in diagnoses.ALL}
    assert found.standing[NAME] is None
    lacking = found.standing["cohort_skew"]
    assert lacking is not None
    assert lacking.verdict == "not_testable"
    assert found.first == NAME
    assert found.report.results == ()


def test_what_was_kept_stands_first_and_grows_old(case_path: Path) -> None:
    (kept,) = diagnoses.diagnose(case_path, [NAME])
    found = desk(case_path)
    assert found.standing[NAME] == kept
    assert found.first == NAME
    assert found.outdated == ()
    load(case_path, [case_path.parent / "clocks.csv"])
    assert desk(case_path).outdated == (NAME,)


def test_the_report_holds_what_is_seen_in_place_of_what_is_kept(case_path: Path) -> None:
    (kept,) = diagnoses.diagnose(case_path, [NAME])
    seen = consult(case_path, NAME, {"clock_error_s": 90_000.0})
    with Case(case_path) as case:
        report = lay_out(case).report_with(case, seen)
    assert seen != kept
    assert report.results == (seen,)
    assert report.unkept == (NAME,)
    assert as_json(read_json(as_json(report))) == as_json(report)


def test_the_gravest_stands_first_and_what_cannot_run_last(case_path: Path) -> None:
    (kept,) = diagnoses.diagnose(case_path, [NAME])
    found = desk(case_path).standing
    verdicts = [result.verdict if result else "not run" for result in found.values()]
    order = [kept.verdict, "not run", "not_testable"]
    assert verdicts == sorted(verdicts, key=order.index)
    assert "not_testable" in verdicts
    assert next(iter(found)) == NAME


def test_the_report_of_the_desk_has_the_triage_of_what_is_seen(case_path: Path) -> None:
    (kept,) = diagnoses.diagnose(case_path, [NAME])
    with Case(case_path) as case:
        laid = lay_out(case)
        assert laid.report.triage == diagnoses.triage(case, [kept])
        assert [change.after for change in laid.report.triage.changes] == ["b"]
        assert laid.report.triage.causes == ()
        adjusted = replace(kept, primary=Primary(0.01, 0.05, adjusted_p=0.03, tests=3))
        other = replace(laid, report=replace(laid.report, results=(adjusted,)))
        alone = replace(kept, primary=Primary(0.01, 0.05))
        assert other.report_with(case, alone) == other.report
        moved = Break(CHANGED, CHANGED, "the alias moved")
        seen = replace(kept, verdict="supported", breaks=(moved,))
        (cause,) = laid.report_with(case, seen).triage.causes
    assert cause.breaks == ("the alias moved",)
    assert [change.after for change in cause.within] == ["b"]


def test_a_case_is_asked_again_only_when_it_or_the_question_changed(case_path: Path) -> None:
    first = consult(case_path, NAME)
    assert consult(case_path, NAME) is first
    assert consult(case_path, NAME, {"clock_error_s": 5.0}) is not first
    load(case_path, [case_path.parent / "clocks.csv"])
    again = consult(case_path, NAME)
    assert again is not first
    assert again.parameters["clock_error_s"].value == 60.0
    with pytest.raises(UsageError):
        consult(case_path, NAME, {"nothing": 1})


def test_the_dated_evidence_behind_a_picture_over_time(case_path: Path) -> None:
    found = timed_evidence(consult(case_path, NAME))
    names = {evidence.id.partition(".")[2] for evidence in found}
    assert {"spans", "unattributed"} <= names
    assert "by_grade" not in names


def test_rejected_rows_are_a_table_with_words_in_every_cell(case_path: Path) -> None:
    rows = "x,,2026-01-01\n" * 60
    (case_path.parent / "nps.csv").write_text(f"account_id,score,responded_at\n{rows}")
    load(case_path, [case_path.parent / "nps.csv"])
    with Case(case_path) as case:
        (group,) = case.rejects()
        table = rejected_rows("Rows", rejected(case, group), group.count)
    assert table.note == "The first 50 of 60 rows."
    place, meant_for, why, raw = table.rows[0]
    assert (place, meant_for) == ("row 1", "nps")
    assert "score" in why
    assert "account_id" in raw
