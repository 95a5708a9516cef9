"""What `threshold_drift` says: headline, findings, remedies, limits."""

import math

from casework.diagnoses import _gate_pairs as pairs
from casework.diagnoses import _gate_relevance as relevance
from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate import Found, rank_of
from casework.diagnoses._gate_charts import less_one
from casework.diagnoses._gate_rivals import pairs_said, scorer_kept
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding, Verdict
from casework.stats.estimates import Estimate
from casework.words import count, number, share, spread

MOVED = {
    "candidate_set": "the candidates changed",
    "reranker": "the same query and document score differently, so the scorer moved",
    "threshold": "the threshold itself was changed",
    "query_mix": "other queries were asked",
    "corpus": "the documents changed",
    "none": "nothing upstream moved the drops beyond chance",
    None: "what moved cannot be told",
}


def headline(verdict: Verdict, moved: str | None, found: Found) -> str:
    """Say the answer in one sentence."""
    gate = gate_said(found)
    ratio = found.fixed.ratio
    if ratio is None:
        return (
            f"The threshold of {gate} drops {share(found.fixed.before)} before and "
            f"{share(found.fixed.after)} after."
        )
    if verdict == "clean" and found.gate.moved:
        return (
            f"The threshold was changed with the rest, from {gate} to "
            f"{number(found.gate.after)}: the one in force "
            f"{_drop_words(found.in_force.ratio or ratio)}, the old one {_drop_words(ratio)}."
        )
    same = found.same_queries.ratio if found.same_queries else None
    if verdict == "clean" and same and _nearer(same, ratio):
        why = f", and {MOVED[moved]}" if moved == "query_mix" else ""
        return (
            f"The threshold of {gate} means what it meant: of the same queries it "
            f"{_drop_words(same)}{why}."
        )
    if verdict == "clean":
        return f"The threshold of {gate} means what it meant{_at_each(found)} {_drop_words(ratio)}."
    if verdict == "inconclusive":
        since = f" since the change ({found.periods.told})" if found.choice.changes else ""
        why = _moved_words(moved, found)
        return f"The threshold of {gate} {_drop_words(ratio)}{since}, and {why}."
    restored = number(found.restored.threshold)
    kept = ""
    if scorer_kept(found):
        kept = (
            pairs_said(found) if found.pairs.moved
            else "the same query and document still score the same"
        )  # fmt: skip
    why = " and ".join(part for part in (kept, _moved_words(moved, found)) if part)
    then = f"A threshold of {restored} restores the pass rate."
    if found.choice.undone:
        then = f"A later change took it back ({found.choice.undone.periods.told})."
    return (
        f"The threshold of {gate} {_drop_words(ratio)} since the change ({found.periods.told}); "
        f"{why}. {then}"
    )


def _at_each(found: Found) -> str:
    """Say at how many changes the drops were compared, where the log holds several."""
    if not found.choice.changes:
        return ":"
    compared = [change for change in found.choice.changes if change.drops]
    can = " that can be compared" if len(compared) < len(found.choice.changes) else ""
    return f" at each of {count(len(compared) + 1, 'changes')}{can}: where it changed most it"


def _moved_words(moved: str | None, found: Found) -> str:
    """Say what moved; the scores of a gate on the dense score are the embedding's own."""
    if found.embedding_rescored and moved == "candidate_set":
        return "the embedding gives the same query and document another score"
    return MOVED[moved]


def gate_said(found: Found) -> str:
    """Say the threshold, and whose it is where several gates are logged."""
    gate = number(found.gate.before)
    part = found.choice.part
    return f"{gate} on {part.reranker}" if part and part.reranker else gate


def _nearer(same: Estimate, ratio: Estimate) -> bool:
    """Whether the same queries show less than half of a change."""
    return abs(math.log(same.value)) < abs(math.log(ratio.value)) / 2


def _drop_words(ratio: Estimate) -> str:
    """Say how many more or fewer; the interval is of what the word says."""
    relative = less_one(ratio)
    word, sign = ("more", 1) if relative.value >= 0 else ("fewer", -1)
    size = share(abs(relative.value))
    ends = sorted((sign * relative.low, sign * relative.high))
    low, high = (("−" if x < 0 else "") + share(abs(x)) for x in ends)
    return f"drops {size} {word} candidates ({low.removesuffix(' %')} to {high})"


def findings(ask: Inquiry, found: Found, reach: dict[str, int]) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    drop = found.fixed.difference
    stated = [
        Finding(
            f"The threshold of {gate_said(found)} dropped {share(found.fixed.before)} of "
            f"the candidates before and {share(found.fixed.after)} after, "
            f"{spread(drop.value, (drop.low, drop.high), 'points', signed=True)}.",
            ("threshold", "pass_rate_before", "pass_rate_after", "drop_ratio"),
            (ask.evidence_id(q.DROPS),),
            tuple(chart.id for chart in ask.charts if chart.id in ("scores", "drops")),
        )
    ]
    if found.pairs.n:
        stated.append(_pairs(ask, found))
    stated.append(_restoring(ask, found))
    if quality := _quality(ask, found):
        stated.append(quality)
    on = f" on {count(reach['days'], 'days')}" if reach["days"] else ""
    stated.append(
        Finding(
            f"After the change {count(reach['queries'], 'queries')}{on} lost "
            f"{count(reach['dropped'], 'candidates')}; "
            f"{_asked(reach)}.",
            (),
            (ask.evidence_id(relevance.REACH),),
        )
    )
    return tuple(stated)


