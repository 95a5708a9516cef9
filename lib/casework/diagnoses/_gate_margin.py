"""Which threshold asks of the last document that passes what the old one asked."""

from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses import _gate_pairs as pairs
from casework.diagnoses._gate import Found
from casework.diagnoses._gate_relevance_found import BINS, FEW_JUDGED, GROUPS
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.marginal_gate import MarginalGate, marginal_gate
from casework.words import count, number, spread

NEAR_SD = 0.5
"""Distance from a threshold that counts as near it, in standard deviations of the score."""

JUDGED_NEAR = Query(
    "judged_near",
    """
    SELECT count(*) AS judged FROM judged
    WHERE is_after AND abs(score - $gate_new) <= $near
    """,
    "Judged candidates near the threshold that restores the precision.",
    uses=(pairs.JUDGED,),
)


def margin_found(
    ask: Inquiry, found: Found, params: dict[str, Any], seed: int
) -> tuple[Finding, ...]:
    """Record and state the threshold of the same utility, where judgments tell it."""
    told = found.relevance
    levels = told.judged or {}
    if not told.below or any(level["judged"] < FEW_JUDGED for level in levels.values()):
        return ()
    by, margin = _margin(ask, found, params, seed)
    if margin is None:
        return ()
    ask.estimate("marginal_relevance", margin.chance, "share:documents", by)
    ask.estimate("utility_threshold", margin.threshold, "score", by)
    chance, at = margin.chance, margin.threshold
    text = (
        f"Of the documents that just pass the threshold of {number(found.gate.before)}, "
        f"{spread(chance.value, (chance.low, chance.high), 'share')} were relevant before; "
    )
    text += (
        f"that takes a threshold of {spread(at.value, (at.low, at.high), '')} now, which trades "
        "what is relevant against what is not at the rate of the old one."
        if at
        else "no threshold asks as much of those that just pass now."
    )
    return (Finding(text, ("marginal_relevance", "utility_threshold"), (ask.evidence_id(by),)),)


def _margin(
    ask: Inquiry, found: Found, params: dict[str, Any], seed: int
) -> tuple[Query, MarginalGate | None]:
    lowest = min(level["lowest"] for level in found.levels.values())
    highest = max(level["highest"] for level in found.levels.values())
    width = (highest - lowest) * (1 + 1e-9) or 1.0
    asked = params | {"lowest": lowest, "width": width}
    counts, hits = np.zeros((2, GROUPS, BINS)), np.zeros((2, GROUPS, BINS))
    for row in ask.ask(pairs.JUDGED_BINS, **asked):
        place = int(row["is_after"]), row["query_group"], row["bin"]
        counts[place] += row["judged"]
        hits[place] += row["relevant"]
    middles = lowest + width * (np.arange(BINS) + 0.5) / BINS
    margin = marginal_gate(counts, hits, middles, found.gate.before, seed=seed)
    return ask.recorded(pairs.JUDGED_BINS, **asked), margin


def few_near(ask: Inquiry, found: Found, params: dict[str, Any]) -> tuple[str, ...]:
    """Record how many judged candidates lie near the threshold of the same precision."""
    precision = found.relevance.precision
    spread_after = found.levels[True]["spread"]
    if precision is None or not spread_after:
        return ()
    asked = params | {"gate_new": precision.value, "near": NEAR_SD * spread_after}
    near = ask.one(JUDGED_NEAR, **asked)["judged"]
    ask.measure("judged_near_threshold", near, "candidates", JUDGED_NEAR, n=precision.n)
    if near >= FEW_JUDGED:
        return ()
    return (
        f"The threshold of the precision of before rests on {count(near, 'judgments')} within half "
        f"a standard deviation of it, of {count(precision.n, 'judgments')} in all; judge documents "
        f"there until they are {number(FEW_JUDGED)}.",
    )
