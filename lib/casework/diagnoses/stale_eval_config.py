"""Whether customers were served configurations that no eval had scored.

## What it looks for
For each configuration that was served (prompt, parameters, checkpoint, by the hash of what was
rendered) the first completed eval run of exactly that configuration. What was served before it is
blind: requests, customers and time, as bounds under the error of the clocks. Three times are kept
apart: to the first customer signal, to the first valid measurement, from there to detection.
METHODS section 2.

## Why it matters
A dashboard is green because the eval graded yesterday's prompt. "Caught in eight hours" then hides
that the first valid run found it at once, and that nothing measured it before.

## What would rule it out
A completed run, before or in the window, whose full hash is that of what was served: on staging,
in another suite, under another name of the prompt. It is looked for in every run; one
under another name leaves the answer open, for the name belongs to the configuration. Labels and
process starts stand in where hashes are missing, and then the verdict is supported at most.

## Known false alarms
A new label on the same content is the same configuration. A run that is pinned to the version
before is no fault beside one of the version that is served. A configuration that was in service
when the records begin may have been scored earlier. An eval log in another time zone shifts every
run: name the zone when it is loaded, or what a shift of whole hours would change stays open. Hashes
of prompts with the variables filled in name every request apart; they are set aside and labels are
used. Where a label has three hashes or more on both sides, one a day, customer or language, a run
under it may be of any of them. A run that names no checkpoint or no parameters counts for those
that were alone in service when it started; whether it scored others is not known, nor whether a run
that names another model did. Hashes of parameters that never meet are set aside, and so are names
of prompts where hashes do meet. A run on the same prompt with another retrieval index or other
tools scored another system: where the log shows such a change after the last run, and no hash holds
it, what was served is neither blind nor known to be scored. A run of a harness that records no end
was complete at its start at the earliest, and whether it was so in time is not known.
"""

from typing import Any

from casework.diagnoses import _stale_blind as b
from casework.diagnoses._attribution import CLOCKS
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._environments import BUT_TESTS
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.diagnoses._stale_beside import beside, unseen
from casework.diagnoses._stale_charts import draw
from casework.diagnoses._stale_findings import findings
from casework.diagnoses._stale_measures import Blind, count_blind, measure_blind, measure_times
from casework.diagnoses._stale_rivals import falsify, find_rivals
from casework.diagnoses._stale_runs import FIRSTS, GRADES, MATCHES, RUNS
from casework.diagnoses._stale_served import (
    CONFIGS,
    HASHES,
    IN_COMMON,
    MINUTES,
    MODELS,
    PROMPT_HASHES,
    PUSHES,
    REPEATED,
    SERVED,
    SPELLED,
    STARTS,
    TRAFFIC,
)
from casework.diagnoses._stale_signal import Change, compare, find_signal
from casework.diagnoses._stale_words import headline, limits, name_of, remedies
from casework.diagnoses._stale_zone import is_open
from casework.findings import Break, Falsifier, Missing, Rival, Verdict
from casework.tables import (
    accounts,
    clocks,
    config_events,
    eval_runs,
    eval_samples,
    requests,
    tickets,
)

_HELD = (REPEATED, HASHES, PUSHES, MODELS, PROMPT_HASHES, SPELLED, IN_COMMON, MINUTES, CONFIGS,
         SERVED, TRAFFIC, STARTS, RUNS, MATCHES, GRADES, FIRSTS, b.EXPOSURE)  # fmt: skip
"""Computed once, each before the ones that read it."""


def judge(
    ask: Inquiry,
    *,
    environment: str | None = None,
    clock_error_s: float | None = None,
    push_lead_s: float = 3600.0,
    sesoi: float = 0.01,
    seed: int = 0,
) -> Conclusion:
    """Find what was served before it was evaluated, for how long, and what came of it.

    Args:
        ask: the inquiry.
        environment: the environment that customers use, or `all`; else all but those of tests.
        clock_error_s: bound on the error of the clocks in seconds; else from `clocks`.
        push_lead_s: a configuration begins with its push if a request follows within so long.
        sesoi: share of requests, and change of a score that is a share, that matters.
        seed: of the bootstrap of graded scores.
    """
    clock = ask.one(CLOCKS)
    clock_known = bool(clock["hosts"]) or clock_error_s is not None
    error = float(ask.infer("clock_error_s", clock_error_s, clock["clock_error_s"], 0.0))
    whose = ask.infer("environment", environment, None, BUT_TESTS)
    known = {"environment": whose, "clock_error_s": error, "push_lead_s": push_lead_s}
    blind = count_blind(ask, _hold(ask, known))
    if not blind.configs:
        return _no_identity() if blind.totals["served"] else _no_request(whose)
    measure_blind(ask, blind, known)
    worst = {**known, "config": blind.worst["config"]} if blind.worst else None
    signal = find_signal(ask, worst) if worst else None
    change = compare(ask, sesoi, seed, worst) if worst else None
    measure_times(ask, blind, signal, change, worst)
    rivals, falsifier = find_rivals(ask, blind, worst, known), falsify(ask, blind, known)
    draw(ask, blind, signal, change, known)
    return Conclusion(
        verdict=(verdict := _verdict(ask, blind, rivals, falsifier, sesoi, worst)),
        headline=headline(ask, verdict, blind, sesoi),
        wide=_is_wide(blind, change),
        findings=(*findings(ask, blind, signal, change, worst), *beside(ask, blind, change, known)),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(ask, blind, known),
        limits=(*limits(ask, blind, clock_known, known), *unseen(ask, blind)),
        breaks=_breaks(blind),
    )


