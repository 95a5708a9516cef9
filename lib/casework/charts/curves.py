"""Curves: the marks of lines on a stage: bands, fills, lines, points, and names at their end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from casework.charts import layout
from casework.charts.cells import amount
from casework.charts.layout import ROW, Scale
from casework.charts.stage import Stage
from casework.findings import Chart

_MOST_POINTS = 30
"""A line with more values than this is drawn without points."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its marks in order have `low`, `high`, and the words at `start` and `end`."""

    name: str
    colour: str
    marks: tuple[Mapping[str, Any], ...]


def draw(stage: Stage, down: Scale, lines: Sequence[Line], chart: Chart, width: int) -> None:
    """Draw the lines of one panel on its stage."""
    marks = [mark for line in lines for mark in line.marks]
    sure = [mark for mark in marks if mark["low"] is not None and mark["high"] is not None]
    banded = [m for m in sure if sum(other["line"] == m["line"] for other in sure) > 2]
    below = amount(chart.encode, "fill_below")
    if below is not None:
        filled = [m for line in lines for m in _left_of(line, below, down.low)]
        stage.areas(filled, opacity=0.25)
    stage.areas(({**m, "y": m["low"], "y2": m["high"]} for m in banded), opacity=0.15)
    single = [m for m in sure if m not in banded]
    stage.upright(({**m, "y": m["low"], "y2": m["high"]} for m in single), strokeWidth=2)
    stage.lines(marks, strokeWidth=2.2, strokeCap="round", strokeJoin="round")
    few = [m for line in lines if len(line.marks) <= _MOST_POINTS for m in line.marks]
    stage.points(few, size=60)
    _name(stage, down, lines, width)


def _left_of(line: Line, cut: float, floor: float) -> Iterator[dict[str, Any]]:
    """The part of a line left of a cut, down to the floor, with its height at the cut."""
    for mark in line.marks:
        if mark["x"] <= cut:
            yield {**mark, "y2": floor}
    for a, b in pairwise(line.marks):
        if a["x"] <= cut < b["x"]:
            share = (cut - a["x"]) / (b["x"] - a["x"])
            yield {**a, "x": cut, "y": a["y"] + share * (b["y"] - a["y"]), "y2": floor}


def _name(stage: Stage, down: Scale, lines: Sequence[Line], width: int) -> None:
    """Write the value before the first point of each line, and its name after the last."""
    ends = [line.marks[-1] for line in lines if line.marks and line.marks[-1]["end"]]
    free = [_free(stage, down, lines, mark) for mark in ends]
    pixels = layout.apart(free, ROW, down.right, down.left)
    names = []
    for mark, pixel in zip(ends, pixels, strict=True):
        left = stage.scale(mark["x"]) + 9
        place = {"x": stage.scale.back(left), "y": down.back(pixel), "colour": mark["colour"]}
        names.append(place | {"text": layout.fit(mark["end"], width - left, bold=True)})
    stage.words(names, weight=600)
    starts = [line.marks[0] for line in lines if line.marks and line.marks[0]["start"]]
    pixels = layout.apart([down(mark["y"]) for mark in starts], ROW, down.right, down.left)
    stage.words(
        (
            {
                "x": stage.scale.back(stage.scale(mark["x"]) - 9),
                "y": down.back(pixel),
                "text": mark["start"],
                "colour": mark["colour"],
            }
            for mark, pixel in zip(starts, pixels, strict=True)
        ),
        "right",
        weight=600,
    )


def _free(stage: Stage, down: Scale, lines: Sequence[Line], mark: Mapping[str, Any]) -> float:
    """The height nearest to the end of a line at which no longer line runs through its name."""
    left = stage.scale(mark["x"]) + 9
    right = left + layout.text_width(mark["end"], bold=True)
    others = [line for line in lines if line.marks and line.marks[-1]["x"] > mark["x"]]
    crossed = [y for line in others for y in _heights(stage, down, line, left, right)]
    height = down(mark["y"])
    for step in sorted(range(-8, 9), key=abs):
        tried = height + step * ROW
        inside = down.right + ROW / 2 <= tried <= down.left - ROW / 2
        if (inside or not step) and all(abs(y - tried) > 0.7 * ROW for y in crossed):
            return tried
    return height


def _heights(stage: Stage, down: Scale, line: Line, left: float, right: float) -> Iterator[float]:
    """Where a line is between two pixels, every few pixels."""
    for a, b in pairwise(line.marks):
        start, end = stage.scale(a["x"]), stage.scale(b["x"])
        first, last = max(start, left), min(end, right)
        for i in range(5 if first <= last and start < end else 0):
            share = (first + i / 4 * (last - first) - start) / (end - start)
            yield down(a["y"]) + share * (down(b["y"]) - down(a["y"]))
