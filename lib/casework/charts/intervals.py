"""Intervals: estimates as points on lines of 95% confidence, one row of the picture each.

The words of a row stand above its line, so that long names cost no width and the picture can be
read on a telephone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from casework import words
from casework.charts import layout, rules
from casework.charts.cells import amount, named, text
from casework.charts.layout import ROW, Scale
from casework.charts.stage import Stage, axis
from casework.charts.theme import Look, framed
from casework.findings import Chart, Row

_NAME = 0.25
"""Share of the width that a name needs at least; with less its numbers stand below it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the picture: its words, its numbers, and how far down its interval is.

    `below` is how many rows of words the numbers stand below the first.
    """

    name: list[str]
    numbers: str
    below: int
    y: float


def draw(chart: Chart, look: Look) -> alt.LayerChart:
    """Draw the form; `casework.charts` documents the rows and `encode`."""
    found = rules.read(chart.encode.get("rules", ()), look.palette, look.palette.gate)
    zero = bool(chart.encode.get("zero"))
    seen = [amount(row, key) for row in chart.rows for key in ("value", "low", "high")]
    ends = layout.padded([x for x in seen if x is not None] + [r.x for r in found], zero=zero)
    scale = Scale(*ends, 6, look.width - 6)
    labels = rules.place(found, scale, look.palette)
    lines = _lines(chart, labels.height + (4 if found else 0), look.width)
    height = max((line.y for line in lines.values()), default=0) + 16
    stage = Stage(scale, height, look.palette, axis(chart))
    origin = [rules.Rule(0, "", look.palette.quiet)] if zero else []
    rules.draw(stage, [*origin, *found], [(line.y - 11, line.y + 13) for line in lines.values()])
    stage.words(labels.marks, "center")
    marks = _marks(chart, stage, lines)
    if chart.encode.get("joined"):
        stage.across(_joins(marks, stage), strokeWidth=3)
    stage.across((m for m in marks if "x2" in m), strokeWidth=2.5, strokeCap="round")
    stage.points({**m, "x": m["at"]} for m in marks)
    _write(stage, lines)
    return framed(chart, look, stage.layers, stage.height)


def _lines(chart: Chart, top: float, width: int) -> dict[str, Line]:
    """Lay the rows out from the top, each as high as its name needs lines."""
    lines = {}
    for label in dict.fromkeys(text(row, "label") for row in chart.rows):
        rows = [row for row in chart.rows if text(row, "label") == label]
        numbers = _numbers(chart, rows, 0.6 * width)
        room = width - layout.text_width(numbers) - 16
        beside = room >= min(_NAME * width, layout.text_width(label, bold=True))
        name = layout.wrap(label, room if beside else width, bold=True)
        below = 0 if beside else len(name)
        y = top + ROW * max(len(name), below + 1) + 16
        lines[label] = Line(name, numbers, below, y)
        top = y + 18
    return lines


def _numbers(chart: Chart, rows: Sequence[Row], room: float) -> str:
    """Say the points of a line, without their intervals where there is no room for both."""
    whole = " → ".join(f"{text(row, 'series')} {_said(chart, row)}".strip() for row in rows)
    if layout.text_width(whole) <= room or len(rows) == 1:
        return whole
    unit = str(chart.encode.get("unit", ""))
    values = ((text(row, "series"), words.said(amount(row, "value"), unit)) for row in rows)
    return " → ".join(f"{series} {value}".strip() for series, value in values)


def _said(chart: Chart, row: Row) -> str:
    low, high = amount(row, "low"), amount(row, "high")
    ci95 = None if low is None or high is None else (low, high)
    signed = any((amount(other, "low") or 0) < 0 for other in chart.rows)
    unit = str(chart.encode.get("unit", ""))
    return words.spread(amount(row, "value"), ci95, unit, signed=signed)


def _marks(chart: Chart, stage: Stage, lines: Mapping[str, Line]) -> list[dict[str, Any]]:
    marks = []
    for row in chart.rows:
        value, low, high = (amount(row, key) for key in ("value", "low", "high"))
        if value is None:
            continue
        label = text(row, "label")
        mark = {
            "at": value,
            "x": value,
            "y": lines[label].y,
            "colour": stage.palette.role(row.get("role")) or stage.palette.after,
            "name": named(label, text(row, "series")),
            "said": _said(chart, row),
        }
        marks.append(mark if low is None or high is None else {**mark, "x": low, "x2": high})
    return marks


def _joins(marks: list[dict[str, Any]], stage: Stage) -> list[dict[str, Any]]:
    joins = []
    for y in dict.fromkeys(mark["y"] for mark in marks):
        ends = [mark["at"] for mark in marks if mark["y"] == y]
        joins.append({"x": min(ends), "x2": max(ends), "y": y, "colour": stage.palette.muted})
    return joins


def _write(stage: Stage, lines: Mapping[str, Line]) -> None:
    """Write the name of each row at its left and its numbers at its right."""
    left, right = stage.scale.back(0), stage.scale.back(stage.scale.right)
    names, numbers = [], []
    for line in lines.values():
        first = line.y - 16 - ROW * max(len(line.name), line.below + 1) + ROW / 2
        for number, part in enumerate(line.name):
            y = first + ROW * number
            names.append({"x": left, "y": y, "text": part, "colour": stage.palette.ink})
        y = first + ROW * line.below
        row = {"x": right, "y": y, "text": line.numbers, "colour": stage.palette.quiet}
        numbers.append(row)
    stage.words(names, weight=600)
    stage.words(numbers, "right")
