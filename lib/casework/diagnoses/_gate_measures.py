"""The measures of `threshold_drift`."""

from casework.diagnoses import _gate_pairs as pairs
from casework.diagnoses import _gate_relevance as relevance
from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate import Found
from casework.diagnoses._gate_changes import Change
from casework.diagnoses._gate_charts import less_one
from casework.diagnoses._gate_kinds import KINDS, Other
from casework.diagnoses._inquiry import Inquiry


def measure(ask: Inquiry, found: Found, moved: str | None) -> None:
    """Record what was found at the gate, of same pairs, and of relevance."""
    queries = found.fixed.clusters
    ask.measure("threshold", found.gate.before, "score", found.gate.by)
    for name, period in (("pass_rate_before", False), ("pass_rate_after", True)):
        drop = found.in_force.level(after=period)
        ask.measure(name, 1 - drop.value, "share:candidates", q.DROPS,
                    ci95=(max(0.0, 1 - drop.high), min(1.0, 1 - drop.low)),
                    n=found.levels[period]["scored"])  # fmt: skip
    for name, sums in (
        ("drop_ratio", found.in_force),
        ("drop_ratio_same_threshold", found.fixed),
        ("drop_ratio_with_unscored", found.as_logged),
    ):
        if sums is None:
            continue
        ratio = sums.ratio
        ask.measure(name, ratio.value if ratio else None, "ratio", q.DROPS,
                    ci95=(ratio.low, ratio.high) if ratio else None, n=queries)  # fmt: skip
    for name, period in (("unscored_before", False), ("unscored_after", True)):
        level = found.levels[period]
        ask.measure(name, level["unscored"], "candidates", q.LEVELS, n=level["candidates"])
    change = found.fixed.difference
    ask.measure("drop_change", change.value, "points", q.DROPS, ci95=(change.low, change.high),
                n=queries)  # fmt: skip
    ask.measure("same_pair_max_abs_difference", found.pairs.largest, "score", pairs.SAME_PAIRS,
                n=found.pairs.n)  # fmt: skip
    over = found.overlap
    ask.measure("candidate_overlap", over.value if over else None, "share", pairs.OVERLAP,
                ci95=(over.low, over.high) if over else None, n=over.n if over else 0)  # fmt: skip
    ask.measure("restoring_threshold", found.restored.threshold, "score", pairs.STEPS,
                ci95=found.restored_interval, n=found.levels[True]["queries"])  # fmt: skip
    ask.measure("restoring_threshold_stricter", found.restored.stricter, "score", pairs.STEPS)
    _measure_relevance(ask, found)
    _measure_gates(ask, found)
    _measure_changes(ask, found)
    ask.measure("moved", moved, "label", pairs.SAME_PAIRS)
    rows = [
        {"column": d.column, "ks": d.ks, "p_adjusted": p, "wasserstein_sd": d.wasserstein,
         "psi": d.psi, "psi_chance": d.psi_critical}
        for d, p in found.drift
    ]  # fmt: skip
    ask.measure("drift", rows, "table", q.LEVELS, n=queries)


def _measure_gates(ask: Inquiry, found: Found) -> None:
    """Record what the gates that share the log drop, where there are several."""
    if found.choice.part is None:
        return
    part = found.choice.part
    told = [Other(part.name, part.candidates, found.fixed), *found.choice.others]
    rows = [
        {"gate": gate.name, "candidates": gate.candidates,
         "dropped_before": gate.drops.before if gate.drops else None,
         "dropped_after": gate.drops.after if gate.drops else None}
        for gate in told
    ]  # fmt: skip
    ask.measure("gates", rows, "table", KINDS)


def _measure_changes(ask: Inquiry, found: Found) -> None:
    """Record what the gate drops at each change, where there are several."""
    if not found.choice.changes:
        return
    told = [Change(found.periods, found.fixed), *found.choice.changes]
    rows = [
        {"change": change.periods.told, "changed_at": change.periods.changed_at,
         "dropped_before": change.drops.before if change.drops else None,
         "dropped_after": change.drops.after if change.drops else None}
        for change in told
    ]  # fmt: skip
    ask.measure("changes", rows, "table", q.DROPS, n=len(rows))


def _measure_relevance(ask: Inquiry, found: Found) -> None:
    told = found.relevance
    p = told.precision
    by = pairs.JUDGED_BINS if p else q.COLUMNS_FILLED
    ask.measure("precision_threshold", p.value if p else None, "score", by,
                ci95=(p.low, p.high) if p else None, n=p.n if p else None)  # fmt: skip
    ratio = told.sums.ratio if told.sums else None
    if told.sums is None or ratio is None:
        ask.measure("quality_change", None, "share", q.COLUMNS_FILLED)
        return
    by = relevance.OUTCOME if told.by_outcome else relevance.GAIN
    relative, points = less_one(ratio), told.sums.difference
    ask.measure("quality_change", relative.value, "share", by,
                ci95=(relative.low, relative.high), n=relative.n)  # fmt: skip
    ask.measure("quality_change_points", points.value, "score", by,
                ci95=(points.low, points.high), n=points.n)  # fmt: skip
    if told.replay:
        part = told.replay.threshold_part
        ask.measure("threshold_part", part.value, "points", relevance.REPLAY,
                    ci95=(part.low, part.high), n=part.n)  # fmt: skip
        ask.measure("interaction", told.replay.parts.interaction, "points", relevance.REPLAY,
                    n=part.n)  # fmt: skip
