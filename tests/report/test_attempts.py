"""What a report tells of diagnoses that were run more than once."""

from dataclasses import replace
from typing import Any

from tests.report import sample

from casework.records import CustodyEntry
from casework.report import as_html, attempts
from casework.report.model import Report


def report(*details: dict[str, Any]) -> Report:
    made = sample.sample()
    entries = (
        CustodyEntry(i, sample.at(i), "a", "diagnose", "casework", detail)
        for i, detail in enumerate(details)
    )
    results = tuple(replace(result, charts=()) for result in made.results)
    return replace(made, results=results, custody=tuple(entries))


def ran(name: str, verdict: str, **given: Any) -> dict[str, Any]:
    return {name: {"verdict": verdict, "given": given}}


def test_settings_that_were_tried_stand_with_what_came_of_them() -> None:
    found = report(
        ran("cohort_skew", "inconclusive"), ran("cohort_skew", "inconclusive"),
        ran("cohort_skew", "supported", metric="tasks", alpha=0.1),
        ran("cohort_skew", "confirmed", metric="<b>tasks", alpha=0.1),
        ran("prompt_leakage", "clean"),
    )  # fmt: skip
    assert attempts.table(found).rows == (
        ("Cohort skew", "none", "2", "Inconclusive", "2026-01-06 00:00 UTC"),
        ("Cohort skew", "alpha = 0.1, metric = tasks", "1", "Supported", "2026-01-07 00:00 UTC"),
        ("Cohort skew", "alpha = 0.1, metric = <b>tasks", "1", "Confirmed", "2026-01-08 00:00 UTC"),
    )
    page = as_html(found)
    assert "knows nothing of the choice among them" in page
    assert "<b>tasks" not in page
    assert "Not kept" not in page


def test_a_result_that_the_case_does_not_keep_is_no_last_run() -> None:
    again = (ran("cohort_skew", "clean"), ran("cohort_skew", "clean", metric="tasks"))
    page = as_html(replace(report(*again), unkept=("cohort_skew",)))
    assert "<dt>Not kept in the case</dt><dd>the result of cohort skew" in page
    assert "the result of the last run, but for cohort skew," in page
    assert "byte for byte, but for cohort skew:" in page


def test_a_diagnosis_run_twice_alike_tried_nothing() -> None:
    again = ran("cohort_skew", "confirmed", seed=2)
    found = report(again, again, {"cohort_skew": "of another release"}, {"path": {"verdict": 1}})
    assert attempts.table(found).rows == ()
