"""Which threshold asks of the last document that passes what the old one asked."""

from dataclasses import replace
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses import _gate_pairs as pairs
from casework.diagnoses._gate import Found
from casework.diagnoses._gate_relevance_found import BINS, FEW_JUDGED, GROUPS
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.stats.marginal_gate import MarginalGate, marginal_gate
from casework.words import count, number, spread

NEAR_SD = 0.5
"""Distance from a threshold that counts as near it, in standard deviations of the score."""

JUDGED_NEAR = Query(
    "judged_near",
    """
    SELECT count(DISTINCT (query_id, doc_id)) AS pairs FROM judged
    WHERE is_after AND abs(score - $gate_new) <= $near
    """,
    "Judged pairs of query and document near the threshold that restores the precision.",
    uses=(pairs.JUDGED,),
)


def margin_found(
    ask: Inquiry, found: Found, params: dict[str, Any], seed: int
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Record and state the threshold of the same utility, or say why judgments do not tell it."""
    told = found.relevance
    if not told.below or told.judged is None:
        return (), ()
    before, after = (told.judged[period]["pairs"] for period in (False, True))
    if min(before, after) < FEW_JUDGED:
        same = "precision or utility" if after < FEW_JUDGED else "utility"
        return (), (
            f"{count(before, 'pairs')} of query and document of before were judged, and "
            f"{number(after)} of after; a threshold of the same {same} is told from "
            f"{number(FEW_JUDGED)} of each on.",
        )
    by, margin = _margin(ask, found, params, seed)
    if margin is None:
        return (), (
            f"What the threshold of {number(found.gate.before)} asked of those that just pass is "
            "not told: it lies at or beyond an end of the scores that were judged before, where no "
            "change of relevance shows.",
        )
    chance = replace(margin.chance, n=before)
    at = replace(margin.threshold, n=after) if margin.threshold else None
    ask.estimate("marginal_relevance", chance, "share:documents", by)
    ask.estimate("utility_threshold", at, "score", by)
    text = (
        f"Of the documents that just pass the threshold of {number(found.gate.before)}, "
        f"{spread(chance.value, (chance.low, chance.high), 'share')} were relevant before; "
        f"{_taken(margin, at)}."
    )
    names = ("marginal_relevance", "utility_threshold")
    return (Finding(text, names, (ask.evidence_id(by),)),), ()


def _taken(margin: MarginalGate, at: Estimate | None) -> str:
    """Say which threshold that takes now, or why none does."""
    if at is not None:
        return (
            f"that takes a threshold of {spread(at.value, (at.low, at.high), '')} now, which "
            "trades what is relevant against what is not at the rate of the old one"
        )
    if margin.exceeded:
        return "of those judged now, the ones that just pass are relevant more often at every score"
    return "of those judged now, the ones that just pass are relevant less often at every score"


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
    """Record how many judged pairs lie near the threshold of the same precision."""
    precision = found.relevance.precision
    spread_after = found.levels[True]["spread"]
    if precision is None or not spread_after:
        return ()
    asked = params | {"gate_new": precision.value, "near": NEAR_SD * spread_after}
    near = ask.one(JUDGED_NEAR, **asked)["pairs"]
    ask.measure("judged_near_threshold", near, "count:pairs", JUDGED_NEAR, n=precision.n)
    if near >= FEW_JUDGED:
        return ()
    return (
        f"The threshold of the precision of before rests on {count(near, 'judged pairs')} within "
        f"half a standard deviation of it, of {number(precision.n)} in all; judge documents "
        f"there until they are {number(FEW_JUDGED)}.",
    )
