"""Which gate `threshold_drift` examines, and which change, where the log holds several."""

from dataclasses import dataclass, replace

from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate import Choice, Levels, drops, level_of, params_of
from casework.diagnoses._gate_changes import MATERIAL, Change, Changes, Wanted, changes_of, narrowed
from casework.diagnoses._gate_kinds import Other, Part, parts_of
from casework.diagnoses._gate_periods import Periods, choose_score, find_gate
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.errors import unknown_name
from casework.findings import Missing
from casework.stats.periods import PeriodSums

DIFFERS = 2
"""Rank of a drop rate that differs."""


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
class _Tried:
    """One change at one gate; `change` is None where nothing tells before from after."""

    part: Part | None
    change: Change | None
    rank: tuple[bool, int, float] = (False, -1, 0.0)


def choose(ask: Inquiry, given: Given) -> Choice | Conclusion:
    """Settle the gate and the change, or say what is missing.

    Several gates and several changes are compared, and the one examined at which most changed:
    with a known change before one whose change is inferred, then by whether the drop rate
    differs, is not known to be the same, or is the same, then by the standard errors between the
    drop rates. Of a change and the one that took it back, the former is examined.
    """
    total = ask.one(q.COLUMNS_FILLED, kinds=None)["candidates"]
    parts = parts_of(ask, total)
    wanted = _wanted(parts, given)
    several = len(parts) > 1
    large = [part for part in wanted if part.candidates >= MATERIAL * total] or wanted[:1]
    of: list[Part | None] = [*large] if several else [None]
    tried = [one for part in of for one in _tried(ask, given, part)]
    best = max(tried, key=lambda one: one.rank)
    own = sorted((one for one in tried if one.part is best.part and one.change), key=_when)
    best = next((one for one in own if _takes_back(best, one)), best)
    settled = _settle(ask, given, best.part, best.change.periods if best.change else None)
    if isinstance(settled, Conclusion):
        return settled
    undone = next((one.change for one in own if _takes_back(one, best)), None)
    settled = replace(
        settled,
        compared=max(1, sum(one.change is not None and one.change.drops is not None
                            for one in tried)),
        changes=tuple(one.change for one in own if one.change and one is not best),
        undone=undone,
    )  # fmt: skip
    if best.part is None:
        return settled
    ask.infer("reranker", given.reranker, best.part.reranker)
    rest = tuple(_other(part, tried) for part in parts if part is not best.part)
    return replace(settled, part=best.part, others=rest)


def _other(part: Part, tried: list[_Tried]) -> Other:
    """A gate that is not examined, with what it drops at the change that tells most of it."""
    own = max((one for one in tried if one.part is part), key=lambda one: one.rank, default=None)
    drops = own.change.drops if own and own.change else None
    return Other(part.name, part.candidates, drops)


def _tried(ask: Inquiry, given: Given, part: Part | None) -> list[_Tried]:
    """What a gate drops before and after each change, and how that ranks."""
    # what is asked of the others must not stand in the record of the one that is examined
    aside = Inquiry(ask.case, ask.diagnosis)
    found = _changes(aside, given, part)
    if isinstance(found, Conclusion) or not found.periods:
        return [_Tried(part, None)]
    if part is None and len(found.periods) == 1:  # nothing to choose from
        return [_Tried(part, Change(found.periods[0]))]
    logged = [_try(aside, given, part, one) for one in found.periods if one.before is None]
    # a version is compared as long as it ran, save where another change moved its drops too
    moved = [one.change.periods.span for one in logged
             if one.change and one.change.periods.span and one.rank[1] == DIFFERS]  # fmt: skip
    versions = [narrowed(one, [span for span in moved if span])
                for one in found.periods if one.before is not None]  # fmt: skip
    return [*(_try(aside, given, part, one) for one in versions), *logged]


def _try(ask: Inquiry, given: Given, part: Part | None, periods: Periods) -> _Tried:
    found = _settle(ask, given, part, periods)
    if isinstance(found, Conclusion):
        return _Tried(part, Change(periods))
    fixed = drops(ask, params_of(found.periods, found.gate), found.gate.before)
    rank = (periods.how != "inferred", *_change(fixed, given.sesoi))
    return _Tried(part, Change(periods, fixed), rank)


def _when(one: _Tried) -> float:
    at = one.change.periods.changed_at if one.change else None
    return at.timestamp() if at else 0.0


def _takes_back(later: _Tried, earlier: _Tried) -> bool:
    """Whether a change brings the drops back to where they were before an earlier one."""
    return (
        later.change is not None
        and earlier.change is not None
        and later.rank[1] == earlier.rank[1] == DIFFERS
        and later.change.takes_back(earlier.change)
    )


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
        return (DIFFERS if fixed.before != fixed.after else 0), apart
    if ratio.inside(1 / (1 + sesoi), 1 + sesoi):
        return 0, apart
    return (DIFFERS if ratio.excludes(1) else 1), apart


def _changes(ask: Inquiry, given: Given, part: Part | None) -> Changes | Conclusion:
    """List the changes at a gate, or say what is missing."""
    kinds = part.keys if part else None
    score = choose_score(ask, given.score, ask.one(q.COLUMNS_FILLED, kinds=kinds))
    if score is None:
        return _nothing("no candidate has a score", ("rerank_score",), "the score that is gated")
    wanted = Wanted(given.before, given.after, given.changed_at, given.threshold)
    return changes_of(ask, score, wanted, given.seed, kinds)


def _settle(
    ask: Inquiry, given: Given, part: Part | None, periods: Periods | None
) -> Choice | Conclusion:
    """Settle score, periods and threshold of a gate, or say what is missing."""
    found = _changes(ask, given, part)
    if isinstance(found, Conclusion):
        return found
    if periods is None:
        return _nothing(
            "nothing tells before from after", ("embedding_model", "occurred_at"),
            "what was in force when",
        )  # fmt: skip
    if periods.before is not None:
        ask.infer("after", given.after, periods.after)
        ask.infer("before", given.before, periods.before)
    elif periods.how != "given":
        ask.infer("changed_at", None, periods.changed_at)
    gate = find_gate(ask, periods, given.threshold)
    if gate is None:
        return _nothing("the threshold is not recorded", ("threshold", "passed"), "the gate")
    levels = level_of(ask, periods, gate)
    if reason := _untestable(levels):
        return _nothing(reason, ("rerank_score", "passed"), "candidates that were dropped too")
    if not drops(ask, params_of(periods, gate), gate.before).testable:
        return _nothing(
            "all candidates with a score are of one query", ("query_id",),
            "queries, the units that are compared",
        )  # fmt: skip
    return Choice(periods, gate, levels, crowded=found.crowded)


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
