"""The pictures of `debug_feedback`."""

from typing import Any

import numpy as np

from casework.diagnoses import _debug_labels as labels
from casework.diagnoses import _debug_rows as q
from casework.diagnoses import _debug_slices as evals
from casework.diagnoses._debug_changes import Moves
from casework.diagnoses._debug_classes import LABELS, Classes
from casework.diagnoses._debug_origins import Known, Origins
from casework.diagnoses._debug_words import whence_of
from casework.diagnoses._inquiry import Inquiry
from casework.stats.agreement import calibrated_joint
from casework.words import number, share

_SLICES = 30
_REASONS = 6
_SAID = {
    "wrong": "wrong answer",
    "style": "style",
    "dislike": "dislike",
    "test": "test or bored",
    "unknown": "cannot be told",
}
_ROLES = {"wrong": "good", "style": "before", "dislike": "after", "test": "gate",
          "unknown": "muted"}  # fmt: skip


def draw(
    ask: Inquiry, known: Known, origins: Origins, classes: Classes | None, moves: Moves
) -> None:
    """Draw where rows came from and what they are, the slices, and classes by recorded reason."""
    _draw_rows(ask, known, origins, classes)
    if moves.slices:
        _draw_slices(ask, moves)
    if classes:
        _draw_reasons(ask, known)


def _draw_rows(ask: Inquiry, known: Known, origins: Origins, classes: Classes | None) -> None:
    whence, what = "where the rows came from", "what the rows are"
    rows = [_part(whence, name, held, role) for name, held, role in _origins(origins)]
    if classes:
        roles = {label: "good" if label in known["corrections"] else role
                 for label, role in _ROLES.items()}  # fmt: skip
        rows += [_part(what, _SAID[label], e.value, roles[label])
                 for label, e in classes.mix.items()]  # fmt: skip
        title = f"{share(classes.contamination.value)} of the training rows are no corrections"
        below = f"what they are is estimated from {number(classes.labelled)} labelled rows"
    else:
        flagged = origins.screened("flagged")
        rows += [_part(what, "behaviour speaks against it", flagged, "gate"),
                 _part(what, "not labelled", 1 - flagged, "muted")]  # fmt: skip
        title = f"Of the training rows {whence_of(origins)}"
        below = "no row is labelled"
    told = "; ".join(f"{row['label']}: {row['part']} {share(row['share'])}" for row in rows
                     if row["share"])  # fmt: skip
    ask.chart(
        "rows",
        "bars",
        title,
        f"{number(origins.rows)} rows by their weight in training; {below}.",
        f"Shares of the training rows. {told}.",
        rows,
        {"x_title": "share of the weight", "order": list(dict.fromkeys(r["part"] for r in rows)),
         "unit": "share"},
        q.ORIGINS,
    )  # fmt: skip


def _origins(origins: Origins) -> list[tuple[str, float, str]]:
    def held(stage: str, internal: bool | None = None) -> float:
        total = sum(row["weight"] for row in origins.table
                    if row["stage"] == stage
                    and (internal is None or row["is_internal"] == internal))  # fmt: skip
        return float(total) / origins.weight

    return [
        (
            "in production" if origins.insiders_unknown else "customers in production",
            held("production", False),
            "good",
        ),
        ("insiders in production", held("production", True), "before"),
        ("not production", held("elsewhere"), "gate"),
        ("environment not known", held("not recorded") + held("not recognised"), "muted"),
        ("no event in the case", held("unmatched"), "muted"),
    ]


def _draw_slices(ask: Inquiry, moves: Moves) -> None:
    ordered = sorted(moves.slices, key=lambda s: (not s.moved, -abs(s.change.value)))[:_SLICES]
    ordered.sort(key=lambda s: s.change.value)
    binary = all(s.binary for s in ordered)
    rows: list[dict[str, Any]] = [
        {"label": s.name, "value": s.change.value, "low": s.change.low, "high": s.change.high,
         "role": {1: "good", -1: "gate"}.get(s.moved, "before")}
        for s in ordered
    ]  # fmt: skip
    more = len(moves.slices) - len(ordered)
    ask.chart(
        "slices",
        "intervals",
        f"{number(moves.up)} of {number(len(moves.slices))} slices rose and "
        f"{number(len(moves.fallen))} fell beyond chance",
        f"Score after training minus before, the same items, with 95 % intervals, {moves.how}. "
        "Green and vermilion: beyond chance over all slices together."
        + (f" {more} others are not shown." if more else ""),
        "Changes: " + "; ".join(f"{r['label']} {number(r['value'])}" for r in rows) + ".",
        rows,
        {"x_title": "change of the score" + (", percentage points" if binary else ""),
         "zero": True, "rules": [], "unit": "points" if binary else "score"},
        evals.SLICES,
    )  # fmt: skip


def _draw_reasons(ask: Inquiry, known: Known) -> None:
    """Classes by the reason that was recorded, as a part of all rows of that reason."""
    found: dict[str, dict[str | None, float]] = {}
    for row in ask.ask(labels.REASONS, **known):
        found.setdefault(row["reason"], {})[row["label"]] = float(row["rows"])
    totals = {reason: sum(cells.values()) for reason, cells in found.items()}
    shown = [r for r in sorted(totals, key=lambda r: -totals[r])
             if any(found[r].get(label) for label in LABELS)][:_REASONS]  # fmt: skip
    if not shown or set(totals) == {"no reason recorded"}:
        return
    counts = [[found[r].get(label, 0.0) for label in LABELS] for r in shown]
    joint = calibrated_joint(counts, [totals[r] for r in shown])
    within = joint / joint.sum(axis=1, keepdims=True)
    rows: list[dict[str, Any]] = []
    for reason, line in zip(shown, within.tolist(), strict=True):
        rows += [_part(reason, _SAID[label], part, _ROLES[label])
                 for label, part in zip(LABELS, line, strict=True)]  # fmt: skip
    largest = int(np.argmax(joint.sum(axis=1)))
    right = share(float(within[largest][0]))
    ask.chart(
        "reasons",
        "bars",
        f"Of rows recorded as “{shown[largest]}”, {right} are wrong answers",
        "Rows by the reason that was recorded, the most frequent first; what raters say they are.",
        "; ".join(f"{r['label']}: {r['part']} {share(r['share'])}" for r in rows if r["share"]),
        rows,
        {"x_title": "share of the rows", "order": list(_SAID.values()), "unit": "share"},
        labels.REASONS,
    )


def _part(label: str, part: str, value: float, role: str) -> dict[str, Any]:
    return {"label": label, "part": part, "value": value, "share": value, "role": role}
