"""Which gate `threshold_drift` examines, where several share the log of candidates."""

from dataclasses import dataclass, replace
from typing import Any

from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate import drops, level_of, params_of
from casework.diagnoses._gate_kinds import Other, Part, parts_of
from casework.diagnoses._gate_periods import (
    MATERIAL,
    Gate,
    Periods,
    choose_score,
    divide,
    find_gate,
)
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.errors import unknown_name
from casework.findings import Missing
from casework.stats.periods import PeriodSums

Levels = dict[bool, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Given:
    """What the reader has settled; None where the evidence tells."""

    score: str | None
    before: str | None
    after: str | None
    changed_at: str | None
    threshold: float | None
    reranker: str | None
    sesoi: float
    seed: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The gate that is examined.

    Attributes:
        periods, gate: what is compared.
        levels: counts before and after.
        part: its candidates; None where the log holds one gate.
        compared: gates among which this one was chosen by what they drop.
        others: those that are not examined.
    """

    periods: Periods
    gate: Gate
    levels: Levels
    part: Part | None = None
    compared: int = 1
    others: tuple[Other, ...] = ()


def choose(ask: Inquiry, given: Given) -> Choice | Conclusion:
    """Settle the gate, or say what is missing.

    Several gates are compared, and the one examined that changed most: with a known change before
    one whose change is inferred, then by whether the drop rate differs, is not known to be the
    same, or is the same, then by the standard errors between its drop rates.
    """
    total = ask.one(q.COLUMNS_FILLED, kinds=None)["candidates"]
    parts = parts_of(ask, total)
    wanted = _wanted(parts, given)
    if len(parts) < 2:
        return _settle(ask, given, None)
    large = [part for part in wanted if part.candidates >= MATERIAL * total] or wanted[:1]
    tried = [(part, *_tried(ask, given, part)) for part in large]
    best = max(tried, key=lambda found: found[2])[0]
    settled = _settle(ask, given, best)
    if isinstance(settled, Conclusion):
        return settled
    ask.infer("reranker", given.reranker, best.reranker)
    known = {part.name: other for part, other, _ in tried}
    rest = [known.get(part.name, Other(part.name, part.candidates)) for part in parts
            if part is not best]  # fmt: skip
    compared = sum(other.drops is not None for other in known.values())
    return replace(settled, part=best, compared=compared, others=tuple(rest))


def _tried(ask: Inquiry, given: Given, part: Part) -> tuple[Other, tuple[bool, int, float]]:
    """What a gate drops before and after, and how that ranks among the gates."""
    # what is asked of the others must not stand in the record of the one that is examined
    aside = Inquiry(ask.case, ask.diagnosis)
    found = _settle(aside, given, part)
    if isinstance(found, Conclusion):
        return Other(part.name, part.candidates), (False, -1, 0.0)
    params = params_of(found.periods, found.gate)
    fixed = drops(aside, params, found.gate.before)
    rank = (found.periods.how != "inferred", *_change(fixed, given.sesoi))
    return Other(part.name, part.candidates, params, fixed), rank


def _wanted(parts: tuple[Part, ...], given: Given) -> list[Part]:
    """The gates with the given reranker and threshold; a threshold that none has is tried on all.

    Raises:
        UsageError: no candidate has the given reranker.
    """
    wanted = list(parts)
    if given.reranker is not None:
        wanted = [p for p in parts if any(k.reranker == given.reranker for k in p.kinds)]
        if not wanted:
            known = sorted({k.reranker for p in parts for k in p.kinds if k.reranker})
            raise unknown_name("reranker", given.reranker, known)
    at = [p for p in wanted if any(k.threshold == given.threshold for k in p.kinds)]
    return at if given.threshold is not None and at else wanted


def _change(fixed: PeriodSums, sesoi: float) -> tuple[int, float]:
    """Two for a drop rate that differs, one where that is open, none for the same; and how far."""
    ratio, se = fixed.ratio, fixed.difference_se
    apart = abs(fixed.difference.value) / se if se > 0 else 0.0
    if ratio is None:
        return (2 if fixed.before != fixed.after else 0), apart
    if ratio.inside(1 / (1 + sesoi), 1 + sesoi):
        return 0, apart
    return (2 if ratio.excludes(1) else 1), apart


def _settle(ask: Inquiry, given: Given, part: Part | None) -> Choice | Conclusion:
    """Settle score, periods and threshold of a gate, or say what is missing."""
    kinds = part.keys if part else None
    score = choose_score(ask, given.score, ask.one(q.COLUMNS_FILLED, kinds=kinds))
    if score is None:
        return _nothing("no candidate has a score", ("rerank_score",), "the score that is gated")
    periods = divide(ask, score, (given.before, given.after, given.changed_at), given.seed, kinds)
    if periods is None:
        return _nothing(
            "nothing tells before from after", ("embedding_model", "occurred_at"),
            "what was in force when",
        )  # fmt: skip
    gate = find_gate(ask, periods, given.threshold)
    if gate is None:
        return _nothing("the threshold is not recorded", ("threshold", "passed"), "the gate")
    levels = level_of(ask, periods, gate)
    if reason := _untestable(levels):
        return _nothing(reason, ("rerank_score", "passed"), "candidates that were dropped too")
    return Choice(periods, gate, levels)


def _nothing(reason: str, columns: tuple[str, ...], why: str) -> Conclusion:
    return Conclusion(
        "not_testable",
        f"Not testable: {reason}. Load candidates with {' and '.join(columns)}.",
        missing=(Missing("candidates", columns, why),),
    )


def _untestable(levels: Levels) -> str | None:
    """Say why the two periods cannot be compared; None where they can."""
    if len(levels) < 2 or not all(level["scored"] for level in levels.values()):
        return "all candidates with a score are of one period"
    for period, name in ((False, "before"), (True, "after")):
        level = levels[period]
        whole = level["candidates"] == level["retrievals"] * level["longest"]
        if not level["scored_dropped"] and not (whole and level["retrievals"] > 1):
            return f"the log {name} the change holds passed candidates alone"
    return None
