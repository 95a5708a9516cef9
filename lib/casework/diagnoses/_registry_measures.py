"""The measures of `registry_rot`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from casework.diagnoses import _approvals as p
from casework.diagnoses import _registry as q
from casework.diagnoses import _registry_traffic as t
from casework.diagnoses._approvals import Approval, adjusted_ranks
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._registry_records import OPEN, Split
from casework.stats.approvals import top_share
from casework.stats.grim import is_possible_share
from casework.stats.shares import clustered_share

_ROWS = 50
_PROPORTION = re.compile("accuracy|exact.?match|pass.?rate|success|resolved", re.IGNORECASE)
_RETIRED = ("retired before approval", "retired since")
_UNKNOWN_OWNER = frozenset({"not recorded", "not on the list"})
_UNKNOWN_BENCHMARK = OPEN["benchmark_state"] | {"none named"}


def measure_traffic(
    ask: Inquiry, split: Split, affected: dict[str, Any], known: dict[str, Any]
) -> None:
    """Measure live traffic by the state of its records, and the reach of what has none."""
    total = split.total
    governed = split.requests("governed")
    of_known = governed / (total - split.unattributed)
    interval = _interval(ask, split, known) if split.open else None
    ask.measure("governed_traffic_share", of_known, "share:requests", q.RECORDS,
                ci95=interval, n=total - split.unattributed)  # fmt: skip
    shares = {
        "governed_traffic_least": governed,
        "governed_traffic_most": governed + split.open,
        "ungoverned_traffic_share": split.ungoverned,
        "unregistered_traffic_share": split.requests("unregistered"),
        "quantised_traffic_share": split.requests("quantised"),
        "unattributed_traffic_share": split.unattributed,
    }
    for name, requests in shares.items():
        ask.measure(name, requests / total, "share:requests", q.RECORDS, n=total)
    listed = [s for s in split.served if s.row and s.row["owner_state"] not in _UNKNOWN_OWNER]
    absent = sum(s.requests for s in split.having("owner_state")) if listed else None
    ask.measure("absent_owner_traffic_share", None if absent is None else absent / total,
                "share:requests", q.RECORDS, n=total)  # fmt: skip
    _count_records(ask, split)
    back = [row["is_there"] for row in ask.ask(q.ROLLBACK, **known) if row["is_there"] is not None]
    ask.measure("rollbacks_gone", back.count(False) if back else None, "count:versions", q.ROLLBACK,
                n=len(back))  # fmt: skip
    ask.measure("affected_requests", split.ungoverned, "count:requests", t.TRAFFIC, n=total)
    accounts = affected["accounts"] if affected["accounts"] or not split.ungoverned else None
    ask.measure("affected_accounts", accounts, "count:accounts", t.AFFECTED, n=split.ungoverned)
    ask.measure("affected_revenue", affected["revenue"], "a year", t.AFFECTED,
                n=affected["priced"])  # fmt: skip


def _count_records(ask: Inquiry, split: Split) -> None:
    """Count records, each time of those of which it is known; None where of none."""
    rows = [one.row for one in split.served if one.row]
    named = [row for row in rows if row["owner_state"] != "not recorded"]
    listed = [row for row in rows if row["owner_state"] not in _UNKNOWN_OWNER]
    standing = [row for row in rows if row["benchmark_state"] not in _UNKNOWN_BENCHMARK]
    judged = [row for row in rows if row["eval_state"] not in OPEN["eval_state"]]
    dated = [row for row in rows if row["card_known"]]
    scored = [row for row in rows if row["n_items"] and _is_proportion(row)]
    before = [row for row in standing if row["benchmark_state"] == _RETIRED[0]]
    retired = [row for row in standing if row["benchmark_state"] in _RETIRED]
    left = [row for row in listed if row["owner_state"] == "left"]
    without = [row for row in named if row["owner_state"] == "none"]
    never = sum(one.is_never_evaluated for one in split.served)
    wrong = sum(not is_possible_share(row["metric_value"], row["n_items"]) for row in scored)
    counts = {
        "absent_owners": (len({row["owner"].lower() for row in left}), listed, "owners"),
        "records_without_owner": (len(without), named, "records"),
        "deprecated_benchmarks": (len({row["benchmark"] for row in retired}), standing,
                                  "benchmarks"),
        "deprecated_at_approval": (len({row["benchmark"] for row in before}), standing,
                                   "benchmarks"),
        "card_mismatches": (sum(row["eval_differs"] or row["card_older"] for row in dated), dated,
                            "records"),
        "impossible_scores": (wrong, scored, "scores"),
        "never_evaluated": (never, judged, "digests"),
    }  # fmt: skip
    for name, (value, known, noun) in counts.items():
        found = value if known or not rows else None
        ask.measure(name, found, f"count:{noun}", q.RECORDS, n=len(known))


def _is_proportion(row: Mapping[str, Any]) -> bool:
    """Whether the score on the card is by its name a share of items."""
    value = row["metric_value"]
    named = _PROPORTION.search(row["metric"] or "") is not None
    return named and value is not None and 0 <= value <= 1


def _interval(ask: Inquiry, split: Split, known: dict[str, Any]) -> tuple[float, float]:
    """Of the share of live requests with a living record.

    Where every digest is known it is the bounds: that no record of unknown state lives, and that
    all do. Else requests whose digest is known stand for the others, clustered by endpoint; the
    interval ends at the bounds all the same, as no digest that is not known can go past them.
    """
    governed = split.requests("governed")
    least, most = governed / split.total, (governed + split.open) / split.total
    if not split.unattributed:
        return least, most
    rows = [row for row in ask.ask(t.BY_ENDPOINT, **known) if row["digest"] is not None]
    ends = []
    for standings in ({"governed"}, {"governed", "quantised", "unknown"}):
        living = {one.digest for one in split.served if one.standing in standings}
        sums: dict[str, list[int]] = {}
        for row in rows:
            cell = sums.setdefault(row["endpoint"] or "", [0, 0])
            cell[0] += row["requests"] * (row["digest"] in living)
            cell[1] += row["requests"]
        ends.append(clustered_share([(y, n) for y, n in sums.values()]))
    low, high = ends
    return (max(least, low.low), min(most, high.high)) if low and high else (least, most)


def measure_approvals(ask: Inquiry, approvals: Sequence[Approval], total: int) -> None:
    """Measure how approvals stand to the time of reading and to what came before them."""
    people = [a for a in approvals if not a.row["automated"]]
    timed = [a for a in people if a.is_timed]
    covered = [a for a in people if a.is_engaged is not None]
    asked = [a for a in people if a.row["requested_by"] is not None]
    live = [a for a in approvals if a.is_live]
    both = [a for a in covered if a.is_timed]
    counts = {
        "approvals_below_reading_time": (sum(a.is_below for a in timed), len(timed)),
        "approvals_without_engagement": (sum(a.is_engaged is False for a in covered), len(covered)),
        "approvals_without_evidence_of_review": (
            sum(a.has_no_evidence for a in both), len(both)),
        "approvals_automated": (len(approvals) - len(people), len(approvals)),
        "approvals_by_requester": (
            sum(a.row["requested_by"].lower() == a.approver for a in asked), len(asked)),
        "approvals_after_serving": (sum(a.row["served_before"] for a in live), len(live)),
    }  # fmt: skip
    for name, (value, n) in counts.items():
        ask.measure(name, value if n else None, "count:approvals", p.APPROVALS, n=n)
    approvers = [a.approver for a in people]
    share = top_share([approvers.count(name) for name in set(approvers)])
    ask.measure("top_approver_share", share, "share:approvals", p.APPROVALS, n=len(people))
    adjusted = adjusted_ranks(approvals)
    smallest = min(adjusted, default=None)
    ask.measure("fastest_live_approval_p", smallest, "p", p.APPROVALS, n=len(adjusted))
    ask.measure("approvals", [_told(a, total) for a in _notable(approvals)], "table", p.APPROVALS,
                n=len(approvals))  # fmt: skip


def _notable(approvals: Sequence[Approval]) -> list[Approval]:
    """Those of what serves, busiest first, then those below the reading time."""
    kept = [a for a in approvals if a.is_live or a.is_below]
    return sorted(kept, key=lambda a: (-(a.row["requests"] or 0), a.delay_s or 0.0))[:_ROWS]


def _told(approval: Approval, total: int) -> dict[str, Any]:
    row = approval.row
    return {
        "model": row["model"],
        "version": row["version"],
        "approved_by": row["approved_by"],
        "approved_at": row["approved_at"],
        "local_time": approval.local.strftime("%H:%M") if approval.local else None,
        "delay_s": row["delay_s"],
        "reading_s": approval.reading_s,
        "engagements": row["engagements"] or (0 if approval.is_engaged is False else None),
        "rank_p": approval.rank_p,
        "hour_p": approval.hour_p,
        "traffic_share": (row["requests"] or 0) / total,
        "standing": p.PARTS[approval.part],
    }
