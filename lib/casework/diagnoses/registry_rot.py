"""Which live traffic has a living record, and which approvals show evidence of review.

## What it looks for
Every digest that served live requests is looked up in the registry by the digest, not by its
name. Its record is alive when the owner is still there, the benchmark on the card is in force, an
evaluation of exactly this digest is on record, and the card is not older than the digest. The
share of requests with such a record is counted, not estimated, where every digest is known.
Approvals are set against the time that reading takes (238 words a minute), against the approver's
other approvals, and against what the approver looked at or ran in the 30 days before. METHODS
section 4. Beside the verdict it tells whether approver and owner were active then and of one team.

## Why it matters
Gates fire and logs are intact, and the busiest model runs on a card whose owner has left, with a
score of a benchmark that nobody uses any more. Whoever has to answer for it has no record to
stand on.

## What would rule it out
A record that restores the control: the digest under another name, a later evaluation of the same
digest on the successor of the benchmark, a trace of the owner after leaving. For an approval,
engagement of the approver before it. Both are looked for in every run.

## Known false alarms
An endpoint need not be called what the model is called. A staff list lags, and new people are
missing from it. An eval run that is not loaded may have been made all the same: where the registry
itself tells of no evals, that is left open. A benchmark may only have been renamed. A service
account that approves on passed gates has nothing to read. 23:43 UTC may be the middle of an
afternoon. A review may come before the formal click, be done by a delegate, or follow an emergency.
Another precision of registered weights has another digest; whether the record covers it is for
policy to say. No evidence of review is not evidence of no review.
"""

from datetime import timedelta
from typing import Any

from casework.diagnoses import _approvals as p
from casework.diagnoses import _registry as q
from casework.diagnoses import _registry_traffic as t
from casework.diagnoses._approvals import Approval, judge_approvals
from casework.diagnoses._as_of import settle_now
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.diagnoses._registry_approvers import measure_approvers
from casework.diagnoses._registry_charts import draw
from casework.diagnoses._registry_export import Export, read_export
from casework.diagnoses._registry_limits import limits
from casework.diagnoses._registry_measures import measure_approvals, measure_traffic
from casework.diagnoses._registry_records import Split, judge_records
from casework.diagnoses._registry_rivals import falsify, rivals_of, sought
from casework.diagnoses._registry_words import findings, headline, remedies
from casework.findings import Falsifier, Missing, Verdict
from casework.stats.approvals import WORDS_PER_MINUTE
from casework.tables import (
    alias_events,
    benchmarks,
    deployments,
    engagements,
    eval_runs,
    model_versions,
    people,
    requests,
)
from casework.words import count


def judge(
    ask: Inquiry,
    *,
    as_of: str | None = None,
    live_days: float = 30.0,
    smallest_share: float = 0.01,
    words_per_minute: float = WORDS_PER_MINUTE,
    engagement_days: float = 30.0,
    hr_lag_days: float = 7.0,
    registry_lag_days: float | None = None,
    card_grace_days: float = 1.0,
    clock_error_s: float | None = None,
) -> Conclusion:
    """Look up what served, weigh each record by its requests, and read the approvals.

    Args:
        ask: the inquiry.
        as_of: the instant that counts as now, UTC; else the last request.
        live_days: days before it whose requests are live traffic.
        smallest_share: share of live traffic without a living record that matters.
        words_per_minute: speed of reading.
        engagement_days: days before the request in which engagement counts as review.
        hr_lag_days: days by which the staff list may be behind.
        registry_lag_days: days by which the registry export may be behind; else it is known to
            reach to its last date.
        card_grace_days: days that a card may be older than the version it describes.
        clock_error_s: bound on the error of the clocks in seconds; else from `clocks`.
    """
    reach = ask.one(t.REACH)
    now = settle_now(ask, as_of, reach["last"]) or reach["last"]
    error = float(ask.infer("clock_error_s", clock_error_s, reach["clock_error_s"], 0.0))
    known: dict[str, Any] = {
        "as_of": now.isoformat(),
        "live_from": (now - timedelta(days=live_days)).isoformat(),
        "clock_error_s": error,
        "engagement_days": engagement_days,
        "hr_lag_days": hr_lag_days,
        "card_grace_days": card_grace_days,
    }
    split = _split(ask, known)
    if split.unattributed == split.total:
        return _nothing_attributed(split.total)
    approvals = judge_approvals(ask.ask(p.APPROVALS, **known), words_per_minute)
    export = read_export(ask, split, known, registry_lag_days)
    return _conclude(ask, split, approvals, known, export, smallest_share, live_days)


