"""The pictures of `feedback_poisoning`."""

import math
from typing import Any

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.diagnoses._poisoning_scores import Scores
from casework.diagnoses._poisoning_target import Rows, Survey, Target
from casework.diagnoses._poisoning_trends import Trends, month_of
from casework.stats.estimates import Estimate
from casework.stats.nps import Answers, adjusted_wald
from casework.words import number, share, spread

_TOPICS = 7


def draw(
    ask: Inquiry,
    target: Target,
    trends: Trends,
    found: Coverage,
    scores: Scores,
    survey: Survey | None,
) -> None:
    """Draw eval and NPS over time, topics, coverage, and the scores."""
    _draw_trends(ask, target, trends, survey)
    _draw_topics(ask, target, found)
    _draw_coverage(ask, target, found)
    _draw_scores(ask, target, scores)


def _draw_trends(ask: Inquiry, target: Target, trends: Trends, survey: Survey | None) -> None:
    panel = "eval score"
    rows: list[dict[str, Any]] = []
    for week in trends.weeks:
        rows.append(_point(panel, "all items", week["week"], week["score"], "after"))
        if week["fixed_score"] is not None:
            rows.append(_point(panel, "same items", week["week"], week["fixed_score"], "before"))
    if survey is not None:
        rows += _months(trends.answers, target.label, "gate")
        others = [row for row in survey.answers if not target.holds(row)]
        rows += _months(others, "others", "before")
    first, last = trends.weeks[0], trends.weeks[-1]
    title = f"The eval went from {number(first['score'])} to {number(last['score'])}"
    alt = f"Eval score by week: {title}"
    if last["fixed_score"] is not None and first["fixed_score"] is not None:
        alt += (f", the same items from {number(first['fixed_score'])} to "
                f"{number(last['fixed_score'])}")  # fmt: skip
    if trends.nps_change is not None:
        change = trends.nps_change
        title += f", NPS of {target.label} moved by {spread(change.value, None, 'points')}"
        alt += f"; NPS change {spread(change.value, (change.low, change.high), 'points')}"
    ask.chart(
        "trends",
        "lines",
        title,
        "Above the eval by week, below the NPS by month with 95 % intervals, on one axis of time.",
        f"{alt}.",
        rows,
        {"x_title": "week", "zero": False, "rules": [],
         "y_titles": {panel: "mean score of items", "NPS": "NPS, points"}},
        e.WEEKS,
    )  # fmt: skip


def _months(answers: Rows, series: str, role: str) -> list[dict[str, Any]]:
    """NPS by month, with the adjusted Wald interval."""
    by_month: dict[Any, list[int]] = {}
    for row in answers:
        by_month.setdefault(month_of(row), []).append(row["vote"])
    rows = []
    for month, votes in sorted(by_month.items()):
        counts = Answers(votes.count(1), votes.count(0), votes.count(-1))
        bounds = adjusted_wald(counts)
        rows.append(
            _point("NPS", series, month, 100 * counts.score, role)
            | {
                "low": 100 * min(bounds.low, counts.score),
                "high": 100 * max(bounds.high, counts.score),
            }
        )
    return rows


def _draw_topics(ask: Inquiry, target: Target, found: Coverage) -> None:
    shown = found.topics[:_TOPICS]
    if not shown:
        return
    asked, others, held = f"{target.label} ask", "others ask", "the eval holds"
    rows = []
    for bar, of in ((asked, "target"), (others, "reference"), (held, "share")):
        rest = 1.0
        for topic in shown:
            value = float(getattr(topic, of))
            rest -= value
            role = "gate" if topic.name in found.zero_topics else None
            rows.append({"label": bar, "part": topic.name, "value": value, "share": value,
                         "role": role})  # fmt: skip
        if rest > 0.005:
            rows.append({"label": bar, "part": "other", "value": rest, "share": rest,
                         "role": "muted"})  # fmt: skip
    zero = found.zero_topics
    part = sum(topic.target for topic in found.topics if topic.name in zero)
    title = (
        f"The set holds {found.lacks} topics that are {share(part)} of what {target.label} "
        "customers ask"
        if zero
        else f"Every topic that {target.label} customers ask about has an item"
    )
    told = "; ".join(
        f"{t.name} {share(t.target)} of {target.label}, {share(t.reference)} of others, "
        f"{share(t.share)} of items"
        for t in shown
    )
    ask.chart(
        "topics",
        "bars",
        title,
        "Share of each topic in what customers ask and in what the eval set holds."
        + (f" Vermilion: {found.lacks} these." if zero else ""),
        f"Topics: {told}.",
        rows,
        {"x_title": "share of questions", "order": [t.name for t in shown], "unit": "share"},
        c.SAMPLE,
    )


def _draw_coverage(ask: Inquiry, target: Target, found: Coverage) -> None:
    gap = found.gap
    rows = [
        _dot("questions of others", gap.first, "before"),
        _dot(f"questions of {target.label}", gap.second, "gate"),
    ]
    if found.early is not None:
        rows.append(_dot(f"{target.label}, first third of the time", found.early.second, "muted"))
    ask.chart(
        "coverage",
        "intervals",
        f"The eval set covers {share(gap.second.value)} of what {target.label} customers ask, "
        f"{share(gap.first.value)} of what others ask",
        "Share of requests with an item like them; 95 % intervals over accounts.",
        "Coverage: " + "; ".join(_told(row, "share") for row in rows) + ".",
        rows,
        {"x_title": "share of requests", "zero": True, "rules": [], "unit": "share"},
        c.SAMPLE,
    )


def _draw_scores(ask: Inquiry, target: Target, scores: Scores) -> None:
    rows = [_dot("as reported", scores.reported, "before")]
    if scores.fresh_score is not None:
        rows.append(_dot(f"fresh questions of {target.label}", scores.fresh_score, "after"))
    if scores.raked is not None:
        rows.append(_dot(f"transported to {target.label}", scores.raked.score, "after"))
    elif scores.bounds is not None:
        for end, value in zip(("lowest", "highest"), scores.bounds, strict=True):
            rows.append({"label": f"bounds for {target.label}", "series": end, "value": value,
                         "low": None, "high": None, "role": "muted"})  # fmt: skip
    if len(rows) == 1:
        return
    lower = scores.above is not None and scores.above.low > 0
    ask.chart(
        "scores",
        "intervals",
        f"The score is lower for {target.label} customers" if lower
        else f"The score as reported and for {target.label} customers",
        "Mean score with 95 % intervals"
        + ("." if scores.estimable else "; bounds hold whatever the uncovered questions score."),
        "Scores: " + "; ".join(_told(row, "score") for row in rows) + ".",
        rows,
        {"x_title": "mean score", "zero": False, "rules": [], "unit": "score", "joined": True},
        e.ITEMS,
    )  # fmt: skip


def _point(panel: str, series: str, x: Any, value: float, role: str) -> dict[str, Any]:
    return {"panel": panel, "series": series, "x": x, "value": value, "low": None, "high": None,
            "role": role}  # fmt: skip


def _dot(label: str, found: Estimate, role: str) -> dict[str, Any]:
    low, high = (found.low, found.high) if math.isfinite(found.high - found.low) else (None, None)
    return {"label": label, "value": found.value, "low": low, "high": high, "role": role}


def _told(row: dict[str, Any], unit: str) -> str:
    ends = None if row["low"] is None else (row["low"], row["high"])
    return f"{row['label']} {spread(row['value'], ends, unit)}"
