"""The primary tests of a report, alone and over all of them."""

from dataclasses import replace

import numpy as np
from statsmodels.stats.multitest import multipletests
from tests.report import sample

from casework.findings import Primary, Verdict
from casework.report import as_html, primaries
from casework.report.model import Report


def report(*tests: tuple[Verdict, Primary | None]) -> Report:
    made = sample.sample()
    one = replace(made.results[0], charts=())
    names = ["cohort_skew", "prompt_leakage", "registry_rot", "threshold_drift", "alignment_loss"]
    results = tuple(
        replace(one, diagnosis=names[i % 5], verdict=verdict, primary=primary)
        for i, (verdict, primary) in enumerate(tests)
    )
    return replace(made, results=results)


def alone(p: float) -> Primary:
    return Primary(p, 0.05, p, 1)


def test_every_test_stands_beside_what_it_is_among_the_others() -> None:
    found = primaries.table(
        report(("confirmed", Primary(0.02, 0.05, 0.04, 2)), ("confirmed", None),
               ("clean", Primary(0.0002, 0.05, 0.0004, 2)))
    )  # fmt: skip
    assert found.rows == (
        ("Registry rot", "Clean", "< 0.001", "< 0.001", "2", "< 0.001", "0.05"),
        ("Cohort skew", "Confirmed", "0.020", "0.040", "2", "0.020", "0.05"),
    )


def test_over_the_report_they_are_adjusted_as_statsmodels_does() -> None:
    p = np.random.default_rng(3).random(5) ** 3
    table = primaries.table(report(*(("supported", alone(float(x))) for x in p)))
    expected = sorted(multipletests(p, method="holm")[1])
    assert [row[5] for row in table.rows] == [
        f"{x:.3f}" if x < 0.1 else f"{x:.2f}" for x in expected
    ]


def test_tests_that_were_run_one_by_one_are_not_let_off() -> None:
    found = report(*(("confirmed", alone(p)) for p in (0.03, 0.001, 0.04)))
    told = primaries.lead(found)
    assert told.startswith("3 of 3 diagnoses that could be tested rest on a primary test. ")
    assert "Cohort skew is confirmed among the tests that it was run with" in told
    assert "its p = 0.060 is not below 0.05" in told
    assert "Prompt leakage is confirmed" not in told
    assert told.count("supported at most") == 2


def test_the_page_shows_them_where_there_are_any() -> None:
    page = as_html(report(("confirmed", alone(0.01)), ("confirmed", None)))
    assert "1 of 2 diagnoses that could be tested rests on a primary test; the others" in page
    assert "Holm, as run" in page
    assert "Holm, as run" not in as_html(report(("confirmed", None)))
