"""The measures of `reproducibility_closure`."""

from collections.abc import Mapping, Sequence
from typing import Any

from casework.diagnoses import _closure as q
from casework.diagnoses._closure_links import Chain
from casework.diagnoses._closure_record import REPORTED, RESCORED
from casework.diagnoses._closure_reruns import Rebuilds, Segment
from casework.diagnoses._inquiry import Inquiry
from casework.stats.closure import WEIGHTS, closure_score, missing_links, score_range
from casework.stats.estimates import Estimate
from casework.stats.paired import mcnemar


def measure(
    ask: Inquiry,
    chain: Chain,
    rebuilds: Rebuilds,
    owners: Sequence[Mapping[str, Any]],
    there: Sequence[str],
    seed: int,
) -> None:
    """Measure the closure and the rebuilds; what is undefined is None.

    Args:
        ask: the inquiry.
        chain: the links.
        rebuilds: the rebuilds.
        owners: of the query `owners`.
        there: those who could rebuild it.
        seed: of the perturbed weights.
    """
    known = bool(chain.links)
    states, n = chain.states, len(WEIGHTS)
    ask.measure("closure_score", closure_score(states) if known else None, "score", q.INPUTS, n=n)
    spread = list(score_range(states, seed=seed)) if known else None
    ask.measure("closure_score_range", spread, "score", q.INPUTS, n=n)
    missing = missing_links(states) if known else None
    ask.measure("critical_missing", missing, "label", q.INPUTS, n=len(chain.links))
    ask.measure("critical_broken", chain.broken if known else None, "label", q.INPUTS,
                n=len(chain.links))  # fmt: skip
    listed = sum(row["standing"] != "not on the list" for row in owners)
    ask.measure("bus_factor", len(there) if listed else None, "count:people", q.OWNERS, n=listed)
    rows = [{key: row[key] for key in row if key != "said"} for row in chain.rows()]
    ask.measure("inputs", rows, "table", q.INPUTS, n=len(chain.links))
    _measure_rebuilds(ask, rebuilds)


def _measure_rebuilds(ask: Inquiry, rebuilds: Rebuilds) -> None:
    k, unit = len(rebuilds.scores), "points" if rebuilds.is_share else "score"
    level = "share" if rebuilds.is_share else "score"
    overall, target = rebuilds.overall, rebuilds.target
    found = overall.prediction if overall else None
    mean = sum(rebuilds.scores) / k if k else None
    gap = None if mean is None or target is None else mean - target
    ask.measure("reruns", k, "count:rebuilds", q.RUNS, n=k)
    ask.measure("rerun_gap", gap, unit, q.RUNS, ci95=_ci(found.gap if found else None), n=k)
    interval = [found.interval.low, found.interval.high] if found else None
    ask.measure("rerun_interval", interval, level, q.RUNS, n=k)
    ask.measure("rerun_mean", mean, level, q.RUNS, ci95=_ci(found.interval if found else None), n=k)
    ask.measure("rerun_outside", found.outside if found else None, "label", q.RUNS, n=k)
    ask.measure("rerun_p", overall.p if overall else None, "p", q.RUNS, n=k)
    scored = len(rebuilds.rows) - k
    ask.measure("shipped_score", rebuilds.shipped, level, q.RUNS, n=scored)
    if rebuilds.unmatched:
        ask.measure("control_score", rebuilds.control, level, q.CONTROL, n=scored)
    reported, later = rebuilds.record.reported, rebuilds.record.later
    ask.measure("reported_score", reported.score if reported else None, level, REPORTED)
    if later:
        ask.measure("later_score", later.score, level, RESCORED)
    again = q.CONTROL if rebuilds.unmatched else q.RUNS
    by = RESCORED if later and not scored else again
    ask.measure("harness_shift", rebuilds.shift, unit, by, n=scored or int(by is RESCORED))
    paired = rebuilds.paired
    ask.measure("paired_gap", paired.value if paired else None, unit, q.PAIRED, ci95=_ci(paired),
                n=paired.n if paired else None)  # fmt: skip
    ask.measure("equivalent", rebuilds.is_equivalent, "label", q.PAIRED,
                n=rebuilds.items or None)  # fmt: skip
    if rebuilds.changed:
        p = mcnemar(rebuilds.changed).mid
        ask.measure("mcnemar_p", p, "p", q.CHANGED, n=rebuilds.changed.n)
    segments = rebuilds.parts[1:]
    if segments:
        worst = min(segments, key=lambda part: part.prediction.gap.value)
        ask.measure("worst_segment", worst.name, "label", q.SEGMENTS, n=len(segments))
        ask.measure("worst_segment_gap", worst.prediction.gap.value, unit, q.SEGMENTS,
                    ci95=_ci(worst.prediction.gap), n=k)  # fmt: skip
        ask.measure("segments", [_row(part) for part in segments], "table", q.SEGMENTS,
                    n=len(segments))  # fmt: skip


def _row(part: Segment) -> dict[str, object]:
    gap = part.prediction.gap
    return {
        "segment": part.name, "gap": gap.value, "low": gap.low, "high": gap.high, "p_holm": part.p,
        "outside": part.prediction.outside,
    }  # fmt: skip


def _ci(estimate: Estimate | None) -> tuple[float, float] | None:
    return (estimate.low, estimate.high) if estimate else None
