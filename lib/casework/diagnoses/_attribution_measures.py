"""The measures of `output_attribution`."""

from typing import Any

from casework.diagnoses import _attribution as q
from casework.diagnoses._attribution_ids import measure_ids
from casework.diagnoses._attribution_open import measure_differences
from casework.diagnoses._attribution_record import measure_record
from casework.diagnoses._attribution_sources import measure_sources
from casework.diagnoses._attribution_words import GRADES
from casework.diagnoses._inquiry import Inquiry
from casework.stats.rotations import count_rotations


def measure(ask: Inquiry, grades: dict[str, int], total: int, known: dict[str, Any]) -> None:
    """Measure grades, moves of the alias, checkpoints, and what stands beside them."""
    _measure_moves(ask, grades, total, known)
    ask.case.hold(q.POSSIBLE, **known)
    ask.measure("checkpoints", ask.ask(q.BY_CHECKPOINT, **known), "table", q.BY_CHECKPOINT, n=total)
    ask.ask(q.OUTCOMES, **known)
    measure_differences(ask, total, known)
    ask.case.release(q.POSSIBLE)
    measure_record(ask, known)
    measure_sources(ask, known)
    measure_ids(ask, total, known)


def _measure_moves(ask: Inquiry, grades: dict[str, int], total: int, known: dict[str, Any]) -> None:
    boundaries = ask.ask(q.BOUNDARIES, **known)
    spans = ask.ask(q.SPANS, **known)
    inside = {(row["name"], row["region"], row["boundary"]) for row in boundaries}
    moves: dict[str, int] = {}
    for place in {(row["alias"], row["region"]) for row in spans}:
        steps = [row for row in spans if (row["alias"], row["region"]) == place]
        is_boundary = [(row["name"], row["region"], row["valid_from"]) in inside for row in steps]
        digests = [
            row["checkpoint"]
            for row, begins, ends in zip(steps, is_boundary, [*is_boundary[1:], False], strict=True)
            if begins or ends
        ]
        moves[place[0]] = max(moves.get(place[0], 0), count_rotations(digests))
    attributed = sum(grades.get(grade, 0) for grade in "ABC")
    ask.measure("decisions", total, "count:decisions", q.BY_GRADE, n=total)
    ask.measure("coverage", attributed / total, "share", q.BY_GRADE, n=total)
    for grade in GRADES:
        value = grades.get(grade, 0)
        ask.measure(f"grade_{grade.lower()}", value, "count:decisions", q.BY_GRADE, n=total)
    ask.measure("rotations", sum(moves.values()), "count:rotations", q.SPANS, n=len(spans))
    ask.measure("boundaries", len(boundaries), "count:boundaries", q.BOUNDARIES, n=len(spans))
    ask.measure("clock_error_s", known["clock_error_s"], "s", q.CLOCKS)
    unlogged = ask.ask(q.UNLOGGED, **known)
    ask.measure("unlogged_rotations", len(unlogged), "count:digests", q.UNLOGGED)