def _asked(reach: dict[str, int]) -> str:
    """Say who asked, as far as it is recorded."""
    if not reach["requests"]:
        return "which requests asked is not recorded"
    of = count(reach["accounts"], "accounts") if reach["accounts"] else "no account is recorded"
    return f"{count(reach['requests'], 'requests')} asked, {'of ' if reach['accounts'] else ''}{of}"


def _pairs(ask: Inquiry, found: Found) -> Finding:
    pair, over = found.pairs, found.overlap
    text = (
        f"Of {count(pair.n, 'pairs')} of query and document scored in both periods "
        f"{number(pair.moved)} score differently; the largest difference is "
        f"{number(pair.largest)}."
    )
    if pair.moved and not pair.same and scorer_kept(found):
        text += (
            f" They are pairs of {number(pair.changed)} of {count(pair.documents, 'documents')}, "
            "which score differently for nearly every query: they were edited, or are read "
            "otherwise."
        )
    if over:
        text += f" The candidates of a query overlap by {share(over.value)}."
    return Finding(
        text,
        ("same_pair_max_abs_difference", "candidate_overlap", "moved"),
        tuple(ask.evidence_id(by) for by in (pairs.SAME_PAIRS, pairs.CHANGED, pairs.OVERLAP)),
    )


def _restoring(ask: Inquiry, found: Found) -> Finding:
    restored, (low, high) = found.restored, found.restored_interval
    text = (
        f"A threshold of {spread(restored.threshold, (low, high), '')} lets as large a share pass "
        "as before."
    )
    text += _ties(found)
    names, by = ["restoring_threshold"], [ask.evidence_id(pairs.STEPS)]
    if found.relevance.precision and found.relevance.target is not None:
        p = found.relevance.precision
        text += (
            f" The precision of before, {share(found.relevance.target)}, needs "
            f"{spread(p.value, (p.low, p.high), '')}."
        )
        names.append("precision_threshold")
        by.append(ask.evidence_id(pairs.JUDGED_BINS))
    return Finding(text, tuple(names), tuple(by))


def _ties(found: Found) -> str:
    """Say what the thresholds around a tie let pass, where none lets just as many."""
    restored, fixed, n = found.restored, found.fixed, int(found.fixed.n1)
    passing, before = share(restored.passing / n), share(1 - fixed.before)
    if restored.passing == rank_of(fixed) or passing == before:
        return ""
    above = ", and no score lies above"
    if restored.stricter is not None:
        fewer = share(restored.stricter_passing / n)
        above = f", the next above, {number(restored.stricter)}, {fewer}"
    return f" Scores tie there: it lets {passing} pass{above}; before it was {before}."


def _quality(ask: Inquiry, found: Found) -> Finding | None:
    sums = found.relevance.sums
    ratio = sums.ratio if sums else None
    if sums is None or ratio is None:
        return None
    relative, points = less_one(ratio), sums.difference
    by = relevance.OUTCOME if found.relevance.by_outcome else relevance.GAIN
    return Finding(
        f"{found.relevance.source} changed by "
        f"{spread(relative.value, (relative.low, relative.high), 'share', signed=True)} relative "
        f"to before: from {number(sums.before)} to {number(sums.after)}, by "
        f"{spread(points.value, (points.low, points.high), '', signed=True)}.",
        ("quality_change", "quality_change_points"),
        (ask.evidence_id(by),),
        ("relevance",) if any(chart.id == "relevance" for chart in ask.charts) else (),
    )


def remedies(verdict: Verdict, moved: str | None, found: Found) -> tuple[str, ...]:
    """Say what to do in this case."""
    if verdict == "clean":
        return ()
    said = []
    if verdict in ("confirmed", "supported") and moved != "query_mix":
        said.append(_threshold_to_set(found))
    said += [
        "Version the threshold with embedding, reranker and corpus as one unit, and calibrate it "
        "anew with each release of one of them.",
        "Watch the pass rate and the precision of what passes, not the constant.",
    ]
    if verdict == "confirmed":
        said.append("Consider a gate relative to the query: first k, or a margin to the best.")
    return tuple(said)


def _threshold_to_set(found: Found) -> str:
    """Say which threshold to set, or why none."""
    restored = number(found.restored.threshold)
    undone = found.choice.undone
    if undone:
        return (
            f"Leave the threshold as long as the later change stays ({undone.periods.told}): "
            f"it brought the drops back. {restored} would restore the volume under the change that "
            "it took back."
        )
    if apart := _apart(found):
        return apart
    if precision := found.relevance.precision:
        return (
            f"Set the threshold to {number(precision.value)}, which restores the precision; "
            f"{restored} restores the volume alone."
        )
    return (
        f"Until pairs are judged, set the threshold to {restored}; that restores the volume, not "
        "the precision."
    )


def _apart(found: Found) -> str | None:
    """Say what to do where volume needs another direction than precision; None where it does not.

    The pass rate and the precision of what passes then both fell, or both rose, and what brings
    the one back takes the other further away.
    """
    precision, gate, restored = (
        found.relevance.precision, found.gate.after, found.restored.threshold
    )  # fmt: skip
    if precision is None or precision.low <= gate <= precision.high:
        return None
    if (precision.value > gate) == (restored > gate):
        return None
    many, less = ("more", "less") if precision.value > gate else ("fewer", "more")
    return (
        f"Choose what to keep before the threshold of {number(gate)} is moved; no threshold keeps "
        f"both. {number(restored)} keeps as many passing as before, {number(precision.value)} "
        f"keeps as large a share of what passes relevant. They lie on both sides of it because "
        f"{many} are dropped and what passes is {less} often relevant all the same: look first at "
        "what moved."
    )
