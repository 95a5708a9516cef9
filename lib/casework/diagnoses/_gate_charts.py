"""The pictures of `threshold_drift`."""

from typing import Any

from casework.diagnoses import _gate_pairs as pairs
from casework.diagnoses import _gate_relevance as relevance
from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate import Found
from casework.diagnoses._inquiry import Inquiry
from casework.stats.estimates import Estimate
from casework.stats.periods import PeriodSums
from casework.words import number, share, spread

_BINS = 40


def draw(ask: Inquiry, found: Found, params: dict[str, Any], sesoi: float) -> None:
    """Draw the scores with the gate, the drops of like with like, and relevance."""
    _draw_scores(ask, found, params)
    _draw_drops(ask, found, sesoi)
    _draw_relevance(ask, found)


def _draw_scores(ask: Inquiry, found: Found, params: dict[str, Any]) -> None:
    low = min(level["lowest"] for level in found.levels.values())
    high = max(level["highest"] for level in found.levels.values())
    width = (high - low) * (1 + 1e-9) or 1.0
    counts = {(row["is_after"], row["bin"]): row["candidates"]
              for row in ask.ask(pairs.SCORES, **params, lowest=low, width=width)}  # fmt: skip
    rows = []
    for period, series, role in ((False, "before", "before"), (True, "after", "after")):
        total = found.levels[period]["scored"]
        for step in range(_BINS):
            value = counts.get((period, step), 0) / total
            x = low + width * (step + 0.5) / _BINS
            rows.append({"x": x, "value": value, "series": series, "role": role})
    gate, restored = found.gate.before, found.restored.threshold
    before, after = found.fixed.before, found.fixed.after
    ask.chart(
        "scores",
        "lines",
        _below(found),
        "Share of the candidates by score, before and after. Filled: what is dropped. Dashed: the "
        "threshold that restores the pass rate.",
        f"Scores before and after. At the threshold of {number(gate)} the share dropped is "
        f"{share(before)} before and {share(after)} after; {number(restored)} restores it.",
        rows,
        {
            "x_title": found.periods.score.replace("_", " "),
            "y_title": "% of the candidates",
            "unit": "share",
            "zero": True,
            "rules": _gates(found),
            "fill_below": gate,
        },
        pairs.SCORES,
    )


def _below(found: Found) -> str:
    """Say what the gate drops, in force and at the old threshold where it was changed."""
    before, after = found.fixed.before, found.fixed.after
    if found.gate.moved:
        return (
            f"The thresholds in force dropped {share(found.in_force.before)} before and "
            f"{share(found.in_force.after)} after; the old one would drop {share(after)}"
        )
    return (
        f"Below the threshold lie {share(before)} of the candidates before and {share(after)} after"
    )


def _gates(found: Found) -> list[dict[str, Any]]:
    """The threshold, the one since then where it was changed, and the one that restores."""
    gate, restored = found.gate.before, found.restored.threshold
    since: list[dict[str, Any]] = []
    if found.gate.moved:
        now = found.gate.after
        since = [{"x": now, "label": f"since {number(now)}", "role": "gate"}]
    old = "old threshold" if since else "threshold"
    return [
        {"x": gate, "label": f"{old} {number(gate)}", "role": "gate"},
        {"x": restored, "label": f"restoring {number(restored)}", "role": "gate", "dashed": True},
        *since,
    ]


def _draw_drops(ask: Inquiry, found: Found, sesoi: float) -> None:
    readings: list[tuple[str, PeriodSums | None, str]] = [
        ("as logged, without a score too", found.as_logged, "before"),
        ("at the thresholds in force", found.in_force, "before"),
        ("at the old threshold", found.fixed, "after"),
        ("of the same queries", found.same_queries, "after"),
        ("of the same documents", found.known_documents, "after"),
        (f"in the first {number(found.depth)} places", found.same_depth, "after"),
    ]
    rows = []
    for label, sums, role in readings:
        ratio = sums.ratio if sums is not None and sums.testable else None
        if ratio:
            rows.append(_dot(label, ratio, role))
    if not rows:  # where nothing is dropped in one of the periods there is no ratio
        return
    ratio, in_force = found.fixed.ratio, found.in_force.ratio
    title = "Drops before and after"
    if ratio:
        said = spread(ratio.value, (ratio.low, ratio.high), "")
        title = f"The gate drops {said} times as many candidates"
        if found.gate.moved and in_force:
            now = spread(in_force.value, (in_force.low, in_force.high), "")
            title = f"The gate in force drops {now} times as many candidates, the old one {said}"
    ask.chart(
        "drops",
        "intervals",
        title,
        "Share dropped after, divided by the share before, with 95 % intervals, and compared like "
        "with like. Ruled: no change, and the smallest that matters.",
        "Drop ratio: " + "; ".join(f"{r['label']} {number(r['value'])}" for r in rows) + ".",
        rows,
        {
            "x_title": "drop rate after / before",
            "unit": "",
            "zero": False,
            "rules": [
                {"x": 1.0, "label": "no change", "role": "before"},
                {"x": 1 + sesoi, "label": "matters", "role": "gate"},
            ],
        },
        q.DROPS,
    )


def _draw_relevance(ask: Inquiry, found: Found) -> None:
    """Draw what the replay gives, else the change of quality as served."""
    replay, quality = found.relevance.replay, found.relevance.sums
    ratio = quality.ratio if quality else None
    if replay:
        rows = [_dot("at the old threshold", replay.lost, "after"),
                _dot("at the restoring threshold", replay.returned, "good")]  # fmt: skip
        title = "Relevance that passes, replayed with the candidates after"
        unit, x_title, by = "points", "percentage points against before", relevance.REPLAY
    elif ratio:
        rows = [_dot(f"{found.relevance.source}, as served", less_one(ratio), "after")]
        title = "Relevance after against before"
        unit, x_title = "share", "relative change, %"
        by = relevance.OUTCOME if found.relevance.by_outcome else relevance.GAIN
    else:
        return
    told = "; ".join(
        f"{row['label']} {spread(row['value'], (row['low'], row['high']), unit, signed=True)}"
        for row in rows
    )
    briefly = "; ".join(f"{row['label']} {spread(row['value'], None, unit)}" for row in rows)
    ask.chart(
        "relevance",
        "intervals",
        f"{title}: {briefly}",
        "Change against before, with 95 % intervals, queries as clusters.",
        f"{title}: {told}.",
        rows,
        {"x_title": x_title, "unit": unit, "zero": True, "rules": []},
        by,
    )


def less_one(ratio: Estimate) -> Estimate:
    """The relative change that a ratio of after and before is."""
    return Estimate(ratio.value - 1, ratio.low - 1, ratio.high - 1, ratio.n)


def _dot(label: str, estimate: Estimate, role: str) -> dict[str, Any]:
    return {
        "label": label,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "role": role,
    }
