"""What the answer of `threshold_drift` does not cover."""

import math

from casework.diagnoses._gate import FEW, Found
from casework.diagnoses._gate_kinds import Part
from casework.stats.distributions import dkw
from casework.stats.periods import PeriodSums
from casework.words import count, number, share, spread

SHOWN = 5
"""Other gates and other changes that are named."""


def limits(found: Found, unplaced: int) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    said = []
    if found.periods.how == "inferred":
        said.append(
            "No version and no event tells the periods apart: they are inferred from the drop "
            "rate itself."
        )
    if found.periods.how == "version" and found.periods.changed_at is None:
        said.append("The log has no instants; which version came first is taken by name.")
    if found.choice.part is not None:
        said.append(_others(found, found.choice.part))
    if found.choice.changes:
        said.append(_changes(found))
    if found.choice.crowded:
        said.append(
            f"Changes of {' and '.join(found.choice.crowded)} follow each other too closely to be "
            "compared one by one, and are not examined."
        )
    if fewest(found) < FEW:
        said.append(
            f"Queries are what is compared, and {count(fewest(found), 'queries')} are too few for "
            f"an interval; with at least {FEW} before and after it can be confirmed or clean."
        )
    if unplaced:
        said.append(f"{count(unplaced, 'candidates')} lie in neither period and are not counted.")
    if found.levels[False]["of_shared_queries"] == 0:
        said.append("No query was asked in both periods, so nothing is paired.")
    said += _of_relevance(found)
    asked = int(found.levels[True]["queries"])
    said.append(
        f"A restored pass rate holds within {spread(dkw(max(1, asked)), None, 'points')} at any "
        f"threshold, from {count(asked, 'queries')} (Dvoretzky, Kiefer, Wolfowitz)."
    )
    return tuple(said)


def _of_relevance(found: Found) -> list[str]:
    """Say what is not known of relevance."""
    said = []
    judged = found.relevance.judged
    if judged is not None and not found.relevance.below:
        some = any(level["judged_dropped"] for level in judged.values())
        lie = "Nearly all judgments lie above the threshold: too little" if some else (
            "Judgments lie above the threshold alone: nothing"
        )  # fmt: skip
        said.append(
            f"{lie} is known of what was dropped, and neither a replay nor a lower precision "
            "threshold can be estimated."
        )
    if found.relevance.strange:
        said.append(
            f"The {count(found.relevance.strange, 'judgments')} are of no candidate in one or both "
            "of the periods, so they tell nothing: `query_id` and `doc_id` must be those of "
            "`candidates`."
        )
    elif found.relevance.source is None:
        said.append(
            "Nothing tells of relevance: load judgments, or outcomes of queries, to see what the "
            "drops cost."
        )
    return said


def _others(found: Found, part: Part) -> str:
    """Say which gates are not examined, and what they drop."""
    told = []
    for other in found.choice.others[:SHOWN]:
        seen = _dropped(other.drops)
        told.append(f"{other.name} ({count(other.candidates, 'candidates')}, {seen})")
    if more := len(found.choice.others) - len(told):
        told.append(f"{number(more)} more")
    return (
        f"Several gates share the log. This is {part.name}; not examined further: "
        f"{', '.join(told)}. The setting `reranker` or `threshold` chooses another."
    )


def _changes(found: Found) -> str:
    """Say which other changes there were at this gate, and what it drops at each."""
    told = [f"{change.periods.told} ({_dropped(change.drops)})"
            for change in found.choice.changes[:SHOWN]]  # fmt: skip
    if more := len(found.choice.changes) - len(told):
        told.append(f"{number(more)} more")
    chosen = (
        f"the one examined was taken back by a later one ({found.choice.undone.periods.told})"
        if found.choice.undone
        else "the one examined is where the drops changed most"
    )
    return (
        f"Of {count(len(found.choice.changes) + 1, 'changes')} {chosen}; its p-value counts the "
        f"choice. The others: {'; '.join(told)}. The settings `before` and `after`, or "
        "`changed_at`, choose another."
    )


def _dropped(sums: PeriodSums | None) -> str:
    if sums is None:
        return "too few candidates, or nothing to compare"
    return f"drops {share(sums.before)} before and {share(sums.after)} after"


def fewest(found: Found) -> int:
    """Queries of the period that has fewer, which is where the interval is least sure."""
    return min(int(level["queries"]) for level in found.levels.values())


def queries_needed(found: Found, sesoi: float) -> int | None:
    """Queries of which no interval would hold both no change and one that matters.

    None where so many were asked, and something else leaves it open.
    """
    ratio, asked = found.fixed.ratio, found.fixed.clusters
    needed = FEW
    if ratio is not None and sesoi > 0:
        width = math.log(ratio.high / ratio.low)
        needed = max(FEW, math.ceil(asked * (width / math.log(1 + sesoi)) ** 2))
    needed = max(needed, asked + FEW - fewest(found))
    return needed if needed > asked else None
