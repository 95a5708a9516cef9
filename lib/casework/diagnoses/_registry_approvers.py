"""Who approved: whether they and the owner were there then, of which team, and how usual it was."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casework.case import Query
from casework.diagnoses._approvals import APPROVALS, APPROVED, Approval
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.approvals import rank_p_each
from casework.stats.multiplicity import holm
from casework.words import number, share

_ROWS = 50
_MEASURES = ("approvals_from_other_teams", "approvals_by_absent_people",
             "owners_absent_at_approval")  # fmt: skip

_THEN = """
        SELECT b.model, b.version, s.person, s.team,
               (s.active_from IS NULL OR s.active_from <= b.approved_at)
                   AND (s.active_until IS NULL OR s.active_until > b.approved_at
                        - INTERVAL 1 DAY * $hr_lag_days) AS present
        FROM approved AS b
        JOIN (SELECT lower(person) AS person, lower(team) AS team, active_from, active_until
              FROM people) AS s"""
"""SQL: staff `s`, and whether they were present when a version `b` was approved."""


def _teams(whose: str) -> str:
    """SQL: the teams that someone was of then; of one who was not there, those on record."""
    named = f"array_agg(DISTINCT {whose}.team) FILTER (WHERE {whose}.team IS NOT NULL"
    return f"list_sort(coalesce({named} AND {whose}.present), {named})))"


AT_APPROVAL = Query(
    "at_approval",
    f"""
    SELECT a.model, a.version, max(o.present) AS owner_present,
           max(p.present) FILTER (WHERE p.person = lower(a.approved_by)) AS approver_present,
           {_teams("p")} AS approver_teams,
           {_teams("o")} AS owner_teams
    FROM approved AS a
    LEFT JOIN ({_THEN}
        ON s.person IN (lower(b.approved_by), lower(b.on_behalf_of))
    ) AS p ON p.model = a.model AND p.version = a.version
    LEFT JOIN ({_THEN}
        ON lower(b.owner) IN (s.person, s.team)
    ) AS o ON o.model = a.model AND o.version = a.version
    GROUP BY a.model, a.version ORDER BY a.model, a.version
    """,  # noqa: S608  the text is put together of constants
    "Whether approver and owner of each version, or one of the team that owns it, were active when "
    "it was approved, or had left within the lag of the staff list; and their teams then, beside "
    "those of whom the approver stood in for.",
    uses=(APPROVED,),
)


def measure_approvers(ask: Inquiry, approvals: Sequence[Approval], known: dict[str, Any]) -> None:
    """Measure the scope and presence of approvers, and how unusual each live approval is."""
    there = {(row["model"], row["version"]): row for row in ask.ask(AT_APPROVAL, **known)}
    people = [there[a.row["model"], a.row["version"]] for a in approvals if not a.row["automated"]]
    placed = [row for row in people if row["approver_teams"] and row["owner_teams"]]
    others = sum(not {*row["approver_teams"]} & {*row["owner_teams"]} for row in placed)
    listed = [row for row in people if row["approver_present"] is not None]
    owned = [row for row in people if row["owner_present"] is not None]
    counts = (
        (others, len(placed)),
        (sum(not row["approver_present"] for row in listed), len(listed)),
        (sum(not row["owner_present"] for row in owned), len(owned)),
    )
    for name, (value, n) in zip(_MEASURES, counts, strict=True):
        ask.measure(name, value if n else None, "count:approvals", AT_APPROVAL, n=n)
    found = ranks(approvals)
    ask.measure("approval_ranks", found[:_ROWS], "table", APPROVALS, n=len(found))


def ranks(approvals: Sequence[Approval]) -> list[Mapping[str, Any]]:
    """Rank live approvals by people, the least usual first.

    The rank of the delay among the approver's and that of the hour are of one approval, and not
    independent, so their least is told after Holm. The rank among all people stands beside it.
    """
    timed = [a for a in approvals if a.delay_s is not None and not a.row["automated"]]
    ranked = zip(timed, rank_p_each([a.delay_s or 0.0 for a in timed]), strict=True)
    found = []
    for a, overall in ranked:
        own = [p for p in (a.rank_p, a.hour_p) if p is not None]
        if a.is_live and own:
            found.append({
                "model": a.row["model"], "version": a.row["version"],
                "approved_by": a.row["approved_by"], "delay_s": a.delay_s, "delay_p": a.rank_p,
                "hour_p": a.hour_p, "least_p_holm": min(holm(own)), "delay_p_overall": overall,
            })  # fmt: skip
    return sorted(found, key=lambda row: (row["least_p_holm"], row["delay_s"], row["model"],
                                          row["version"]))  # fmt: skip


def of_approvers(ask: Inquiry) -> Iterator[Finding]:
    """State what is known of who approved, where something of it is not as usual."""
    words = (
        "came from outside the team of the owner",
        "from someone whom the staff list does not have active then",
        "when the owner was not active",
    )
    found = [(ask.measures[name], text) for name, text in zip(_MEASURES, words, strict=True)]
    if any(measure.value for measure, _ in found):
        told = ", ".join(f"{number(measure.value)} of {number(measure.n)} {text}"
                         for measure, text in found if measure.n)  # fmt: skip
        yield Finding(
            f"Of the approvals by people of which it is known, {told}. Whether an approver must "
            "be of the owner's team, or must not, is for policy to say.",
            _MEASURES,
            (ask.evidence_id(AT_APPROVAL),),
        )


def concentration(ask: Inquiry) -> str:
    """Say which share of the approvals by people the busiest approver gave."""
    top = ask.measures["top_approver_share"]
    if top.value is None or (top.n or 0) < 2:
        return ""
    return f" The most that one approver gave is {share(top.value)} of them."
