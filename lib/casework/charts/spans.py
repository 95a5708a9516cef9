"""Spans: what was in force when, in lanes over time, with zones of doubt, ticks and events.

A span is a tint with a solid foot in the colour of its label, and carries its label; a label that
does not fit stands above with a tie. A zone is drawn over its lane with a vermilion border and is
never narrower than can be seen: four minutes in thirty days are a thousandth of a pixel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt

from casework import words
from casework.charts import clock, layout, rules
from casework.charts.cells import moment, text
from casework.charts.layout import ROW, Scale
from casework.charts.palette import Palette
from casework.charts.stage import Stage
from casework.charts.theme import Look, framed
from casework.findings import Chart, Row
from casework.visible import on_one_line

_BAR = 24
_RUG = 9
_ZONE_PIXELS = 4.0
_LABEL_ROWS = 2


@dataclass(slots=True)
class Marks:
    """The marks of all lanes, filled from the top; `height` is what they take so far."""

    height: float
    lanes: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    feet: list[dict[str, Any]] = field(default_factory=list)
    inside: list[dict[str, Any]] = field(default_factory=list)
    above: list[dict[str, Any]] = field(default_factory=list)
    ties: list[dict[str, Any]] = field(default_factory=list)
    zones: list[dict[str, Any]] = field(default_factory=list)
    ticks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Box:
    """One row of the chart in pixels across, with what is said of it."""

    row: Row
    left: float
    right: float
    label: str
    said: str


def draw(chart: Chart, look: Look) -> alt.LayerChart:
    """Draw the form; `casework.charts` documents the rows and `encode`."""
    scale = _window(chart, look.width)
    events = [row for row in chart.rows if row.get("kind") == "event"]
    at = [{**row, "x": row.get("start")} for row in events]
    found = rules.read(at, look.palette, look.palette.quiet, time=True)
    labels = rules.place(found, scale, look.palette)
    marks = Marks(labels.height + 4 if found else 0.0)
    colours = _colours(chart, look.palette)
    for lane in dict.fromkeys(text(row, "lane") for row in chart.rows if row not in events):
        rows = [row for row in chart.rows if text(row, "lane") == lane and row not in events]
        _lay_lane(lane, rows, scale, look.palette, colours, marks)
    title = on_one_line(str(chart.encode.get("x_title", "")))
    bottom = marks.height - 4
    stage = Stage(scale, bottom + clock.HEIGHT, look.palette)
    clock.draw(stage, labels.height, bottom, title)
    rules.draw(stage, found, [(labels.height, bottom)])
    stage.words(labels.marks, "center")
    stage.bars(marks.fills, opacity=0.38)
    stage.bars(marks.feet)
    stage.upright(marks.ties, strokeWidth=1)
    stage.upright(marks.ticks, strokeWidth=1, opacity=0.65)
    stage.bars(marks.zones, fillOpacity=0.22, stroke=look.palette.gate, strokeWidth=1)
    stage.words(marks.lanes, weight=600)
    stage.words(marks.inside)
    stage.words(marks.above, "center", size=11)
    return framed(chart, look, stage.layers, stage.height)


def _window(chart: Chart, width: int) -> Scale:
    """The window given, else the first to the last instant of the rows."""
    seen = [x for row in chart.rows for key in ("start", "end") if (x := moment(row, key))]
    low, high = moment(chart.encode, "start"), moment(chart.encode, "end")
    low = min(seen, default=0.0) if low is None else low
    high = max(seen, default=1.0) if high is None else high
    return Scale(low, high if high > low else low + 1000, 0, width)


def _colours(chart: Chart, palette: Palette) -> Mapping[str, str]:
    """One colour for each label of the spans, in the order of their first appearance."""
    labels = dict.fromkeys(text(row, "label") for row in chart.rows if _kind(row) == "span")
    return {label: palette.lanes[i % len(palette.lanes)] for i, label in enumerate(labels)}


def _kind(row: Row) -> str:
    return str(row.get("kind") or "span")


def _boxes(rows: Sequence[Row], kind: str, scale: Scale) -> list[Box]:
    """The rows of one kind that lie in the window."""
    found = []
    for row in rows:
        start, end = moment(row, "start"), moment(row, "end")
        if _kind(row) != kind or (start is None and end is None):
            continue
        low = scale.low if start is None else start
        high = scale.high if end is None else end
        if low > scale.high or high < scale.low:
            continue
        left, right = scale(low), scale(low if kind == "tick" else high)
        found.append(Box(row, left, right, text(row, "label"), _said(row, kind)))
    return found


def _said(row: Row, kind: str) -> str:
    start, end = row.get("start"), row.get("end")
    if kind == "tick":
        return words.instant(start)
    ends = [
        "before the window" if start is None else words.instant(start),
        "still open" if end is None else words.instant(end),
    ]
    low, high = moment(row, "start"), moment(row, "end")
    said = " to ".join(ends)
    if low is not None and high is not None:
        said += f", {words.duration((high - low) / 1000)}"
    return f"{said}, n = {words.said(row['n'], 'count')}" if row.get("n") is not None else said


def _lay_lane(
    lane: str,
    rows: Sequence[Row],
    scale: Scale,
    palette: Palette,
    colours: Mapping[str, str],
    marks: Marks,
) -> None:
    """Lay one lane: its name, labels that do not fit below, its spans, and its rug."""
    if lane:
        name = {
            "x": scale.low,
            "y": marks.height + ROW / 2,
            "text": layout.fit(lane, scale.right, bold=True),
        }
        marks.lanes.append(name | {"colour": palette.ink})
        marks.height += ROW + 2
    spans, zones = _boxes(rows, "span", scale), _boxes(rows, "zone", scale)
    outside = [b for b in spans if b.label and not layout.fit(b.label, b.right - b.left - 10)]
    top = _label_above([*outside, *(z for z in zones if z.label)], scale, palette, marks)
    levels = layout.levels([(box.left, box.right) for box in spans], gap=-0.5)
    for box, level in zip(spans, levels, strict=True):
        colour = palette.role(box.row.get("role")) or colours[box.label]
        _lay_span(box, top + level * (_BAR + 3), scale, palette, colour, marks)
    bottom = top + (max(levels, default=-1) + 1) * (_BAR + 3) - (3 if spans else 0)
    bottom += _BAR if zones and not spans else 0
    ticks = _boxes(rows, "tick", scale)
    for box in ticks:
        rug = {"y": bottom + 2, "y2": bottom + 2 + _RUG, "name": box.label or "tick"}
        colour = palette.role(box.row.get("role")) or palette.quiet
        marks.ticks.append(rug | {"x": scale.back(box.left), "colour": colour, "said": box.said})
    bottom += 2 + _RUG if ticks else 0
    marks.zones.extend(_zone(box, top - 3, bottom + 3, scale, palette) for box in zones)
    marks.height = bottom + 16


def _lay_span(
    box: Box, top: float, scale: Scale, palette: Palette, colour: str, marks: Marks
) -> None:
    right = max(box.right, box.left + 1.5)
    fill = {"x": scale.back(box.left), "x2": scale.back(right), "colour": colour}
    fill |= {"name": box.label, "said": box.said}
    marks.fills.append(fill | {"y": top, "y2": top + _BAR})
    marks.feet.append(fill | {"y": top + _BAR - 4, "y2": top + _BAR})
    label = layout.fit(box.label, box.right - box.left - 10)
    if label:
        place = {"x": scale.back(box.left + 5), "y": top + _BAR / 2 - 1, "text": label}
        marks.inside.append(place | {"colour": palette.ink})


def _zone(box: Box, top: float, bottom: float, scale: Scale, palette: Palette) -> dict[str, Any]:
    middle, half = (box.left + box.right) / 2, max(box.right - box.left, _ZONE_PIXELS) / 2
    drawn: dict[str, Any] = {"x": scale.back(middle - half), "x2": scale.back(middle + half)}
    drawn |= {"y": top, "y2": bottom, "colour": palette.gate}
    return drawn | {"name": box.label or "ambiguous", "said": box.said}


def _label_above(boxes: Sequence[Box], scale: Scale, palette: Palette, marks: Marks) -> float:
    """Write labels over their boxes, tied to them; return where the boxes begin."""
    found = []
    for box in boxes:
        label = layout.fit(box.label, min(150.0, scale.right), 11)
        middle, width = (box.left + box.right) / 2, layout.text_width(label, 11)
        left = min(max(middle - width / 2, 0.0), scale.right - width)
        found.append((left, left + width, label, middle, _kind(box.row) == "zone"))
    rows = layout.levels([(left, right) for left, right, *_ in found])
    used = min(max(rows, default=-1) + 1, _LABEL_ROWS)
    top = marks.height + ROW * used + (6 if used else 2)
    for (left, right, label, middle, zone), row in zip(found, rows, strict=True):
        if row >= used:
            continue
        y = top - 6 - ROW * (row + 0.5)
        place = {"x": scale.back((left + right) / 2), "y": y, "text": label}
        marks.above.append(place | {"colour": palette.alarm if zone else palette.quiet})
        tie = {"x": scale.back(middle), "y": y + 7, "y2": top}
        marks.ties.append(tie | {"colour": palette.gate if zone else palette.muted})
    return top
