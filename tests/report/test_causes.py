import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.report import sample

from casework.findings import Cause, Change, Result, Triage, Verdict
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
    made = replace(report(ran=0), results=())
    assert causes.lead(made) == "No diagnosis has a verdict on this case yet."


def judged(*verdicts: Verdict) -> tuple[Result, ...]:
    made = sample.sample().results[0]
    return tuple(replace(made, verdict=verdict) for verdict in verdicts)


def test_what_could_not_be_tested_is_not_said_to_have_no_verdict() -> None:
    made = replace(report(ran=0), results=judged("not_testable"))
    assert causes.lead(made) == "1 of 1 diagnosis could not be tested."


def test_what_is_open_is_said_beside_what_was_found() -> None:
    made = replace(report(ran=2), results=judged("inconclusive", "inconclusive", "not_testable"))
    assert causes.lead(made) == (
        "0 of 2 diagnoses that could be tested are confirmed or supported, 2 are inconclusive."
    )


def test_only_breaks_that_are_placed_are_said_to_be_apart() -> None:
    found = judged("confirmed", "supported")
    assert "No two" not in causes.lead(replace(report(ran=2), results=found))
    apart = report(cause("cohort_skew"), cause("registry_rot"), ran=2)
    assert "No two of them place a break" in causes.lead(replace(apart, results=found))


def test_the_same_diagnoses_are_told_once_however_often_they_meet() -> None:
    told = causes.lead(report(*[cause("cohort_skew", "registry_rot", hours=h) for h in (2, 3)]))
    assert told.count("One event may explain cohort skew and registry rot.") == 1


def test_replicas_that_follow_an_alias_are_one_change() -> None:
    moved = cause("cohort_skew").within[0]
    follow = replace(moved, table="deployments", key="replicas")
    together = replace(cause("cohort_skew"), within=(moved, follow))
    assert "time alone" not in causes.recorded(together)
    other = replace(together, within=(moved, replace(follow, after="another")))
    assert "time alone does not tell which" in causes.recorded(other)


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


def test_a_change_of_any_length_leaves_room_for_the_others() -> None:
    text = "x" * 30_000
    change = replace(cause("registry_rot").within[0], key=text, before=text, after=DIGEST)
    told = causes.recorded(replace(cause("registry_rot"), within=(change,)))
    assert len(told) < 700
    assert DIGEST in told
