import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.report import sample

from casework.findings import Cause, Change, Triage
from casework.report import as_html, causes
from casework.report.model import Report

DIGEST = "sha256:" + "0123456789abcdef" * 4


def cause(*names: str, hours: float = 2) -> Cause:
    start = sample.at(3)
    change = Change(sample.at(3, 5), "alias_events", "v1", "old", DIGEST)
    end = start + timedelta(hours=hours)
    return Cause(start, end, ("what broke",), names, (change,), ())


def report(*found: Cause, ran: int = 2) -> Report:
    made = sample.sample()
    ranking = tuple(result.diagnosis for result in made.results)[:ran]
    return replace(made, triage=Triage(ranking, found, ()))


def test_breaks_that_coincide_are_told_as_one_event() -> None:
    told = causes.lead(report(cause("cohort_skew", "prompt_leakage", "registry_rot")))
    assert told.endswith("One event may explain cohort skew, prompt leakage and registry rot.")


def test_where_nothing_was_run_it_is_said() -> None:
    assert causes.lead(report(ran=0)) == "No diagnosis has a verdict on this case yet."


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0, "at 2026-01-08 00:00 UTC"),
        (2, "after 2026-01-08 00:00 UTC, by 2026-01-08 02:00 UTC"),
    ],
)
def test_a_cause_lies_at_an_instant_or_between_two(hours: float, said: str) -> None:
    assert causes.when(cause("cohort_skew", hours=hours)) == said


def test_shared_causes_come_first_and_all_are_in_one_of_two_tables() -> None:
    found = report(cause("cohort_skew"), cause("cohort_skew", "registry_rot"))
    assert len(causes.table(found).rows[0][2].split(", ")) == 2
    split = (*causes.shared(found).rows, *causes.single(found).rows)
    assert split == causes.table(found).rows


def test_a_digest_is_shown_shortened_and_copied_whole() -> None:
    page = as_html(report(cause("cohort_skew")))
    listed = page.partition('<ol class="causes"')[2].partition("</ol>")[0]
    assert '<span class="middle">' in listed
    assert DIGEST not in listed
    assert DIGEST in re.sub(r"<[^>]*>", "", listed)
