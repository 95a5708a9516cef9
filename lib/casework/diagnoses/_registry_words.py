"""What `registry_rot` says: headline, findings, remedies, limits. Neutral throughout."""

from collections.abc import Iterator, Sequence
from typing import Any

from casework.diagnoses import _approvals as p
from casework.diagnoses import _registry as q
from casework.diagnoses import _registry_traffic as t
from casework.diagnoses._approvals import Approval
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._registry_records import REASONS, Served, Split
from casework.findings import Finding, Verdict
from casework.visible import shorten
from casework.words import count, duration, instant, number, p_value, share


def headline(verdict: Verdict, split: Split, approvals: Sequence[Approval]) -> str:
    """Say the answer in one sentence."""
    total, ungoverned = split.total, split.ungoverned
    if ungoverned:
        worst = next(s for s in split.served if s.standing in ("unregistered", "failing"))
        return (
            f"{share(ungoverned / total)} of {count(total, 'live requests')} ran without a living "
            f"record; the busiest such digest, {_name(worst)}, has {share(worst.requests / total)} "
            f"of them: {_faults(worst)}."
        )
    if verdict == "supported":
        unseen = sum(a.has_no_evidence and a.is_live for a in approvals)
        return (
            f"Every known record is alive, but {count(unseen, 'approvals of live versions')} "
            f"{'shows' if unseen == 1 else 'show'} no evidence of review."
        )
    governed = f"{share(split.requests('governed') / total)} of {count(total, 'live requests')}"
    if verdict == "clean":
        return f"{governed} ran with a living record; no control fails on any of them."
    if split.open:
        return f"{governed} have a living record; of {share(split.open / total)} it is not known."
    return f"{governed} have a living record, but no log tells what approvers did before."


def _name(served: Served) -> str:
    row = served.row
    return f"{row['model']} {row['version']}" if row else shorten(served.digest, 16)


def _faults(served: Served) -> str:
    if not served.row:
        return "it is not registered"
    row, said = served.row, []
    for control in served.fails:
        if control == "owner_state" and row["owner_left_at"]:
            said.append(f"its owner left on {instant(row['owner_left_at'])[:10]}")
        elif control == "benchmark_state" and row["deprecated_at"]:
            said.append(f"its benchmark was retired on {instant(row['deprecated_at'])[:10]}")
        else:
            said.append(REASONS[control])
    return ", ".join(said)


def findings(
    ask: Inquiry, split: Split, approvals: Sequence[Approval], affected: dict[str, Any]
) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    total = split.total
    parts = ", ".join(f"{share(n / total)} {REASONS[key]}" for key, n in split.by_reason().items()
                      if n)  # fmt: skip
    least, most = (ask.measures[f"governed_traffic_{end}"].value for end in ("least", "most"))
    bounds = "" if least == most else (
        f" Whatever the unknown ones are, between {share(least)} and {share(most)} have a living "
        "record.")  # fmt: skip
    found = [
        Finding(
            f"Of {count(total, 'live requests')}: {parts}.{bounds}",
            ("governed_traffic_share", "governed_traffic_least", "governed_traffic_most",
             "unregistered_traffic_share", "ungoverned_traffic_share"),
            tuple(ask.evidence_id(query) for query in (q.RECORDS, q.UNREGISTERED)),
            ("traffic",),
        ),
        *_reach(ask, split, affected),
        *_of_records(ask, split),
        *_of_rollbacks(ask),
        *_of_approvals(ask, approvals),
    ]  # fmt: skip
    return tuple(found)


def _reach(ask: Inquiry, split: Split, affected: dict[str, Any]) -> Iterator[Finding]:
    if split.ungoverned:
        days = (affected["last"] - affected["first"]).total_seconds()
        money = "" if affected["revenue"] is None else (
            f" Their revenue is {number(affected['revenue'])} a year.")  # fmt: skip
        yield Finding(
            f"What has no living record served {count(split.ungoverned, 'requests')} of "
            f"{count(affected['accounts'], 'accounts')} over {duration(days)}.{money}",
            ("affected_requests", "affected_accounts", "affected_revenue"),
            (ask.evidence_id(t.AFFECTED),),
        )


def _of_records(ask: Inquiry, split: Split) -> Iterator[Finding]:
    for served in [s for s in split.served if s.standing == "failing"][:5]:
        yield Finding(
            f"{_name(served)} serves {share(served.requests / split.total)} of live requests: "
            f"{_faults(served)}.",
            ("absent_owners", "deprecated_benchmarks", "card_mismatches", "never_evaluated"),
            (ask.evidence_id(q.RECORDS),),
        )


def _of_rollbacks(ask: Inquiry) -> Iterator[Finding]:
    gone = ask.measures["rollbacks_gone"]
    if gone.value:
        yield Finding(
            f"{number(gone.value)} of {count(gone.n or 0, 'live versions')} could not be rolled "
            "back: the weights of the version before are not where the record says.",
            ("rollbacks_gone",),
            (ask.evidence_id(q.ROLLBACK),),
        )