def _breaks(blind: Blind) -> tuple[Break, ...]:
    """The moments at which customers began to meet what no run had scored."""
    return tuple(
        Break(
            row["began_at"],
            row["began_at"],
            (f"{row['prompt_name']} {row['version'] or ''}".strip() or name_of(row))
            + " went live unscored"
            + (" under its name" if row["config"] in blind.renamed else ""),
        )
        for row in blind.blind_configs
        if not row["apart"] and not row["unsettled"]
    )


def _hold(ask: Inquiry, known: dict[str, Any]) -> dict[str, Any]:
    for query in _HELD:
        ask.case.hold(query, **known)
    ask.case.release(PROMPT_HASHES)  # as many as requests where variables were not masked
    return known


def _no_request(whose: str) -> Conclusion:
    return Conclusion(
        "not_testable",
        f"Not testable. No request is of the environment that was asked about ({whose}).",
        missing=(Missing("requests", ("environment",), "what customers met is told apart by it"),),
    )


def _no_identity() -> Conclusion:
    why = "what was served and what was evaluated can be compared by it"
    return Conclusion(
        "not_testable",
        "Not testable. No configuration is named both by requests and by eval runs: load "
        "prompt_hash, or prompt_version, or config_events and the times at which the eval "
        "processes read their configuration.",
        missing=(
            Missing("requests", ("prompt_name", "prompt_hash"), why),
            Missing("eval_runs", ("prompt_name", "prompt_hash"), why),
        ),
    )


def _is_wide(blind: Blind, change: Change | None) -> bool:
    """Whether decisions met it, or the scores fell by more than matters (METHODS section 2)."""
    found = change.estimate if change else None
    worse = change is not None and found is not None and found.high < -change.margin
    return bool(blind.totals["blind"]) and (worse or bool(blind.totals["blind_decisions"]))


def _verdict(
    ask: Inquiry,
    blind: Blind,
    rivals: tuple[Rival, ...],
    falsifier: Falsifier,
    sesoi: float,
    worst: dict[str, Any] | None,
) -> Verdict:
    totals = blind.totals
    if falsifier.falsified:
        return "inconclusive"
    if blind.is_apart and not totals["blind_least"]:
        return "inconclusive"
    if totals["blind_least"]:
        settled = all(rival.outcome != "not_excluded" for rival in rivals)
        return "confirmed" if totals["hashed_least"] and settled else "supported"
    if worst and blind.worst and blind.worst["unsettled"]:
        others = ask.one(b.RUNS_IN_WINDOW, **worst)
        return "supported" if others["identified"] else "inconclusive"
    small = totals["blind_most"] + totals["doubtful"] < sesoi * totals["requests"]
    complete = totals["served"] - totals["requests"] <= sesoi * totals["served"]
    compared = any(not row["older_than_the_record"] for row in blind.configs)
    moved = ask.measures["requests_since_index_moved"].value
    whole = complete and moved < sesoi * totals["requests"] and not is_open(ask, blind)
    whole = whole and not blind.params_apart
    return "clean" if small and whole and compared and blind.is_certain else "inconclusive"


stale_eval_config = Diagnosis(
    name="stale_eval_config",
    family="stale eval config",
    claim="configurations were served to customers before any completed eval run of exactly that "
    "configuration",
    doc=__doc__ or "",
    needs=(
        Need(requests, ("request_id", "occurred_at"), "what was served"),
        Need(eval_runs, ("run_id", "started_at"), "what was evaluated"),
        Need(requests, ("prompt_hash",), "what was served, by content", required=False),
        Need(eval_runs, ("prompt_hash",), "what was evaluated, by content", required=False),
        Need(config_events, ("key", "new_value"), "when versions were pushed", required=False),
        Need(tickets, ("ticket_id", "reported_at"), "the first customer signal", required=False),
        Need(eval_samples, ("item_id", "score"), "what it cost, item by item", required=False),
        Need(clocks, ("host", "error_s"), "how far a timestamp can be trusted", required=False),
        Need(accounts, ("account_id", "revenue"), "the revenue that met it", required=False),
    ),
    judge=judge,
)
