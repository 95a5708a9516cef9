"""A fixed threshold changed its meaning, because something upstream of it moved.

## What it looks for
A gate that drops more (or fewer) candidates at the same threshold since an embedding, index or
reranker changed. Same pairs first: if one query and document still score the same, the reranker
is not what moved, and the candidates are. Then the drop rate with queries as clusters, and the
thresholds that restore the pass rate and the precision. METHODS section 5.

## Why it matters
The constant in the configuration is untouched, so nobody looks at it; answers get worse, and the
search goes to the model that writes them.

## What would rule it out
Scores of the same pairs that differ: then the scorer moved. A drop rate that is the same for the
same queries, documents or places in the list: then the mix, the corpus or the depth moved. A
threshold that was itself changed. Relevance that stays lost at the restoring threshold: then
retrieval lost it, not the gate.

## Known false alarms
A log of passed candidates alone cannot tell a drop rate. Candidates without a score look like
drops; they are set apart. Several gates in one log look like one that moved: they are told apart
by reranker and threshold, and one is examined. Where the log holds several changes, each is
compared from the one before it to the one after it, the one at which the drops changed most is
examined, and its p-value counts the choice; of a change that was taken back, the change and not
its end. A few edited documents are no change of the scorer. Fewer than 30 queries before or after
neither confirm nor clear.
Usual cut-offs of the stability index take no account of sample size. Where judges saw passed
documents alone, precision below the threshold is not known.
"""

from dataclasses import replace
from typing import Any

from casework.diagnoses import _gate_relevance as relevance
from casework.diagnoses import _gate_rows as q
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._gate import (
    FEW,
    Choice,
    Found,
    drifted,
    drops,
    overlap_of,
    params_of,
    restore,
    same_pairs,
)
from casework.diagnoses._gate_charts import draw
from casework.diagnoses._gate_choice import Given, choose
from casework.diagnoses._gate_limits import fewest, limits, queries_needed
from casework.diagnoses._gate_margin import few_near, margin_found
from casework.diagnoses._gate_measures import measure
from casework.diagnoses._gate_parts import parts_found
from casework.diagnoses._gate_periods import Periods
from casework.diagnoses._gate_relevance_found import relevance_of
from casework.diagnoses._gate_rivals import (
    changed_depth,
    falsify,
    outcome_of,
    rivals_of,
    scorer_kept,
)
from casework.diagnoses._gate_words import (
    findings,
    headline,
    remedies,
)
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.findings import Break, Falsifier, Primary, Rival, Verdict
from casework.stats.periods import PeriodSums
from casework.tables import candidates, config_events, judgments, outcomes
from casework.words import count

ALPHA = 0.05
SEARCH_ALPHA = 0.01


def judge(
    ask: Inquiry,
    *,
    score: str | None = None,
    before: str | None = None,
    after: str | None = None,
    changed_at: str | None = None,
    threshold: float | None = None,
    reranker: str | None = None,
    metric: str | None = None,
    sesoi_drop: float = 0.2,
    seed: int = 1,
) -> Conclusion:
    """Compare what a gate drops before and after something upstream of it changed.

    Args:
        ask: the inquiry.
        score: the score that the gate reads, `rerank_score` or `dense_score`.
        before: embedding version before; else of the change at which the drops changed most.
        after: embedding version after; else likewise.
        changed_at: instant of the change, in place of versions.
        threshold: the gate; else as recorded, logged, or told by what passed.
        reranker: the gate's, where several gates are logged; else of the one that changed most.
        metric: outcome that tells relevance; else one named so, or measured by query.
        sesoi_drop: smallest relative change of the drop rate that matters.
        seed: of the bootstrap.
    """
    given = Given(score, before, after, changed_at, threshold, reranker, sesoi_drop, seed)
    choice = choose(ask, given)
    if isinstance(choice, Conclusion):
        return choice
    found = _find(ask, choice, metric, seed)
    params = params_of(found.periods, found.gate)
    rivals = rivals_of(found)
    moved = _moved(found, rivals)
    measure(ask, found, moved)
    draw(ask, found, params, sesoi_drop)
    conclusion = _conclude(ask, found, rivals, moved, params, sesoi_drop)
    parts = parts_found(ask, found, params, seed)
    margin, untold = margin_found(ask, found, params, seed)
    return replace(
        conclusion,
        findings=(*conclusion.findings, *parts, *margin),
        limits=(*conclusion.limits, *untold, *few_near(ask, found, params)),
    )


def _conclude(
    ask: Inquiry, found: Found, rivals: tuple[Rival, ...], moved: str | None,
    params: dict[str, Any], sesoi_drop: float,
) -> Conclusion:  # fmt: skip
    falsifier = falsify(found)
    verdict = _verdict(found, rivals, falsifier, sesoi_drop)
    reach = ask.one(relevance.REACH, **params)
    if reach["accounts"] and ask.case.filled("accounts", ("revenue",)):
        money = ask.one(relevance.REVENUE, **params)
        ask.measure("revenue_exposed", money["revenue"], "a year", relevance.REVENUE,
                    n=money["accounts"])  # fmt: skip
    said = list(limits(found, ask.one(q.PLACED, **params)["in_neither"]))
    needed = queries_needed(found, sesoi_drop) if verdict == "inconclusive" else None
    if needed:
        said.append(
            f"About {count(needed, 'queries')} in both periods would tell no change from one "
            "that matters."
        )
    quality = found.relevance.sums
    fell = quality is not None and quality.difference.high < 0
    return Conclusion(
        verdict=verdict,
        headline=headline(verdict, moved, found),
        wide=bool(fell or reach["accounts"]),
        findings=findings(ask, found, reach),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(verdict, moved, found),
        limits=tuple(said),
        primary=None if found.p is None else Primary(found.p, ALPHA),
        breaks=_breaks(found.periods),
    )


