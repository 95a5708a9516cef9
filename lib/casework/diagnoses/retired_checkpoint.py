"""Which checkpoint each bug report is about, and whether it can still be run.

## What it looks for
For each ticket the checkpoints that could have given the answer, with probabilities: the request
that it names and the digest on it (grade A), its replica (B), the alias in force (C); else the
window in which it was seen, met with what the alias pointed at, weighted by the traffic of the
endpoint in the account's region and lane, where the answer itself is one request more of unknown
instant; then what a fingerprint or replays say. And for each candidate whether its bytes can still
be had. METHODS section 7. Beside the verdict it compares replays of candidates and controls, and
retention with the lag of reports.

## Why it matters
A screenshot is six weeks old, the weights were swapped twice since, and the answer today is clean.
A ticket that is closed as "cannot reproduce" was tried on the wrong model.

## What would rule it out
A record that settles the open tickets: a request id, the text of the answer among the requests, a
fingerprint, a replay that only one candidate reproduces. All of them are looked for in every run.

## Known false alarms
The instant of the report is not that at which it was seen. A re-asserted alias is no change. An
alias log that begins late leaves old tickets without a candidate. A client may show an answer that
it kept. An adapter that is kept cannot be run without its base. A report that any checkpoint
reproduces is not about the checkpoint. A replay on an index that was rebuilt since asks another
system, and answers that differ from batch to batch fail to reproduce on the right checkpoint too. A
region, or a session that stays with its replica, follows a swap later than the alias. A provider
may move behind an alias that stays: its fingerprints tell, where they are recorded.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from casework.diagnoses import _retired_candidates as c
from casework.diagnoses import _retired_seen as s
from casework.diagnoses._attribution import CLOCKS
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._in_force import ALIAS_HISTORY, ALIAS_STRETCHES
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.diagnoses._retired_charts import draw
from casework.diagnoses._retired_judged import (
    Inventory,
    Judged,
    Replays,
    judge_tickets,
    read_replays,
)
from casework.diagnoses._retired_kept import measure_kept
from casework.diagnoses._retired_replays import measure_contrasts
from casework.diagnoses._retired_rivals import falsify, find_rivals
from casework.diagnoses._retired_silent import SILENT_MOVES
from casework.diagnoses._retired_words import (
    findings,
    headline,
    limits,
    measure,
    remedies,
)
from casework.findings import Missing, Rival, Verdict
from casework.tables import (
    accounts,
    alias_events,
    checkpoints,
    clocks,
    config_events,
    deployments,
    eval_samples,
    requests,
    tickets,
)

DEFAULT_LAG_S = 42 * 86_400.0
_FEWEST_LAGS = 20
_HELD = (s.SEEN, s.LINKS, s.NAMED, s.NAMED_GRADED, s.PLACES, s.WINDOWS, s.HOURS, ALIAS_HISTORY,
         ALIAS_STRETCHES, c.PARTS, c.WEIGHTS)  # fmt: skip
"""Computed once, each before the ones that read it."""


def judge(
    ask: Inquiry,
    *,
    lag_s: float | None = None,
    clock_error_s: float | None = None,
    endpoint: str | None = None,
) -> Conclusion:
    """Find the candidates of each ticket, and whether they can be run.

    Args:
        ask: the inquiry.
        lag_s: how long before its report an answer may have been seen where the ticket does not
            say; else the 99th percentile of those that do, where under 20 do six weeks at least.
        clock_error_s: bound on the error of the clocks in seconds; else from `clocks`.
        endpoint: what tickets are about that name none; else the only one of the case.
    """
    clock = ask.one(CLOCKS)
    error = float(ask.infer("clock_error_s", clock_error_s, clock["clock_error_s"], 0.0))
    lags = ask.one(s.LAGS)
    enough = lags["tickets"] >= _FEWEST_LAGS
    # few tickets cannot show that the lag is short, but one can show that it is long
    longer = lags["tickets"] and lags["lag_p99_s"] > DEFAULT_LAG_S
    known_lag = lags["lag_p99_s"] if enough or longer else None
    lag = float(ask.infer("lag_s", lag_s, known_lag, DEFAULT_LAG_S))
    known = {"clock_error_s": error, "lag_s": lag, "zoneless": _zoneless(ask),
             "endpoint": _endpoint(ask, endpoint)}  # fmt: skip
    if not _has_history(ask):
        return _no_history()
    for query in _HELD:
        ask.case.hold(query, **known)
    rivals_of = partial(find_rivals, lag_s=lag, lag_is_assumed=lag_s is None and not enough,
                        has_log=ask.case.filled("alias_events"))  # fmt: skip
    clock_known = bool(clock["hosts"]) or clock_error_s is not None
    return _conclude(ask, rivals_of, lags, known, clock_known=clock_known)


def _conclude(
    ask: Inquiry,
    rivals_of: Callable[[Sequence[Judged], Replays], tuple[tuple[Rival, ...], bool]],
    lags: dict[str, Any],
    known: dict[str, Any],
    *,
    clock_known: bool,
) -> Conclusion:
    inventory = Inventory(ask.ask(c.INVENTORY), ask.one(c.LAST_MOMENT)["as_of"])
    replays = read_replays(ask, known)
    judged = judge_tickets(ask, inventory, replays, known)
    moves = ask.ask(SILENT_MOVES, **known)
    shown = ask.case.filled("requests", ("fingerprint",))
    ask.measure("silent_moves", len(moves) if shown else None, "count:moves", SILENT_MOVES)
    measure(ask, judged, inventory, replays, lags)
    measure_contrasts(ask, replays, known)
    measure_kept(ask, judged, inventory, lags, known)
    draw(ask, judged, replays, known)
    falsifier = falsify(ask, judged, known)
    rivals, unexplained = rivals_of(judged, replays)
    moved = _rests_on(judged, {(row["endpoint"], row["checkpoint"]) for row in moves})
    contradicted = moved or bool(ask.one(c.CHECKED, **known)["disagree"])
    verdict = _verdict(judged, unexplained, contradicted)
    return Conclusion(
        verdict=verdict,
        headline=headline(judged, verdict, moved),
        wide=any(ticket.is_open and ticket.decides for ticket in judged),
        findings=findings(ask, judged, inventory),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(ask, judged, inventory, replays, lags),
        limits=limits(ask, judged, replays, clock_known),
    )


def _endpoint(ask: Inquiry, given: str | None) -> str:
    found = ask.one(s.ENDPOINTS)
    only = found["endpoint"] if found["endpoints"] == 1 else ""
    return str(ask.infer("endpoint", given, only))


def _zoneless(ask: Inquiry) -> str:
    """Ids of the exhibits of tickets whose instants named no zone and were read as UTC."""
    return " ".join(
        exhibit.id
        for exhibit in ask.case.exhibits()
        if "tickets" in exhibit.tables and any("read as UTC" in note for note in exhibit.notes)
    )


def _has_history(ask: Inquiry) -> bool:
    tables = ("alias_events", ()), ("deployments", ()), ("requests", ("checkpoint",))
    return any(ask.case.filled(table, columns) for table, columns in tables)


def _no_history() -> Conclusion:
    return Conclusion(
        "not_testable",
        "Not testable. Nothing says what the endpoints pointed at: load alias_events, deployments, "
        "or requests with their checkpoint.",
        missing=(
            Missing("alias_events", ("alias", "checkpoint", "valid_from"), "what it pointed at"),
            Missing("requests", ("request_id", "checkpoint"), "or what answered each request"),
        ),
    )


def _rests_on(judged: list[Judged], eras: set[tuple[str, str | None]]) -> bool:
    """Whether the alias alone names the checkpoint of a ticket, in one of these of its eras."""
    return any(
        ticket.grade == "C" and (ticket.row["endpoint"], ticket.candidates[0][0]) in eras
        for ticket in judged
    )


def _verdict(judged: list[Judged], unexplained: bool, contradicted: bool) -> Verdict:
    if any(ticket.is_open for ticket in judged):
        return "confirmed" if unexplained else "supported"
    if contradicted and any(ticket.grade == "C" for ticket in judged):
        return "supported"
    return "clean" if all(ticket.reachable for ticket in judged) else "inconclusive"


retired_checkpoint = Diagnosis(
    name="retired_checkpoint",
    family="provenance gaps",
    claim="there are tickets whose checkpoint cannot be named with certainty or can no longer be "
    "run",
    doc=__doc__ or "",
    needs=(
        Need(tickets, ("ticket_id", "reported_at"), "the reports"),
        Need(tickets, ("observed_at",), "when it was seen, which is not when it was reported",
             required=False),
        Need(alias_events, ("alias", "checkpoint"), "what the endpoint pointed at", required=False),
        Need(requests, ("request_id", "occurred_at"), "the request that a ticket names, and the "
             "traffic by which candidates are weighted", required=False),
        Need(deployments, ("replica", "checkpoint"), "what each replica ran", required=False),
        Need(checkpoints, ("checkpoint", "exists"), "whether it can still be run", required=False),
        Need(eval_samples, ("item_id", "condition"), "replays of the reports", required=False),
        Need(config_events, ("key", "new_value"), "whether the index is still the one that was "
             "asked", required=False),
        Need(clocks, ("host", "error_s"), "how far a timestamp can be trusted", required=False),
        Need(accounts, ("account_id", "revenue"), "the revenue of the reporters", required=False),
    ),
    judge=judge,
)  # fmt: skip
