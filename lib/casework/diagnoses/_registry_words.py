"""What `registry_rot` says: headline, findings, remedies. Neutral throughout."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casework.diagnoses import _approvals as p
from casework.diagnoses import _registry as q
from casework.diagnoses import _registry_traffic as t
from casework.diagnoses._approvals import Approval
from casework.diagnoses._days import when
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._registry_approvers import concentration, of_approvers, ranks
from casework.diagnoses._registry_records import REASONS, Served, Split
from casework.findings import Finding, Verdict
from casework.visible import shorten
from casework.words import count, duration, instant, number, p_value, share

_NIST = "NIST AI RMF"


def headline(verdict: Verdict, split: Split, approvals: Sequence[Approval]) -> str:
    """Say the answer in one sentence."""
    total, ungoverned = split.total, split.ungoverned
    if ungoverned:
        worst = next(s for s in split.served if s.standing in ("unregistered", "failing"))
        return (
            f"{share(ungoverned / total)} of {count(total, 'live requests')} ran without a living "
            f"record; the busiest such digest, {worst.name}, has {share(worst.requests / total)} "
            f"of all: {_faults(worst)}."
        )
    if verdict == "supported":
        unseen = sum(a.has_no_evidence and a.is_live for a in approvals)
        lives = "No control is known to fail" if split.open else "Every record is alive"
        return (
            f"{lives}, but {count(unseen, 'approvals of live versions')} "
            f"{'shows' if unseen == 1 else 'show'} no evidence of review."
        )
    governed = f"{share(split.requests('governed') / total)} of {count(total, 'live requests')}"
    if verdict == "clean":
        return f"{governed} ran with a living record; no control fails on any of them."
    if split.open:
        unknown = share(split.open / total)
        return f"{governed} are known to have a living record; of {unknown} it is not known."
    unclear = sum(a.is_open and a.is_live for a in approvals)
    return (
        f"{governed} have a living record, but what is logged does not tell whether "
        f"{count(unclear, 'approvals of live versions')} followed a review."
    )


def _faults(served: Served) -> str:
    if not served.row:
        return "no version in the registry names it"
    row, said = served.row, []
    for control in served.fails:
        if control == "owner_state" and row["owner"] is None:
            said.append("it names no owner")
        elif control == "owner_state" and row["owner_left_at"]:
            said.append(f"its owner left {when(row['owner_left_at'], row['owner_zone'])}")
        elif control == "owner_state":
            said.append("nobody of the team that owns it is there")
        elif control == "benchmark_state":
            said.append(f"its benchmark was retired {when(row['deprecated_at'])}")
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
        priced = affected["priced"]
        of_whom = "Their revenue" if priced == affected["accounts"] else (
            f"The revenue of {number(priced)} of them")  # fmt: skip
        money = f" {of_whom} is {number(affected['revenue'])} a year." if priced else ""
        accounts = count(affected["accounts"], "accounts")
        of = f" of {accounts}" if affected["accounts"] else ""
        yield Finding(
            f"What has no living record served {count(split.ungoverned, 'requests')}{of} over "
            f"{duration(days)}.{money}",
            ("affected_requests", "affected_accounts", "affected_revenue"),
            (ask.evidence_id(t.AFFECTED),),
        )


def _of_records(ask: Inquiry, split: Split) -> Iterator[Finding]:
    for served in [s for s in split.served if s.standing == "failing"][:5]:
        yield Finding(
            f"{served.name} serves {share(served.requests / split.total)} of live requests: "
            f"{_faults(served)}.",
            ("absent_owners", "deprecated_benchmarks", "card_mismatches", "never_evaluated"),
            (ask.evidence_id(q.RECORDS),),
        )


def _of_rollbacks(ask: Inquiry) -> Iterator[Finding]:
    gone = ask.measures["rollbacks_gone"]
    if gone.value:
        yield Finding(
            f"{number(gone.value)} of {count(gone.n or 0, 'live versions')} whose earlier weights "
            "were looked for could not be rolled back: they are not where the record says.",
            ("rollbacks_gone",),
            (ask.evidence_id(q.ROLLBACK),),
        )


def _of_approvals(ask: Inquiry, approvals: Sequence[Approval]) -> Iterator[Finding]:
    if not approvals:
        return
    names = ("approvals_below_reading_time", "approvals_without_engagement",
             "approvals_without_evidence_of_review")  # fmt: skip
    pictures = tuple(c.id for c in ask.charts if c.id in ("delays", "approvers"))
    evidence = (ask.evidence_id(p.APPROVALS),)
    yield Finding(
        _counted(ask, approvals), names, evidence, pictures,
    )  # fmt: skip
    own_request = ask.measures["approvals_by_requester"].value
    if own_request:
        yield Finding(
            f"{count(own_request, 'approvals')} came from whoever had asked for them.",
            ("approvals_by_requester",), evidence,
        )  # fmt: skip
    yield from of_approvers(ask)
    told = [a for a in approvals if a.is_live and (a.has_no_evidence or a.is_open)]
    ranked = ranks(approvals)
    for a in sorted(told, key=lambda a: (a.is_open, -a.row["requests"]))[:3]:
        yield Finding(
            f"{_given(a)} {_ranked(a, approvals, ranked)}".rstrip(),
            ("approvals", "fastest_live_approval_p", "approval_ranks"), evidence, pictures,
        )  # fmt: skip


def _given(a: Approval) -> str:
    """Say when an approval was given, and what is known of a review before it."""
    given = instant(a.row["approved_at"])
    at = f"{a.local:%H:%M} local time, {given}" if a.local else given
    after = "" if a.delay_s is None else f", {duration(a.delay_s)} after the request"
    reading = f"reading takes {duration(a.reading_s)}"
    if a.reading_s is None:
        reading = "how long reading takes is not recorded"
    before = "No evidence of review." if a.has_no_evidence else (
        "No log tells what came before." if a.is_engaged is None else "Nothing is logged before it."
    )  # fmt: skip
    model = f"{a.row['model']} {a.row['version']}"
    return f"{model} was approved at {at}{after}; {reading}. {before}"


def _counted(ask: Inquiry, approvals: Sequence[Approval]) -> str:
    """Say how many approvals fall short, each out of those of which it is known."""
    people = sum(not a.row["automated"] for a in approvals)
    if not people:
        return f"Of {count(len(approvals), 'approvals')} none was given by a person."
    below, alone, unseen = (ask.measures[f"approvals_{name}"] for name in (
        "below_reading_time", "without_engagement", "without_evidence_of_review"))  # fmt: skip
    said = [
        f"{number(below.value)} of {number(below.n)} took less time than reading does"
        if below.n else "whether reading takes longer is not known of any",
        f"{number(alone.value)} of {number(alone.n)} without engagement before"
        if alone.n else "no log of engagement covers any",
        *([f"{number(unseen.value)} of {number(unseen.n)} without evidence of review by either"]
          if unseen.n else []),
    ]  # fmt: skip
    return f"Of {count(people, 'approvals by people')}: {'; '.join(said)}.{concentration(ask)}"


def _ranked(
    approval: Approval, approvals: Sequence[Approval], ranked: Sequence[Mapping[str, Any]]
) -> str:
    """Say how unusual an approval is among those of its approver."""
    if approval.rank_p is None:
        return ""
    own = sum(a.approver == approval.approver and a.rank_p is not None for a in approvals)
    if own == 1:
        return "Of no other approval of the approver is the delay known."
    hour = "" if approval.hour_p is None else f", so unusual an hour {p_value(approval.hour_p)}"
    return (
        f"Among the {number(own)} approvals of the approver of which it is known, so short a delay "
        f"has {p_value(approval.rank_p)}{hour}.{_among_all(approval, ranked)}"
    )


def _among_all(approval: Approval, ranked: Sequence[Mapping[str, Any]]) -> str:
    """Say how unusual the delay is among those of all people, and the least rank after Holm."""
    own = ("model", "version")
    for row in ranked:
        if all(row[key] == approval.row[key] for key in own):
            overall, least = p_value(row["delay_p_overall"]), p_value(row["least_p_holm"])
            both = f" Of delay and hour the less usual has {least} after Holm."
            said = f" Among those of all people the delay has {overall}."
            return said if row["hour_p"] is None else said + both
    return ""


def remedies(ask: Inquiry, split: Split, approvals: Sequence[Approval]) -> tuple[str, ...]:
    """Say what to do in this case, and which part of the NIST AI RMF 1.0 asks for it."""
    said = []
    missing = [s for s in split.served if s.standing == "unregistered"]
    if missing:
        said.append(
            f"Register or withdraw {', '.join(shorten(s.digest, 16) for s in missing[:3])}, and "
            "let a controller compare what is served with the registry every hour "
            f"({_NIST} GOVERN 1.6 and 1.7)."
        )
    for control, advice, part in (
        ("owner_state", "Name an owner for {names}, with a lease that ends with the owner's stay",
         "GOVERN 1.6"),
        ("benchmark_state", "Evaluate {names} on the benchmark in force; let a retirement "
         "reach every card that names it", "MEASURE 2.4"),
        ("eval_state", "Evaluate the served digest of {names}, and stamp it on the card",
         "MEASURE 2.4"),
        ("card_state", "Renew the card of {names} for the digest that it stands for", "GOVERN 1.6"),
    ):  # fmt: skip
        failing = split.having(control)
        if failing:
            names = ", ".join(s.name for s in failing[:3])
            said.append(f"{advice.format(names=names)} ({_NIST} {part}).")
    if any(a.has_no_evidence for a in approvals):
        said.append(f"Ask of an approval what only someone who looked can give: a sampled output, "
                    f"a figure of the evaluation ({_NIST} MANAGE 4.1).")  # fmt: skip
    if ask.measures["rollbacks_gone"].value:
        said.append(f"Keep the weights of the version before each live one ({_NIST} MANAGE 4.1).")
    if split.requests("quantised"):
        said.append("Decide whether a record covers other precisions of its weights "
                    f"({_NIST} GOVERN 1.6).")  # fmt: skip
    return tuple(said)
