"""What else could make a gate drop more, tested one by one, and the attempt to refute."""

import math
from datetime import timedelta

from casework.diagnoses._gate import DEPTH, FEW, SAME, Found
from casework.findings import Falsifier, Outcome, Rival
from casework.stats.estimates import Estimate
from casework.stats.periods import PeriodSums
from casework.words import count, instant, number, share, spread

_ZONE = timedelta(days=1)
_HALF = 0.5
_SEPARATED = ("embedding_model", "index_build", "reranker", "price_list")
"""Changes that this diagnosis tells apart, or that make up one upgrade with the index."""
_SEPARATED_KINDS = ("threshold:", "rollout:")


def rivals_of(found: Found) -> tuple[Rival, ...]:
    """Test the rival explanations of METHODS section 5."""
    return (
        _reranker(found),
        _threshold(found),
        _queries(found),
        _corpus(found),
        _depth(found),
        _unscored(found),
        _concurrent(found),
    )


def outcome_of(rivals: tuple[Rival, ...], beginning: str) -> Outcome:
    """What became of the rival that begins so."""
    return next(rival.outcome for rival in rivals if rival.explanation.startswith(beginning))


def retained(part: PeriodSums | None, whole: PeriodSums) -> Outcome:
    """Whether a comparison of like with like retains the effect.

    It does if its interval excludes no effect and at least half of the effect is left, in
    logarithms; with less than half left the rival explains most of it.
    """
    effect = whole.ratio
    if part is None or not part.testable or part.clusters < FEW or effect is None:
        return "not_testable"
    left = part.ratio
    if left is None or effect.value == 1:  # of no effect nothing can be left
        return "not_testable"
    if math.log(left.value) / math.log(effect.value) < _HALF:
        return "not_excluded"
    return "excluded" if left.excludes(1) else "not_testable"


def _said(part: PeriodSums | None) -> str:
    ratio = part.ratio if part is not None and part.testable else None
    return "no such candidates in both periods" if ratio is None else drop_ratio_said(ratio)


def drop_ratio_said(ratio: Estimate) -> str:
    """Say a drop ratio with its interval."""
    return f"drop ratio {spread(ratio.value, (ratio.low, ratio.high), '')}"


def scorer_kept(found: Found) -> bool:
    """Whether the scorer is not what moved: the same pairs score the same, or few were edited.

    Edited documents do not exculpate a reranker of which the record says that it was changed,
    nor where the drops of the same pairs make up half of the effect.
    """
    pairs = found.pairs
    if pairs.same or not pairs.edited:
        return pairs.same
    before, after = found.levels[False], found.levels[True]
    renamed = max(before["rerankers"], after["rerankers"]) > 1 or (
        before["reranker"] != after["reranker"]
    )
    logged = any(str(event["key"]).startswith("reranker") for event in near_events(found))
    theirs = abs(pairs.turned) / pairs.n
    return not renamed and not logged and theirs < _HALF * abs(found.fixed.difference.value)


def pairs_said(found: Found) -> str:
    """Say how many of the same pairs score the same, or differently."""
    pairs = found.pairs
    if not scorer_kept(found):
        return f"{number(pairs.moved)} of {count(pairs.n, 'same pairs')} score differently"
    if not pairs.moved:
        return f"all {count(pairs.n, 'same pairs')} score the same"
    return f"all but {number(pairs.moved)} of {count(pairs.n, 'same pairs')} score the same"


def _reranker(found: Found) -> Rival:
    pairs = found.pairs
    explanation = "The reranker moved: the same query and document score differently"
    test = "scores of the same pairs before and after, against noise and rounding"
    if found.gates_embedding:
        return Rival(
            explanation, "the score that the gate reads", "excluded",
            "the gate reads the score of the embedding, and no reranker's",
        )  # fmt: skip
    if not pairs.tested:
        return Rival(
            explanation, test, "not_testable",
            f"only {count(pairs.n, 'pairs')} were scored in both periods",
        )  # fmt: skip
    text = (
        f"{number(pairs.moved)} of {count(pairs.n, 'pairs')} differ by more than "
        f"{number(pairs.tolerance)}; the largest difference is {number(pairs.largest)}"
    )
    kept = scorer_kept(found)
    if kept and not pairs.same:
        text += (
            f"; they are of {number(pairs.changed)} of {count(pairs.documents, 'documents')}, "
            "of which nearly all pairs differ and of the others none: they were edited, or are "
            "read otherwise, and the scorer of all others is the same"
        )
    return Rival(explanation, test, "excluded" if kept else "not_excluded", text)


def _threshold(found: Found) -> Rival:
    gate = found.gate
    explanation = "The threshold itself was changed"
    test = "thresholds before and after; drops with the old one in both periods"
    if not gate.moved:
        return Rival(
            explanation, test, "excluded",
            f"it is {number(gate.before)} in both periods, {gate.told}",
        )  # fmt: skip
    left = retained(found.fixed, found.in_force)
    return Rival(
        explanation,
        test,
        "excluded" if left == "excluded" else "not_excluded",
        f"it went from {number(gate.before)} to {number(gate.after)}; with the old one "
        f"{_said(found.fixed)}",
    )


def _queries(found: Found) -> Rival:
    return Rival(
        "Other queries were asked: season or mix",
        "drops of the queries that were asked in both periods",
        retained(found.same_queries, found.fixed),
        _said(found.same_queries),
    )


