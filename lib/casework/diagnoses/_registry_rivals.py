"""What else would explain the records of `registry_rot`, and what would prove it wrong."""

from collections.abc import Iterator, Sequence
from typing import Any

from casework.diagnoses._approvals import Approval
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._registry_export import Export
from casework.diagnoses._registry_records import Split
from casework.findings import Falsifier, Outcome, Rival
from casework.words import count, number, share


def rivals_of(
    ask: Inquiry,
    split: Split,
    approvals: Sequence[Approval],
    aside: dict[str, Any],
    export: Export,
) -> tuple[Rival, ...]:
    """Other explanations; the first is that the registry export does not reach the traffic."""
    return (
        export.rival(),
        *_of_records(ask, split),
        *_of_traffic(split, aside),
        *_of_approvals(approvals),
    )


def _of_records(ask: Inquiry, split: Split) -> Iterator[Rival]:
    rows = [s.row for s in split.served if s.row]
    late = [r for r in rows if r["owner_state"] in ("left within the lag", "not on the list",
                                                    "seen after leaving")]  # fmt: skip
    listed = ask.case.filled("people")
    yield Rival(
        "The staff list is behind: the owner is there",
        "owners who left within the lag, are missing from the list, or did something afterwards",
        "not_excluded" if late and listed else _tested(listed),
        f"{count(len(late), 'records')} of {number(len(rows))} could be such; they are counted as "
        "not known, not as absent",
    )
    renamed = [r for r in rows if r["benchmark_state"] in ("renamed", "measured anew")]
    retired = split.having("benchmark_state")
    yield Rival(
        "The benchmark was renamed, or the digest was measured anew on its successor",
        "names and items of the benchmark and of what superseded it; eval runs of the digest",
        _tested(ask.case.filled("benchmarks") and (ask.case.filled("eval_runs") or not retired)),
        f"{count(len(renamed), 'records')} of this kind count as governed",
    )


def _of_traffic(split: Split, aside: dict[str, Any]) -> Iterator[Rival]:
    quantised = split.requests("quantised")
    bare = sum(not s.is_described for s in split.served)
    yield Rival(
        "The digest differs by precision alone",
        "unregistered digests whose base is registered and whose form is a quantised one",
        "not_excluded" if quantised else _tested(not bare),
        f"{count(quantised, 'requests')} ({share(quantised / split.total)}); whether the record "
        "covers another precision is a question of policy, so they are neither governed nor not"
        + (f"; no checkpoint describes {count(bare, 'unregistered digests')}" if bare else ""),
    )
    known = split.total - split.unattributed
    yield Rival(
        "The endpoint is not called what the model is called",
        "served digests are matched to versions by digest, never by name",
        "excluded",
        f"{count(known, 'requests')} matched by digest",
    )
    unnamed = aside["without_environment"]
    yield Rival(
        "Test traffic is counted as live",
        "environments that are not production",
        _tested(not unnamed),
        f"{count(aside['outside_production'], 'requests')} outside production set aside"
        + (f"; {count(unnamed, 'requests')} without an environment count as live" if unnamed
           else ""),
    )  # fmt: skip


def _tested(is_so: bool) -> Outcome:
    """Excluded where what would show it is there, and shows nothing."""
    return "excluded" if is_so else "not_testable"


def _of_approvals(approvals: Sequence[Approval]) -> Iterator[Rival]:
    if not approvals:
        return
    below = [a for a in approvals if a.is_below]
    engaged = [a for a in below if a.is_engaged]
    open_ones = [a for a in approvals if a.is_open]
    yield Rival(
        "The review came before the formal click, or was done by whom the approver stood in for",
        "what either looked at or ran in the days before the request",
        _tested(not open_ones),
        f"{number(len(engaged))} of {count(len(below), 'approvals below the reading time')} "
        "with such a trace, counted as reviewed"
        + (
            f"; of {count(len(open_ones), 'approvals')} the time that reading takes, or a log of "
            "what came before, is missing"
            if open_ones
            else ""
        ),
    )
    automated = [a for a in approvals if a.row["automated"]]
    passed = sum(a.row["gate_passed"] for a in automated)
    yield Rival(
        "A service account approved on passed gates",
        "names and teams of the approvers; a completed eval run of the digest before the approval",
        "excluded",
        f"{count(len(automated), 'automated approvals')} told apart, {number(passed)} with the "
        "gate on record",
    )
    people = [a for a in approvals if not a.row["automated"]]
    placed = sum(a.local is not None for a in people)
    yield Rival(
        "A late hour in UTC is a working hour at the approver's",
        "hours are taken in the approver's time zone",
        _tested(placed == len(people)),
        f"the zone is known for {number(placed)} of {count(len(people), 'approvals by people')}",
    )
    after = sum(a.row["served_before"] for a in approvals)
    yield Rival(
        "An emergency change was ratified later",
        "versions that served before their approval",
        "excluded",
        f"{count(after, 'approvals')} after the first live request, counted as approved",
    )


def sought(ask: Inquiry) -> frozenset[str]:
    """Faults that some record in the case might restore: only what is loaded can be looked in."""
    tables = {
        "owner_state": "engagements",
        "benchmark_state": "eval_runs",
        "eval_state": "eval_runs",
        "card_state": "eval_runs",
    }
    return frozenset({"unregistered", *(f for f, t in tables.items() if ask.case.filled(t))})


def falsify(ask: Inquiry, split: Split, approvals: Sequence[Approval]) -> Falsifier:
    """Look for records that restore a control that seems to fail."""
    rows = [s.row for s in split.served if s.row]
    owners = sum(r["owner_state"] == "seen after leaving" for r in rows)
    scores = sum(r["benchmark_state"] in ("renamed", "measured anew") for r in rows)
    runs = sum(r["eval_differs"] and r["eval_state"] == "run on record" for r in rows)
    engaged = sum(a.is_below and bool(a.is_engaged) for a in approvals)
    found = owners + scores + runs
    looked_for = sought(ask)
    failing = [s for s in split.served if s.standing in ("unregistered", "failing")]
    reasons = {reason for s in failing for reason in (s.standing, *s.fails)}
    return Falsifier(
        "A record that restores the control: the digest under another name, a later evaluation of "
        "the same digest, a trace of the owner after leaving, engagement before the approval",
        ran=bool(looked_for & reasons) if reasons else bool(looked_for),
        outcome=f"{count(owners, 'owners')} seen after leaving, {count(scores, 'benchmarks')} "
        f"renamed or measured anew, {count(runs, 'digests')} with a run of their own, "
        f"{count(engaged, 'quick approvals')} with engagement before; "
        f"{count(split.ungoverned, 'requests')} without a living record all the same",
        falsified=bool(found) and not split.ungoverned,
    )