def _of_approvals(ask: Inquiry, approvals: Sequence[Approval]) -> Iterator[Finding]:
    if not approvals:
        return
    names = ("approvals_below_reading_time", "approvals_without_engagement",
             "approvals_without_evidence_of_review")  # fmt: skip
    below, alone, unseen = (ask.measures[name] for name in names)
    pictures = tuple(c.id for c in ask.charts if c.id in ("delays", "approvers"))
    evidence = (ask.evidence_id(p.APPROVALS),)
    yield Finding(
        f"{number(below.value)} of {count(below.n or 0, 'approvals by people')} took less time "
        f"than reading does; {number(alone.value)} of {number(alone.n)} have no engagement before "
        f"them; {number(unseen.value)} show no evidence of review by either.",
        names, evidence, pictures,
    )  # fmt: skip
    own_request = ask.measures["approvals_by_requester"].value
    if own_request:
        yield Finding(
            f"{count(own_request, 'approvals')} came from whoever had asked for them.",
            ("approvals_by_requester",), evidence,
        )  # fmt: skip
    live = [a for a in approvals if a.is_live and a.has_no_evidence]
    for a in sorted(live, key=lambda a: -a.row["requests"])[:3]:
        own = sum(b.row["approved_by"] == a.row["approved_by"] for b in approvals)
        at = f"{a.local:%H:%M} local time, {instant(a.row['approved_at'])}" if a.local else instant(
            a.row["approved_at"])  # fmt: skip
        yield Finding(
            f"{a.row['model']} {a.row['version']} was approved at {at}, "
            f"{duration(a.delay_s)} after the request; reading takes {duration(a.reading_s)}. No "
            f"evidence of review. Among the {number(own)} approvals of the approver the delay has "
            f"{p_value(a.rank_p)}, the hour {p_value(a.hour_p)}.",
            ("approvals", "fastest_live_approval_p"), evidence, pictures,
        )  # fmt: skip


def remedies(split: Split, approvals: Sequence[Approval]) -> tuple[str, ...]:
    """Say what to do in this case."""
    said = []
    missing = [s for s in split.served if s.standing == "unregistered"]
    if missing:
        said.append(
            f"Register or withdraw {', '.join(shorten(s.digest, 16) for s in missing[:3])}, and "
            "let a controller compare what is served with the registry every hour."
        )
    for control, advice in (
        ("owner_state", "Name an owner for {names}, with a lease that ends with the owner's stay."),
        ("benchmark_state", "Evaluate {names} on the benchmark in force; let a retirement "
         "reach every card that names it."),
        ("eval_state", "Evaluate the served digest of {names}, and stamp it on the card."),
        ("card_state", "Renew the card of {names} for the digest that it stands for."),
    ):  # fmt: skip
        failing = split.having(control)
        if failing:
            said.append(advice.format(names=", ".join(_name(s) for s in failing[:3])))
    if any(a.has_no_evidence for a in approvals):
        said.append("Ask of an approval what only someone who looked can give: a sampled output, a "
                    "figure of the evaluation.")  # fmt: skip
    if split.requests("quantised"):
        said.append("Decide whether a record covers other precisions of its weights.")
    return tuple(said)


def limits(ask: Inquiry, split: Split, reach: dict[str, Any], live_days: float) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    said = [
        f"Live traffic is that of the last {live_days:g} days; a digest that served only before "
        "is not looked at.",
        "Reading time is a floor for reading once, not a measure of care. What is not logged was "
        "not seen: no evidence of review is not evidence of no review.",
    ]
    if split.unattributed:
        said.append(f"The digest of {count(split.unattributed, 'requests')} is not known.")
    lacking = [_name(s) for s in split.served if s.row and s.row["eval_state"] == "no run loaded"]
    if lacking:
        said.append(
            f"No eval run of {', '.join(lacking[:3])} is loaded, and the registry tells of none: "
            "load the eval runs of what served, or it stays open whether it was evaluated."
        )
    unlisted = sorted({str(s.row["owner"]) for s in split.served
                       if s.row and s.row["owner_state"] == "not on the list"})  # fmt: skip
    if unlisted:
        named = ", ".join(shorten(name, 40) for name in unlisted[:3])
        said.append(
            f"Not on the staff list: {count(len(unlisted), 'owners')} of records ({named}). "
            "Whether they are there is not known; load people under the names of the registry."
        )
    for table, what in (("people", "whether owners are there"), ("benchmarks", "whether benchmarks "
                        "are in force"), ("engagements", "what approvers did before")):  # fmt: skip
        if not ask.case.filled(table):
            said.append(f"No `{table}` is loaded, so {what} is not known.")
    if not reach["clock_error_s"]:
        said.append("Nothing bounds the error of the clocks.")
    return tuple(said)