def _corpus(found: Found) -> Rival:
    explanation = "The corpus changed: new or re-cut documents"
    test = "drops of documents offered before, dense scores of the same pairs, log of changes"
    level, pairs = found.levels[True], found.pairs
    unknown = level["candidates"] - level["of_known_documents"]
    text = (
        f"{share(unknown / level['candidates'])} of the candidates after are of documents "
        f"not offered before; without those {_said(found.known_documents)}"
    )
    logged = any(event["key"] == "corpus" for event in near_events(found))
    outcome = retained(found.known_documents, found.fixed)
    if outcome != "excluded" and pairs.embedding_moved and not logged:
        outcome = "not_testable"
        text += (
            f"; {number(pairs.dense_moved)} of {count(pairs.dense_n, 'same pairs')} have "
            "another dense score, so the embedding moved, and new documents may be its choice"
        )
    if found.embedding_rescored and logged:
        outcome = "not_excluded"
        text += (
            "; the log holds a change of the corpus, and documents that are read otherwise have "
            "another dense score too"
        )
    return Rival(explanation, test, outcome, text)


def _depth(found: Found) -> Rival:
    explanation = "More candidates are fetched (top-k)"
    test = "length of the lists; drops in the first places that both have"
    lengths = [found.levels[period]["candidates"] / found.levels[period]["retrievals"]
               for period in (False, True)]  # fmt: skip
    text = f"{number(lengths[0])} candidates a retrieval before, {number(lengths[1])} after"
    if found.same_depth is None:
        return Rival(explanation, test, "excluded", text)
    return Rival(
        explanation,
        test,
        retained(found.same_depth, found.fixed),
        f"{text}; in the first {number(found.depth)} places {_said(found.same_depth)}",
    )


def changed_depth(levels: dict[bool, dict[str, int]]) -> int | None:
    """Length of the shorter list where the lists have other lengths; None where they have not."""
    lengths = [levels[period]["candidates"] / levels[period]["retrievals"]
               for period in (False, True)]  # fmt: skip
    if abs(lengths[1] / lengths[0] - 1) <= DEPTH:
        return None
    return max(1, round(min(lengths)))


def _unscored(found: Found) -> Rival:
    shares = [found.levels[period]["unscored"] / found.levels[period]["candidates"]
              for period in (False, True)]  # fmt: skip
    return Rival(
        "Candidates without a score are counted as drops",
        "drops of candidates with a score alone",
        "excluded",
        f"{share(shares[0])} before and {share(shares[1])} after have none and are set apart; "
        f"{_said(found.fixed)}",
    )


def near_events(found: Found) -> list[dict[str, object]]:
    """Changes in the log within a day of the change, or between the two periods."""
    start, end = found.periods.ended_at, found.periods.changed_at
    if end is None:
        return []
    first = min(start or end, end) - _ZONE
    return [event for event in found.events if first <= event["occurred_at"] <= end + _ZONE]


def _concurrent(found: Found) -> Rival:
    explanation = "Another change at the same time"
    test = "log of changes within a day of this one"
    events = near_events(found)
    corpus = outcome_of((_corpus(found),), "The corpus")
    open_ones = [
        event for event in events
        if event["key"] not in _SEPARATED and not str(event["key"]).startswith(_SEPARATED_KINDS)
        and not (event["key"] == "corpus" and corpus == "excluded")
    ]  # fmt: skip
    if not found.events:
        return Rival(explanation, test, "not_testable", "no log of changes for this time")
    if open_ones:
        keys = ", ".join(sorted({str(event["key"]) for event in open_ones}))
        first = instant(open_ones[0]["occurred_at"])  # type: ignore[arg-type]
        return Rival(explanation, test, "not_excluded", f"{keys}, first at {first}")
    keys = ", ".join(sorted({str(event["key"]) for event in events})) or "none"
    return Rival(explanation, test, "excluded", f"changes that are told apart: {keys}")


def falsify(found: Found) -> Falsifier:
    """Look whether relevance returns with the pass rate; if not, retrieval lost it, not the gate.

    It does not where less than half of what was lost returns, or where what is dropped in addition
    is less than half as relevant as what was dropped all along. The same pairs speak too: a
    reranker that scores them differently would be what moved; an embedding whose scores are gated
    and that offers the same with the same scores did not move.
    """
    statement = "At the restoring threshold the pass rate returns and the lost relevance does not"
    pairs, replay = found.pairs, found.relevance.replay
    idle = False
    if found.gates_embedding:
        statement += ", or the embedding offers the same candidates with the same scores"
        over = found.overlap
        idle = pairs.same and over is not None and over.value >= 1 - SAME
    else:
        statement += ", or the scorer gives the same pairs other scores"
    seen = pairs_said(found) if pairs.tested else "too few pairs were scored in both periods"
    if replay is None:
        lacking = (
            "the judgments are of no candidate in one or both of the periods"
            if found.relevance.strange
            else "no judgments on both sides of the threshold"
        )
        return Falsifier(
            statement, pairs.tested, f"{seen}; not replayed: {lacking}", idle,
        )  # fmt: skip
    lost, back = (
        spread(e.value, (e.low, e.high), "points", signed=True)
        for e in (replay.lost, replay.returned)
    )
    worthless, worth = _worthless(found)
    return Falsifier(
        statement,
        True,
        f"{seen}; judged relevance that passes is {lost} against before at the old threshold, "
        f"and {back} at the restoring one{worth}",
        falsified=replay.stays_lost or worthless or idle,
    )


def _worthless(found: Found) -> tuple[bool, str]:
    """Whether what is dropped in addition is less than half as relevant as what always was.

    Then relevant drops grow by less than half as much as drops do.
    """
    drops, relevant = found.fixed.ratio, found.relevance.relevant_drops
    grown = relevant.ratio if relevant else None
    if drops is None or grown is None or drops.value <= 1:
        return False, ""
    text = (
        f"; relevant candidates are dropped {spread(grown.value, (grown.low, grown.high), '')} "
        f"times as often, all candidates {number(drops.value)} times"
    )
    return grown.high < (1 + drops.value) / 2, text
