"""One or more invented charts of every form, with the roles that the forms document."""

import math
from datetime import UTC, datetime, timedelta

from casework.findings import Chart, Row

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def chart(id: str, form: str, rows: list[Row], **encode: object) -> Chart:
    return Chart(
        id=id,
        form=form,  # type: ignore[arg-type]
        title=f"What {id} shows",
        subtitle="How to read it.",
        alt=f"In words: {id} & <its numbers>.",
        rows=tuple(rows),
        encode=encode,
    )


def clock(text: str) -> datetime:
    return MONDAY + timedelta(hours=int(text[:2]), minutes=int(text[3:]))


LIFT = chart(
    "lift",
    "intervals",
    [
        {"label": "As read out", "value": 0.081, "low": 0.069, "high": 0.093, "role": "before"},
        {"label": "For everyone", "value": 0.002, "low": -0.004, "high": 0.008, "role": "after"},
        {"label": "Not estimable", "value": float("nan"), "low": None, "high": None, "role": None},
    ],
    x_title="relative lift, %",
    unit="share",
    zero=True,
    rules=[{"x": 0.01, "label": "smallest that matters"}],
)
REFUSAL = chart(
    "refusal",
    "intervals",
    [
        {
            "label": category,
            "series": series,
            "value": value,
            "low": value - 0.05,
            "high": value + 0.05,
            "role": role,
        }
        for category, base, tuned in (("malware", 0.88, 0.2), ("self-harm", 0.94, 0.64))
        for series, value, role in (("base", base, "before"), ("tuned", tuned, "after"))
    ],
    x_title="share refused, %",
    unit="share",
    joined=True,
)
BALANCE = chart(
    "balance",
    "love",
    [
        {
            "label": "tasks in the 28 days before",
            "value": 0.83,
            "low": 0.8,
            "high": 0.86,
            "role": "gate",
        },
        {"label": "seats", "value": 0.02, "low": None, "high": None, "role": "before"},
    ],
    x_title="standardised difference",
    band=0.05,
    threshold=0.1,
)
LANES = chart(
    "lanes",
    "spans",
    [
        {"lane": "served", "label": "v37", "start": None, "end": clock("09:02"), "kind": "span"},
        {"lane": "served", "label": "v38", "start": clock("09:02"), "end": None, "kind": "span"},
        {
            "lane": "served",
            "label": "a hotfix of a few minutes",
            "start": clock("12:00"),
            "end": clock("12:04"),
            "kind": "span",
            "n": 12,
        },
        {
            "lane": "served",
            "label": "never scored",
            "start": clock("09:02"),
            "end": clock("17:03"),
            "kind": "zone",
        },
        {"lane": "tickets", "start": clock("16:51"), "kind": "tick", "role": "gate"},
        {"label": "escalations", "start": clock("16:51"), "kind": "event", "role": "gate"},
        {"label": "rollback", "start": clock("17:03"), "kind": "event"},
        {"label": "long after", "start": clock("09:02") + timedelta(days=400), "kind": "event"},
    ],
    x_title="Monday",
    start=clock("08:00"),
    end=clock("18:00"),
)
COVERAGE = chart(
    "coverage",
    "bars",
    [
        {"label": month, "part": part, "value": n, "share": n / 1000, "role": role}
        for month, counts in (("January", (712, 280, 8)), ("February", (600, 380, 20)))
        for (part, role), n in zip(
            (("digest", "after"), ("replica", None), ("in doubt", "gate")), counts, strict=True
        )
    ],
    x_title="share of decisions, %",
    order=["digest", "replica", "in doubt"],
    unit="count:decisions",
)
SCORES = chart(
    "scores",
    "lines",
    [
        {
            "x": step / 20,
            "value": math.exp(-(((step / 20 - middle) / 0.15) ** 2)),
            "low": None,
            "high": None,
            "series": series,
            "role": role,
        }
        for series, middle, role in (("before", 0.6, "before"), ("after", 0.5, "after"))
        for step in range(21)
    ],
    x_title="reranker score",
    y_title="density",
    zero=True,
    fill_below=0.4,
    rules=[{"x": 0.4, "label": "gate"}, {"x": 0.33, "label": "restores", "dashed": True}],
)
SLOPES = chart(
    "slopes",
    "lines",
    [
        {"x": x, "value": value, "low": value - 0.03, "high": value + 0.03, "series": series}
        for series, values in (("leaked", (0.91, 0.62)), ("clean", (0.66, 0.65)))
        for x, value in zip(("as run", "leave one out"), values, strict=True)
    ],
    y_title="share right, %",
    unit="share",
)
PANELS = chart(
    "panels",
    "lines",
    [
        {
            "panel": panel,
            "x": MONDAY + timedelta(weeks=week),
            "value": start + slope * week,
            "low": start + slope * week - spread,
            "high": start + slope * week + spread,
            "series": series,
            "role": role,
        }
        for panel, series, role, start, slope, spread in (
            ("eval", "all items", "after", 0.7, 0.02, 0.03),
            ("nps", "enterprise", "gate", 40, -3, 4),
        )
        for week in range(10)
    ],
    x_title="week",
    y_titles={"eval": "eval score", "nps": "net promoter score"},
    rules=[{"x": MONDAY + timedelta(weeks=4), "label": "curation begins", "role": "before"}],
)
EMPTY = [
    chart(f"empty_{form}", form, []) for form in ("intervals", "love", "spans", "bars", "lines")
]
ALL = [LIFT, REFUSAL, BALANCE, LANES, COVERAGE, SCORES, SLOPES, PANELS]
