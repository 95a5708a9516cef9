"""The pictures of `output_attribution`."""

from typing import Any

from casework.diagnoses import _attribution as q
from casework.diagnoses._attribution_words import GRADES
from casework.diagnoses._inquiry import Inquiry
from casework.words import count, number, share


def draw(
    ask: Inquiry,
    window: dict[str, Any],
    grades: dict[str, int],
    total: int,
    known: dict[str, Any],
) -> None:
    """Draw the alias over time with its zones, and the decisions by grade."""
    open_ones = ask.ask(q.UNATTRIBUTED, **known)
    spans, boundaries = ask.ask(q.SPANS, **known), ask.ask(q.BOUNDARIES, **known)

    def lane(row: dict[str, Any]) -> str:
        name = row.get("alias") or row.get("endpoint") or "not recorded"
        return f"{name} ({row['region']})" if row.get("region") else str(name)

    rows = [
        {"lane": lane(row), "label": row["checkpoint"], "start": row["valid_from"],
         "end": row["valid_until"], "kind": "span", "role": None}
        for row in spans
    ]  # fmt: skip
    rows += [
        {"lane": lane(row), "label": "", "start": row["zone_from"],
         "end": row["zone_until"], "kind": "zone", "role": "gate"}
        for row in boundaries
    ]  # fmt: skip
    rows += [
        {"lane": lane(row), "label": row["grade"], "start": row["occurred_at"],
         "end": None, "kind": "tick", "role": "gate"}
        for row in open_ones[:500]
    ]  # fmt: skip
    attributed = sum(grades.get(grade, 0) for grade in "ABC")
    ask.chart(
        "in_force",
        "spans",
        f"The alias moved {count(len(boundaries), 'times')} while decisions were made",
        "What the alias pointed at. Zones: either neighbour may have answered. Ticks: decisions "
        "that cannot be attributed.",
        f"Timeline of {count(len(spans), 'alias events')}, {count(len(boundaries), 'boundaries')} "
        f"in the window, {count(total - attributed, 'unattributed decisions')}.",
        rows,
        {"x_title": "UTC", "start": window["first"], "end": window["last"]},
        q.SPANS,
    )
    parts: list[dict[str, Any]] = [
        {"label": "decisions", "part": f"{grade} {words}", "value": grades.get(grade, 0),
         "share": grades.get(grade, 0) / total, "role": None if grade in "ABC" else "gate"}
        for grade, words in GRADES.items()
    ]  # fmt: skip
    ask.chart(
        "coverage",
        "bars",
        f"{share(attributed / total)} of the decisions have exactly one checkpoint",
        "Decisions by how their checkpoint is known.",
        "Decisions by grade: "
        + ", ".join(f"{row['part']} {number(row['value'])}" for row in parts) + ".",
        parts,
        {"x_title": "decisions", "order": [row["part"] for row in parts]},
        q.BY_GRADE,
    )  # fmt: skip
