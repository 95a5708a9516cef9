"""How many rows are no corrections in each part of the set: by origin, by what was told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _debug_labels as q
from casework.diagnoses._debug_classes import Agreement, Classes, share_over
from casework.diagnoses._debug_origins import Known, Origins
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.words import count, share, spread

_NOT_KNOWN = ("not recorded", "not recognised")
_TOLD = {
    "nothing": "neither reason nor comment",
    "reason": "a reason",
    "comment": "a comment",
    "both": "reason and comment",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the set. `contamination` is None where none of its rows is labelled.

    Attributes:
        by: what the set is divided by.
        name: of the part.
        rows: how many it has.
        labelled: how many of them are labelled.
        weight: its share of the weight of the set.
        contamination: rows of the part that are no correction, over the weight of the part.
    """

    by: str
    name: str
    rows: int
    labelled: int
    weight: float
    contamination: Estimate | None


def divide(
    ask: Inquiry, known: Known, origins: Origins, agreement: Agreement, classes: Classes | None
) -> tuple[Part, ...]:
    """Estimate the parts from the strata of the whole, and record them; none without labels.

    Each interval is that of its part alone.
    """
    parts: list[Part] = []
    if classes:
        strata, counted = ask.ask(q.STRATA, **known), ask.ask(q.COUNTED, **known)
        for by, name, belongs in _parts(origins):
            held = [row for row in strata if belongs(row)]
            if held:
                found = share_over(held, counted, "contamination", agreement.reliability)
                parts.append(_part(by, name, held, origins, found.estimate if found else None))
    table = [
        {"by": p.by, "part": p.name, "rows": p.rows, "labelled": p.labelled, "weight": p.weight,
         "contamination": p.contamination.value if p.contamination else None,
         "low": p.contamination.low if p.contamination else None,
         "high": p.contamination.high if p.contamination else None}
        for p in parts
    ]  # fmt: skip
    n = classes.labelled if classes else 0
    ask.measure("contamination_by_part", table or None, "table", q.COUNTED, n=n)
    kept = next((p.contamination for p in parts if p.name == _customers(origins)), None)
    ask.estimate("contamination_filtered", kept, "share:rows", q.COUNTED)
    return tuple(parts)


def parts_finding(ask: Inquiry, parts: tuple[Part, ...]) -> tuple[Finding, ...]:
    """Say how many are no corrections by origin, where labels tell two origins apart."""
    told = [p for p in parts if p.by == "origin" and p.contamination and p.weight]
    if len(told) < 2:
        return ()
    said = "; ".join(f"{p.name}, {_told(p)}" for p in told)
    return (
        Finding(
            f"No corrections by origin, of the weight of each: {said}. Each interval is for its "
            "part alone.",
            ("contamination_by_part", "contamination_filtered"),
            (ask.evidence_id(q.STRATA), ask.evidence_id(q.COUNTED)),
            ("parts",),
        ),
    )


def draw_parts(ask: Inquiry, parts: tuple[Part, ...], limit: float) -> None:
    """Draw the share of each origin, where labels tell two origins apart."""
    told = [p for p in parts if p.by == "origin" and p.contamination and p.weight]
    if len(told) < 2:
        return
    rows = [
        {"label": p.name, "value": p.contamination.value, "low": p.contamination.low,
         "high": p.contamination.high, "role": _role(p.name)}
        for p in told if p.contamination
    ]  # fmt: skip
    most = max(told, key=lambda p: p.weight * p.contamination.value if p.contamination else 0.0)
    worst = share(most.contamination.value if most.contamination else None)
    ask.chart(
        "parts",
        "intervals",
        f"Of the rows of “{most.name}”, {worst} are no corrections",
        "Rows that are no corrections by where they came from, as a share of the weight of each, "
        "with 95 % intervals.",
        "No corrections: " + "; ".join(f"{p.name} {_told(p)}" for p in told) + ".",
        rows,
        {"x_title": "share of the weight of the part", "zero": True, "unit": "share",
         "rules": [{"x": limit, "label": "matters from here", "dashed": True}]},
        q.COUNTED,
    )  # fmt: skip


def _told(part: Part) -> str:
    e = part.contamination
    shown = spread(e.value, (e.low, e.high), "share") if e else "not labelled"
    return f"{shown} by {count(part.labelled, 'labelled rows')} ({share(part.weight)} of the set)"


def _role(name: str) -> str:
    if name in ("customers in production", "in production"):
        return "good"
    return "gate" if name == "not production" else "before"


def _customers(origins: Origins) -> str:
    return "in production" if origins.insiders_unknown else "customers in production"


def _parts(origins: Origins) -> list[tuple[str, str, Callable[[dict[str, Any]], bool]]]:
    return [
        (
            "origin",
            _customers(origins),
            lambda row: row["stage"] == "production" and not row["is_suspect"],
        ),
        (
            "origin",
            "insiders in production",
            lambda row: row["stage"] == "production" and row["is_suspect"],
        ),
        ("origin", "not production", lambda row: row["stage"] == "elsewhere"),
        ("origin", "environment not known", lambda row: row["stage"] in _NOT_KNOWN),
        ("origin", "no event in the case", lambda row: row["stage"] == "unmatched"),
        *(
            (
                "told with the thumb",
                said,
                lambda row, told=told: row["told"] == told and row["stage"] != "unmatched",
            )
            for told, said in _TOLD.items()
        ),
        ("behaviour", "texts or clicks speak against it", lambda row: row["flagged"]),
        ("behaviour", "nothing speaks against it", lambda row: not row["flagged"]),
    ]


def _part(
    by: str, name: str, held: list[dict[str, Any]], origins: Origins, found: Estimate | None
) -> Part:
    weight = float(sum(row["weight"] for row in held))
    return Part(
        by,
        name,
        rows=sum(row["rows"] for row in held),
        labelled=sum(row["sampled"] for row in held),
        weight=min(1.0, weight / origins.weight),
        contamination=found,
    )
