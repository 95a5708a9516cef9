"""Spans: what was in force when, in lanes over time, with zones of doubt, ticks and events.

A span is a tint with a solid foot in the colour of its label, and carries its label; a label that
does not fit stands above with a tie. A zone is drawn over its lane with a vermilion border and is
never narrower than can be seen: four minutes in thirty days are a thousandth of a pixel.
"""

from collections.abc import Mapping

import altair as alt

from casework.charts import clock, lane, rules
from casework.charts.cells import moment, text
from casework.charts.lane import Marks, kind_of
from casework.charts.layout import Scale
from casework.charts.palette import Palette
from casework.charts.stage import Stage
from casework.charts.theme import Look, framed
from casework.findings import Chart, Row
from casework.visible import on_one_line


def draw(chart: Chart, look: Look) -> alt.LayerChart:
    """Draw the form; `casework.charts` documents the rows and `encode`."""
    scale = _window(chart, look.width)
    at = [{**row, "x": row.get("start")} for row in chart.rows if kind_of(row) == "event"]
    found = rules.read(at, look.palette, look.palette.quiet, time=True)
    labels = rules.place(found, scale, look.palette)
    marks = Marks(labels.height + 4 if found else 0.0)
    colours = _colours(chart, look.palette)
    lanes: dict[str, list[Row]] = {}
    for row in chart.rows:
        if kind_of(row) != "event":
            lanes.setdefault(text(row, "lane"), []).append(row)
    for name, rows in lanes.items():
        lane.lay(name, rows, scale, look.palette, colours, marks)
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
    labels = dict.fromkeys(text(row, "label") for row in chart.rows if kind_of(row) == "span")
    return {label: palette.lanes[i % len(palette.lanes)] for i, label in enumerate(labels)}
