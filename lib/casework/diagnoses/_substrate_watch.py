"""When the substrate changed: found from vectors of repeated texts, before outcomes are read.

Texts of one model tell nothing of another. Models that embedded the same texts one after the other
are one line: from one to the next the substrate changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from casework.diagnoses import _substrate_rows as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import ROUNDING, Change, Line, Part, Substrate

MAJORITY = 0.5
"""Share of the texts on both sides of a change that must have moved."""


def lines_of(ask: Inquiry) -> list[Line]:
    """Lines of models whose texts are embedded again and again, with their changes."""
    if not ask.case.filled("vectors"):
        return []
    lines = _numbered(ask)
    asked = asked_of(lines)
    ask.case.hold(q.MOVES, **asked)
    lines = [_with_floor(ask, line, asked) for line in lines if line.vectors > line.texts]
    floors: list[float | None] = [None] * (1 + max((line.number for line in lines), default=0))
    for line in lines:
        floors[line.number] = line.floor
    steps = ask.ask(q.STEPS, floors=floors, **asked) if lines else []
    return [
        _with_changes(ask, line, [row for row in steps if row["line"] == line.number])
        for line in lines
    ]


def asked_of(lines: Iterable[Line]) -> dict[str, Any]:
    """Parameters that tell the queries which model is in which line."""
    pairs = sorted((model, line.number) for line in lines for model in line.models)
    return {"models": [model for model, _ in pairs], "lines": [number for _, number in pairs]}


def judged(lines: Sequence[Line], told: Sequence[str]) -> Substrate:
    """The substrate of an experiment: the lines of the models that it is told to use, else all."""
    chosen = [line for line in lines if set(line.models) & set(told)]
    used = chosen or list(lines)
    changes = sorted((one for line in used for one in line.changes), key=lambda one: one.ended)
    return Substrate(
        "vectors", tuple(changes), sum(line.partial for line in used),
        max(line.floor for line in used), min(line.first for line in used),
        max(line.last for line in used), sum(line.vectors for line in used),
        lines=tuple(used), others=tuple(line for line in lines if line not in used),
        is_told=bool(chosen), asked=asked_of(lines),
    )  # fmt: skip


def part_of(ask: Inquiry, substrate: Substrate, opened: datetime, closed: datetime) -> Part | None:
    """Compare the first week of an experiment with its last; None where no vectors tell.

    Of several lines of models the first in which a part moved.
    """
    parts = []
    for line in substrate.lines:
        row = ask.one(
            q.PART, floor=line.floor, opened_at=opened, closed_at=closed, line=line.number,
            same_day=line.same_day, **substrate.asked,
        )  # fmt: skip
        parts.append(Part(row["moved"], row["texts"], row["noise_first"], row["noise_last"]))
    return next((part for part in parts if part.is_seen), parts[0] if parts else None)


def _numbered(ask: Inquiry) -> list[Line]:
    """Put models in lines: those that embedded the same texts, and not on the same days."""
    rows = ask.ask(q.MODELS)
    number = {row["model"]: i for i, row in enumerate(rows)}
    for pair in ask.ask(q.IN_TURN) if len(rows) > 1 else []:
        if pair["together"] <= 0.5 * pair["texts"]:
            old, new = number[pair["other"]], number[pair["model"]]
            number = {model: new if i == old else i for model, i in number.items()}
    lines = []
    for i in sorted(set(number.values())):
        own = [row for row in rows if number[row["model"]] == i]
        lines.append(
            Line(i, tuple(row["model"] for row in sorted(own, key=lambda row: row["first"])),
                 max(row["texts"] for row in own), sum(row["vectors"] for row in own),
                 min(row["first"] for row in own), max(row["last"] for row in own))
        )  # fmt: skip
    return lines


def _with_floor(ask: Inquiry, line: Line, asked: Mapping[str, Any]) -> Line:
    """Noise of repeats within a day, where there are some; else of neighbours."""
    asked = {**asked, "line": line.number}
    same_day = sum(row["pairs"] for row in ask.ask(q.QUIET, same_day=True, **asked)) >= 3
    days = len(ask.ask(q.QUIET, same_day=same_day, **asked))
    noise = float(ask.one(q.FLOOR, same_day=same_day, **asked)["noise"])
    return replace(line, floor=noise + ROUNDING, same_day=same_day, days=days)


def _with_changes(ask: Inquiry, line: Line, steps: Sequence[dict[str, Any]]) -> Line:
    """Tell changes of the majority of the texts from steps of fewer."""
    changes, partial = [], 0
    for one in _joined(steps):
        started, ended = one["started"], one["ended"]
        watched = ask.one(q.WATCHED, started=started, ended=ended, named=list(line.models))["texts"]
        if one["texts"] >= MAJORITY * max(1, watched):
            changes.append(Change(started, ended, one["distance"], one["texts"], watched,
                                  bool(one["other_dimensions"])))  # fmt: skip
        else:
            partial += 1
    return replace(line, changes=tuple(changes), partial=partial)


def _joined(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join steps whose brackets overlap: one change lies in what they have in common."""
    joined: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: row["ended"]):
        last = joined[-1] if joined else None
        if last and row["started"] < last["ended"] and last["started"] < row["ended"]:
            last["started"] = max(last["started"], row["started"])
            last["ended"] = min(last["ended"], row["ended"])
            last["texts"] += row["texts"]
            last["other_dimensions"] += row["other_dimensions"]
            last["distance"] = max(last["distance"], row["distance"])
        else:
            joined.append(dict(row))
    return joined