def _conclude(
    ask: Inquiry,
    split: Split,
    approvals: list[Approval],
    known: dict[str, Any],
    export: Export,
    smallest_share: float,
    live_days: float,
) -> Conclusion:
    """Measure, draw, and weigh what was found."""
    affected = ask.one(t.AFFECTED, **known, digests=_without_record(split))
    measure_traffic(ask, split, affected, known)
    measure_approvals(ask, approvals, split.total)
    measure_approvers(ask, approvals, known)
    draw(ask, split, approvals)
    rivals = rivals_of(ask, split, approvals, ask.one(t.SET_ASIDE, **known), export)
    falsifier = falsify(ask, split, approvals)
    verdict = _verdict(split, approvals, falsifier, export, sought(ask), smallest_share)
    grave = [s for s in split.served if s.standing == "unregistered" or s.is_never_evaluated]
    return Conclusion(
        verdict=verdict,
        headline=headline(verdict, split, approvals),
        wide=verdict != "clean" and sum(s.requests for s in grave) > smallest_share * split.total,
        findings=findings(ask, split, approvals, affected),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(ask, split, approvals),
        limits=limits(ask, split, approvals, live_days, known["clock_error_s"]),
    )


def _split(ask: Inquiry, known: dict[str, Any]) -> Split:
    """Sum live traffic by digest once, and look up the record of each."""
    for query in (t.LIVE, t.SERVED):
        ask.case.hold(query, **known)
    ask.case.release(t.LIVE)
    ask.case.hold(t.TRAFFIC, **known)
    served = judge_records(ask.ask(q.RECORDS, **known), ask.ask(q.UNREGISTERED, **known))
    traffic = ask.ask(t.TRAFFIC, **known)
    unattributed = sum(row["requests"] for row in traffic if row["digest"] is None)
    return Split(tuple(served), unattributed)


def _without_record(split: Split) -> list[str]:
    return [s.digest for s in split.served if s.standing in ("unregistered", "failing")]


def _nothing_attributed(total: int) -> Conclusion:
    why = "what served the requests, where they do not name a digest"
    if not total:
        return Conclusion(
            "not_testable",
            "Not testable. No request outside tests lies in the live days.",
            missing=(Missing("requests", ("occurred_at",), "the live traffic"),),
        )
    return Conclusion(
        "not_testable",
        f"Not testable. Of {count(total, 'live requests')} none tells which digest served it: load "
        "alias_events or deployments, or requests with a checkpoint.",
        missing=(
            Missing("alias_events", ("alias", "checkpoint", "valid_from"), why),
            Missing("deployments", ("replica", "checkpoint", "valid_from"), why),
        ),
    )


def _verdict(
    split: Split,
    approvals: list[Approval],
    falsifier: Falsifier,
    export: Export,
    looked_for: frozenset[str],
    smallest_share: float,
) -> Verdict:
    """Count what is left once the doubtful is set aside, against the share that matters.

    So is what no record was looked for that would restore it.
    """
    least = smallest_share * split.total
    solid = sum(
        s.requests
        for s in split.served
        if s.standing in ("unregistered", "failing")
        and s.digest not in export.doubtful
        and looked_for & {s.standing, *s.fails}
    )
    if solid > least and not falsifier.falsified:
        return "confirmed"
    if split.ungoverned:
        return "supported"
    live = [a for a in approvals if a.is_live]
    if any(a.has_no_evidence for a in live):
        return "supported"
    unread = any(a.is_open for a in live)
    return "inconclusive" if split.open > least or unread else "clean"


registry_rot = Diagnosis(
    name="registry_rot",
    family="provenance gaps",
    claim="live traffic runs without a living record",
    doc=__doc__ or "",
    needs=(
        Need(requests, ("request_id", "occurred_at"), "the live traffic"),
        Need(model_versions, ("model", "version", "checkpoint"), "the records"),
        Need(alias_events, ("alias", "checkpoint"), "what an endpoint pointed at", required=False),
        Need(deployments, ("replica", "checkpoint"), "what each replica ran", required=False),
        Need(people, ("person",), "whether owners are still there", required=False),
        Need(benchmarks, ("benchmark",), "whether a benchmark is in force", required=False),
        Need(eval_runs, ("run_id", "checkpoint"), "which digest was evaluated", required=False),
        Need(engagements, ("person", "object"), "who looked at it before", required=False),
    ),
    judge=judge,
)
