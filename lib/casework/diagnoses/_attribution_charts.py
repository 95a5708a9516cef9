"""The pictures of `output_attribution`."""

from typing import Any

from casework.diagnoses import _attribution as q
from casework.diagnoses._attribution_words import GRADES, the_alias
from casework.diagnoses._inquiry import Inquiry
from casework.words import count, number, share

_TICKS = 500


def draw(
    ask: Inquiry,
    window: dict[str, Any],
    grades: dict[str, int],
    total: int,
    known: dict[str, Any],
) -> None:
    """Draw the alias over time with its zones, and the decisions by grade."""
    _draw_in_force(ask, window, grades, known)
    _draw_coverage(ask, grades, total)


def _draw_in_force(
    ask: Inquiry, window: dict[str, Any], grades: dict[str, int], known: dict[str, Any]
) -> None:
    spans, boundaries = ask.ask(q.SPANS, **known), ask.ask(q.BOUNDARIES, **known)
    rows = [
        {"lane": _lane(row["alias"], row["region"]), "label": row["checkpoint"],
         "start": row["valid_from"], "end": row["valid_until"], "kind": "span", "role": None}
        for row in spans
    ]  # fmt: skip
    lanes = {row["lane"] for row in rows}
    told_as = {name: row["alias"] for row in spans for name in row["called"]}
    rows += [
        {"lane": _lane(told_as[row["alias"]], row["region"]), "label": "",
         "start": row["zone_from"], "end": row["zone_until"], "kind": "zone", "role": "gate"}
        for row in boundaries
    ]  # fmt: skip
    for row in ask.ask(q.UNATTRIBUTED, **known)[:_TICKS]:
        alias = told_as.get(row["endpoint"], row["endpoint"])
        regional = _lane(alias, row["region"])
        lane = regional if regional in lanes else _lane(alias, None)
        rows.append({"lane": lane, "label": row["grade"], "start": row["occurred_at"],
                     "end": None, "kind": "tick", "role": "gate"})  # fmt: skip
    changes = count(len(boundaries), "boundaries")
    open_in_all = grades.get("D", 0) + grades.get("E", 0)
    first = f"the first {number(_TICKS)} of " if open_in_all > _TICKS else ""
    ticks = f" ({first}{number(open_in_all)})" if first else ""
    named = the_alias(ask, known)
    ask.chart(
        "in_force",
        "spans",
        f"{named.capitalize()} moved {count(len(boundaries), 'times')} while decisions were made",
        "What the alias pointed at. Framed: either neighbour may have answered. Ticks: decisions "
        f"that cannot be attributed{ticks}.",
        f"Timeline of {count(len(spans), 'alias events')}, {changes} in the window, "
        f"{first}{count(open_in_all, 'unattributed decisions')} as ticks.",
        rows,
        {"x_title": "UTC", "start": window["first"], "end": window["last"]},
        q.SPANS,
    )


def _draw_coverage(ask: Inquiry, grades: dict[str, int], total: int) -> None:
    attributed = sum(grades.get(grade, 0) for grade in "ABC")
    parts: list[dict[str, Any]] = [
        {"label": "decisions", "part": f"{grade} {words}", "value": grades.get(grade, 0),
         "share": grades.get(grade, 0) / total, "role": None if grade in "ABC" else "gate"}
        for grade, words in GRADES.items()
    ]  # fmt: skip
    told = ", ".join(f"{row['part']} {number(row['value'])}" for row in parts)
    ask.chart(
        "coverage",
        "bars",
        f"{share(attributed / total)} of the decisions have exactly one checkpoint",
        "Decisions by how their checkpoint is known.",
        f"Decisions by grade: {told}.",
        parts,
        {"x_title": "share of decisions", "order": [row["part"] for row in parts]},
        q.BY_GRADE,
    )


def _lane(alias: str | None, region: str | None) -> str:
    name = alias or "not recorded"
    return f"{name} ({region})" if region else name
