"""What `registry_rot` says of who approved, and which part of a framework asks for a remedy."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.diagnoses.test_registry_rot import D2, Estate, days, estate, value

from casework.findings import Result
from casework.tables import checkpoints, engagements, model_versions, people

__all__ = ["estate"]
"""The fixture of that file."""


def said_of(result: Result, measure: str) -> str:
    return " ".join(f.statement for f in result.findings if measure in f.measures)


def approved(estate: Estate, **more: Any) -> None:
    estate.change(model_versions, **more)


@pytest.mark.parametrize(
    ("team", "owner", "others"),
    [("risk", "ana", 1), *(pytest.param(*one, marks=pytest.mark.slow) for one in (
        ("core", "ana", 0), ("Core", "ana", 0), ("core", "core", 0), ("risk", "core", 1),
        (None, "ana", None), ("risk", "nobody", None)))],
)  # fmt: skip
def test_an_approver_of_another_team_is_told(
    estate: Estate, tmp_path: Path, team: str | None, owner: str, others: int | None
) -> None:
    """A role account stands for its team; where one team is not known, nothing is counted."""
    estate.add(people, person="cy", team=team, active_from=days(900))
    approved(estate, approved_by="Cy", owner=owner)
    result = estate.judge(tmp_path)
    found = result.measures["approvals_from_other_teams"]
    assert (found.value, found.n) == (others, 0 if others is None else 1)
    said = said_of(result, "approvals_from_other_teams")
    assert ("1 of 1 came from outside the team" in said) == bool(others)


def test_a_team_is_that_of_the_time_and_of_whom_the_approver_stood_in_for(
    estate: Estate, tmp_path: Path
) -> None:
    """Cy was of the owner's team before, twice; Dee of another approved for Bo, who is of it."""
    estate.add(people, person="cy", team="core", active_from=days(900), active_until=days(400))
    estate.add(people, person="cy", team="risk", active_from=days(400))
    estate.add(people, person="dee", team="risk", active_from=days(900))
    approved(estate, approved_by="cy")
    estate.version("old", "1", None, approved_by="cy")
    estate.version("old", "2", None, approved_by="dee", attributes={"on_behalf_of": "Bo"})
    result = estate.judge(tmp_path)
    found = result.measures["approvals_from_other_teams"]
    assert (found.value, found.n) == (2, 3)


@pytest.mark.parametrize(
    ("active_from", "active_until", "absent"),
    [(900, 100, 1), *(pytest.param(*one, marks=pytest.mark.slow) for one in (
        (900, None, 0), (58, None, 1), (900, 60, 0), (900, 20, 0)))],
)  # fmt: skip
def test_an_approver_who_was_not_there_then_is_told(
    estate: Estate, tmp_path: Path, active_from: float, active_until: float | None, absent: int
) -> None:
    """Approved 59 days ago; the staff list may be a week behind, so 60 days ago is no leaving."""
    until = None if active_until is None else days(active_until)
    estate.add(people, person="cy", active_from=days(active_from), active_until=until)
    approved(estate, approved_by="cy")
    result = estate.judge(tmp_path)
    assert value(result, "approvals_by_absent_people") == absent
    assert value(result, "owners_absent_at_approval") == 0
    told = said_of(result, "approvals_by_absent_people")
    assert ("1 of 1 from someone whom the staff list" in told) == bool(absent)


@pytest.mark.slow
def test_an_owner_who_had_left_before_the_approval_is_told(
    estate: Estate, tmp_path: Path
) -> None:  # fmt: skip
    estate.add(people, person="dee", active_from=days(900), active_until=days(80))
    approved(estate, owner="dee")
    assert value(estate.judge(tmp_path), "owners_absent_at_approval") == 1


@pytest.mark.slow
def test_a_service_account_is_of_no_team(estate: Estate, tmp_path: Path) -> None:
    estate.add(people, person="ci-bot", team="risk", active_from=days(900))
    approved(estate, approved_by="ci-bot")
    result = estate.judge(tmp_path)
    assert value(result, "approvals_from_other_teams") is None
    assert value(result, "approval_ranks") == []


def test_an_approval_is_ranked_among_its_approvers_and_among_all(
    estate: Estate, tmp_path: Path
) -> None:
    """The only quick one of its approver among four; of eight, four are quicker."""
    for n in range(3):
        estate.version("old", f"slow{n}", None, requested_at=days(60 + n), approved_at=days(57))
    for n in range(4):
        estate.version("old", f"quick{n}", None, requested_at=days(60), approved_by="ana",
                       approved_at=days(60 - n / 1000))  # fmt: skip
    (row,) = value(estate.judge(tmp_path), "approval_ranks")
    assert (row["model"], row["delay_p"]) == ("router", 0.25)
    assert row["delay_p_overall"] == 5 / 8
    assert row["hour_p"] == 1  # all four at nine in the evening
    assert row["least_p_holm"] == 0.5


def test_ranks_are_told_of_an_approval_that_the_table_has_no_room_for(
    estate: Estate, tmp_path: Path
) -> None:
    """Fifty-two live approvals of someone else are less usual than the one of the busiest."""
    approved(estate, approved_at=days(60 - 1 / 1440))
    estate.without(engagements)
    estate.add(engagements, person="zed", object="x", kind="view", occurred_at=days(400))
    estate.add(engagements, person="zed", object="x", kind="view", occurred_at=days(1))
    estate.version("old", "1", None, approved_at=days(60 - 1 / 1440))
    for n in range(52):
        digest = f"sha256:{n + 10:064x}"
        estate.serve(digest, 1)
        estate.version(f"m{n}", "1", digest, approved_by="cy", approved_at=days(59 - n))
    result = estate.judge(tmp_path)
    table = value(result, "approval_ranks")
    assert (len(table), result.measures["approval_ranks"].n) == (50, 53)
    assert "router" not in {row["model"] for row in table}
    told = said_of(result, "approval_ranks")
    assert "router 3 was approved" in told
    assert "Among those of all people the delay has p = 0.037." in told


def test_remedies_name_what_the_framework_asks_for(estate: Estate, tmp_path: Path) -> None:
    estate.serve(D2, 50)
    approved(estate, owner="gone", approved_at=days(60), eval_checkpoint=D2)
    estate.version("router", "2", "sha256:" + "9" * 64, created_at=days(90))
    estate.add(checkpoints, checkpoint="sha256:" + "9" * 64, uri="s3", exists=False)
    estate.add(people, person="gone", active_until=days(100))
    remedies = estate.judge(tmp_path).remedies
    parts = [re.findall(r"NIST AI RMF ([A-Z]+ [0-9.]+)", remedy) for remedy in remedies]
    assert all(parts)
    assert {"GOVERN 1.6", "MEASURE 2.4", "MANAGE 4.1"} <= {part for some in parts for part in some}
    assert any("the version before each live one" in remedy for remedy in remedies)