def _breaks(periods: Periods) -> tuple[Break, ...]:
    start, end = periods.ended_at, periods.changed_at
    if start is None or end is None:
        return ()
    return (Break(min(start, end), end, "the gate dropped another share"),)


def _find(ask: Inquiry, choice: Choice, metric: str | None, seed: int) -> Found:
    periods, gate, levels = choice.periods, choice.gate, choice.levels
    params = params_of(periods, gate)
    fixed = drops(ask, params, gate.before)
    restored, ends = restore(ask, params, fixed)
    shared = levels[True]["of_shared_queries"] > 0
    known = 0 < levels[True]["of_known_documents"] < levels[True]["candidates"]
    unscored = any(level["unscored"] for level in levels.values())
    depth = changed_depth(levels)
    spread = max(levels[False]["spread"] or 0.0, 1e-12)
    at = gate.before
    return Found(
        choice=choice,
        in_force=drops(ask, params, at, in_force=True),
        as_logged=drops(ask, params, at, in_force=True, unscored=True) if unscored else None,
        fixed=fixed,
        same_queries=drops(ask, params, at, same_queries=True) if shared else None,
        known_documents=_known(ask, params, at, fixed, known, levels),
        same_depth=drops(ask, params, at, depth=depth) if depth else None,
        depth=depth,
        pairs=same_pairs(ask, params, spread),
        overlap=overlap_of(ask, params),
        restored=restored,
        restored_interval=ends,
        drift=drifted(ask, params),
        events=tuple(ask.ask(q.EVENTS)),
        relevance=relevance_of(ask, params, periods, levels, restored.threshold, metric, seed),
    )


def _known(
    ask: Inquiry, params: dict[str, Any], at: float, fixed: PeriodSums, some: bool,
    levels: dict[bool, dict[str, Any]],
) -> PeriodSums | None:  # fmt: skip
    """Drops of documents offered before: all of them where no document is new."""
    if some:
        return drops(ask, params, at, known_documents=True)
    return fixed if levels[True]["of_known_documents"] else None


def _moved(found: Found, rivals: tuple[Rival, ...]) -> str | None:
    """What moved the drops, in the order in which it can be told."""
    if found.pairs.tested and not scorer_kept(found) and not found.gates_embedding:
        return "reranker"
    if outcome_of(rivals, "The threshold") == "not_excluded":
        return "threshold"
    ratio, same = found.fixed.ratio, found.fixed.before == found.fixed.after
    if same or (ratio is not None and not ratio.excludes(1)):
        return "none"
    for beginning, label in (("Other queries", "query_mix"), ("The corpus", "corpus")):
        if outcome_of(rivals, beginning) == "not_excluded":
            return label
    if found.embedding_rescored:
        return "candidate_set"
    if found.overlap is None or found.overlap.value >= 1:
        return None  # the drops changed, and not those of the queries that can be compared
    return "candidate_set"


def _verdict(
    found: Found, rivals: tuple[Rival, ...], falsifier: Falsifier, sesoi: float
) -> Verdict:
    verdict = _by_interval(found, rivals, falsifier, sesoi)
    if fewest(found) >= FEW:
        return verdict
    # of few queries the interval is too narrow to carry either
    capped: dict[Verdict, Verdict] = {"confirmed": "supported", "clean": "inconclusive"}
    return capped.get(verdict, verdict)


def _by_interval(
    found: Found, rivals: tuple[Rival, ...], falsifier: Falsifier, sesoi: float
) -> Verdict:
    ratio = found.fixed.ratio
    chance = found.p is not None and found.p >= ALPHA  # of several the one that tells most
    # searched for in the drops, where chance gives one as large
    searched = found.periods.p is not None and found.periods.p >= SEARCH_ALPHA
    if ratio is None:
        if found.fixed.before == found.fixed.after:
            return "clean"
        return "inconclusive" if chance or searched else "supported"
    low, high = 1 / (1 + sesoi), 1 + sesoi
    served = found.in_force.ratio
    recalibrated = found.gate.moved and served is not None and served.inside(low, high)
    if ratio.inside(low, high) or recalibrated:
        return "clean"
    same = found.same_queries.ratio if found.same_queries else None
    if same and outcome_of(rivals, "Other queries") == "not_excluded" and same.inside(low, high):
        return "clean"
    if not ratio.excludes(1) or chance or searched:
        return "inconclusive"
    beyond = ratio.low > high or ratio.high < low
    replay = found.relevance.replay
    settled = (
        beyond
        and (replay is None or replay.threshold_part.excludes(0))
        and not found.gate.moved
        and (scorer_kept(found) or found.gates_embedding)
        and falsifier.ran
        and not falsifier.falsified
        and all(rival.outcome != "not_excluded" for rival in rivals)
        and outcome_of(rivals, "Other queries") == "excluded"  # and not merely untested
    )
    return "confirmed" if settled else "supported"


threshold_drift = Diagnosis(
    name="threshold_drift",
    family="threshold drift",
    claim="a fixed threshold changed its meaning because something upstream of it moved",
    doc=__doc__ or "",
    needs=(
        Need(candidates, ("query_id", "doc_id"), "what retrieval offered, passed and dropped"),
        Need(
            config_events,
            ("key", "new_value"),
            "what changed when, where versions do not tell",
            required=False,
        ),
        Need(judgments, ("grade",), "precision of what passes", required=False),
        Need(outcomes, ("unit_id", "metric", "value"), "what answers lost", required=False),
    ),
    judge=judge,
)
