"""Lines: values over an ordered axis, with 95% confidence and the names of the lines at their end.

Rows with a `panel` are drawn in panels above each other on one axis of `x`; there are never two
axes of `y`. The numbers of the axis stand inside the picture, on their grid lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from casework import words
from casework.charts import clock, curves, layout, rules
from casework.charts.cells import amount, moment, named, text
from casework.charts.layout import ROW, Scale
from casework.charts.stage import Stage, numbers
from casework.charts.theme import Look, framed, heading
from casework.findings import Chart, Row
from casework.visible import on_one_line

_HEIGHT = 190
_PANEL_HEIGHT = 120
_NUMBERS = 40
"""Space at the left for the numbers of the axis down, which stand inside the picture."""
_STARTS = 60
"""Space beside it for the values at which lines over words begin."""


@dataclass(frozen=True, slots=True)
class Order:
    """The axis across: instants, numbers, or words in the order in which they appear."""

    time: bool
    words: tuple[str, ...]
    scale: Scale

    def of(self, row: Row) -> float | None:
        """Return where a row is on the axis."""
        if self.words:
            return float(self.words.index(text(row, "x")))
        return moment(row, "x") if self.time else amount(row, "x")


def draw(chart: Chart, look: Look) -> alt.LayerChart | alt.VConcatChart:
    """Draw the form; `casework.charts` documents the rows and `encode`."""
    order = _order(chart, look)
    names = list(dict.fromkeys(text(row, "panel") for row in chart.rows)) or [""]
    stages = [_panel(chart, look, order, name, names) for name in names]
    if len(stages) == 1:
        return framed(chart, look, stages[0].layers, stages[0].height)
    drawn = [
        alt.LayerChart(layer=s.layers).properties(width=look.width, height=s.height) for s in stages
    ]
    picture = alt.vconcat(*drawn, spacing=12, description=on_one_line(chart.alt))
    return picture.properties(title=heading(chart, look)) if look.titled else picture


def _order(chart: Chart, look: Look) -> Order:
    instants = [moment(row, "x") for row in chart.rows]
    time = bool(chart.rows) and None not in instants
    places = instants if time else [amount(row, "x") for row in chart.rows]
    seen = [place for place in places if place is not None]
    spoken = len(seen) < len(places)
    widest = max(
        (layout.text_width(_end(chart, row, spoken), bold=True) for row in chart.rows), default=0.0
    )
    right = look.width - min(widest + 12, 0.45 * look.width)
    if spoken:
        found = tuple(dict.fromkeys(text(row, "x") for row in chart.rows))
        return Order(False, found, Scale(0, max(len(found) - 1, 1), _NUMBERS + _STARTS, right))
    low, high = min(seen, default=0.0), max(seen, default=1.0)
    return Order(time, (), Scale(low, high if high > low else low + 1, _NUMBERS, right))


def _end(chart: Chart, row: Row, spoken: bool) -> str:
    """What stands at the end of a line: its name, with the value where the axis is of words."""
    value = words.said(amount(row, "value"), _unit(chart)) if spoken else ""
    return f"{text(row, 'series')} {value}".strip()


def _said(chart: Chart, row: Row) -> str:
    low, high = amount(row, "low"), amount(row, "high")
    ci95 = None if low is None or high is None else (low, high)
    return words.spread(amount(row, "value"), ci95, _unit(chart))


def _unit(chart: Chart) -> str:
    return str(chart.encode.get("unit", ""))


def _panel(chart: Chart, look: Look, order: Order, name: str, names: Sequence[str]) -> Stage:
    """Set the stage of one panel and draw on it: words, rules, then lines."""
    rows = [row for row in chart.rows if text(row, "panel") == name]
    found = rules.read(
        chart.encode.get("rules", ()), look.palette, look.palette.gate, time=order.time
    )
    labels = rules.place(found if name == names[0] else (), order.scale, look.palette)
    titles = chart.encode.get("y_titles", {})
    title = on_one_line(str(titles.get(name, name) if name else chart.encode.get("y_title", "")))
    top = labels.height + (ROW + 10 if title else 10)
    seen = [amount(row, key) for row in rows for key in ("value", "low", "high")]
    ends = layout.padded([x for x in seen if x is not None], zero=bool(chart.encode.get("zero")))
    bottom = top + (_PANEL_HEIGHT if name else _HEIGHT)
    down, last = Scale(*ends, bottom, top), name == names[-1]
    stage = Stage(
        scale=order.scale,
        height=bottom + (clock.HEIGHT if order.time and last else 22 if order.words else 0),
        palette=look.palette,
        axis=_x_axis(chart, order, last=last),
        down=down,
        down_axis=_y_axis(chart),
    )
    if order.time:
        clock.draw(
            stage, top, bottom, on_one_line(str(chart.encode.get("x_title", ""))), worded=last
        )
    _write(stage, title, labels, order)
    rules.draw(stage, found, [(ends[1], ends[0])])
    curves.draw(stage, down, _lines(chart, rows, look, order), chart, look.width)
    return stage


def _x_axis(chart: Chart, order: Order, *, last: bool) -> Mapping[str, Any] | None:
    if order.words or order.time:
        return None
    title = on_one_line(str(chart.encode.get("x_title", "")))
    # Vega measures the grid of a scale that does not begin at the top wrongly; lines need none.
    return {"grid": False, "title": title or None} if last else {"grid": False, "title": None}


def _y_axis(chart: Chart) -> Mapping[str, Any]:
    inside = {"labelAlign": "left", "labelBaseline": "bottom", "labelPadding": 0, "labelOffset": -3}
    return {"title": None, "tickCount": 4, **inside, **numbers(chart)}


def _write(stage: Stage, title: str, labels: rules.Labels, order: Order) -> None:
    """Write what the values are, the words of the rules, and the words of the axis across."""
    left, quiet = stage.scale.back(0), stage.palette.quiet
    heading = {"x": left, "y": stage.at(labels.height + 6), "text": title, "colour": quiet}
    stage.words([heading] if title else [], size=11)
    stage.words(({**mark, "y": stage.at(mark["y"])} for mark in labels.marks), "center")
    y = stage.at(stage.height - 6)
    stage.words(
        (
            {"x": place, "y": y, "text": word, "colour": stage.palette.ink}
            for place, word in enumerate(order.words)
        ),
        "center",
    )


def _lines(chart: Chart, rows: Sequence[Row], look: Look, order: Order) -> list[curves.Line]:
    palette = look.palette
    plain = (palette.after, palette.lanes[4], palette.good, palette.before)
    found = []
    for place, name in enumerate(dict.fromkeys(text(row, "series") for row in rows)):
        own = [row for row in rows if text(row, "series") == name]
        colour = palette.role(own[0].get("role")) or plain[place % len(plain)]
        marks = []
        for row in own:
            x, value = order.of(row), amount(row, "value")
            if x is None or value is None:
                continue
            at = text(row, "x") if order.words else words.said(row["x"], "")
            mark = {
                "x": x,
                "y": value,
                "colour": colour,
                "line": f"{place}",
                "said": _said(chart, row),
            }
            mark |= {"name": named(name, at)}
            mark |= {"low": amount(row, "low"), "high": amount(row, "high")}
            mark |= {"end": _end(chart, row, bool(order.words))}
            mark |= {"start": words.said(value, _unit(chart)) if order.words else ""}
            marks.append(mark)
        found.append(curves.Line(name, colour, tuple(sorted(marks, key=lambda mark: mark["x"]))))
    return found
