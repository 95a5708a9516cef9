"""Bars: wholes split into parts, one bar each, all of one length, so that shares can be compared.

The name of a part stands over the first bar that has it; its share stands inside every bar, or
beside its name where the part is too narrow for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import altair as alt

from casework import words
from casework.charts import layout
from casework.charts.cells import amount, named, text
from casework.charts.layout import ROW, Scale
from casework.charts.palette import Palette
from casework.charts.stage import Stage, axis
from casework.charts.theme import Look, framed
from casework.findings import Chart
from casework.visible import on_one_line

_BAR = 26


@dataclass(frozen=True, slots=True)
class Part:
    """One part of one bar, from `left` to `right` as shares of the whole."""

    bar: str
    name: str
    left: float
    right: float
    colour: str
    said: str
    named: bool


def draw(chart: Chart, look: Look) -> alt.LayerChart:
    """Draw the form; `casework.charts` documents the rows and `encode`."""
    scale = Scale(0.0, 1.0, 0, look.width)
    parts = list(_parts(chart, look.palette))
    marks = Marks()
    for bar in dict.fromkeys(part.bar for part in parts):
        _lay_bar([part for part in parts if part.bar == bar], scale, look.palette, marks)
    shares = replace(chart, encode={**chart.encode, "unit": "share"})
    stage = Stage(scale, marks.height, look.palette, axis(shares))
    stage.upright(marks.ties, strokeWidth=1)
    stage.bars(marks.fills, opacity=0.38)
    stage.bars(marks.feet)
    stage.words(marks.names, weight=600)
    stage.words(marks.labels, "center")
    stage.words(marks.shares, "center", weight=600)
    return framed(chart, look, stage.layers, stage.height)


def _parts(chart: Chart, palette: Palette) -> Iterator[Part]:
    """Stack the parts of each bar in the order of `encode`, then of the rows."""
    given = [on_one_line(str(name)) for name in chart.encode.get("order", ())]
    order = list(dict.fromkeys([*given, *(text(row, "part") for row in chart.rows)]))
    ends: dict[str, float] = {}
    named: set[str] = set()
    for row in sorted(chart.rows, key=lambda row: order.index(text(row, "part"))):
        bar, name, share = text(row, "label"), text(row, "part"), amount(row, "share")
        if share is None or share <= 0:
            continue
        left = ends.get(bar, 0.0)
        ends[bar] = left + share
        colour = palette.role(row.get("role"))
        colour = colour or palette.lanes[order.index(name) % len(palette.lanes)]
        value = amount(row, "value")
        said = words.share(share)
        if value is not None:
            said += f", {words.said(value, str(chart.encode.get('unit', '')))}"
        yield Part(bar, name, left, left + share, colour, said, name not in named)
        named.add(name)


@dataclass(slots=True)
class Marks:
    """The marks of all bars, filled from the top; `height` is what they take so far."""

    height: float = 0.0
    names: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    ties: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    feet: list[dict[str, Any]] = field(default_factory=list)
    shares: list[dict[str, Any]] = field(default_factory=list)


def _lay_bar(parts: list[Part], scale: Scale, palette: Palette, marks: Marks) -> None:
    """Lay one bar: its name, the names of parts that no bar above has, and the parts."""
    width = scale.right - scale.left
    name = {
        "x": 0.0,
        "y": marks.height + ROW / 2,
        "text": layout.fit(parts[0].bar, width, bold=True),
    }
    marks.names.append(name | {"colour": palette.ink})
    marks.height += ROW + 4
    bar = _label_parts([part for part in parts if part.named], scale, palette, marks)
    for part in parts:
        box = {"x": part.left, "x2": part.right, "colour": part.colour}
        box |= {"name": named(part.bar, part.name), "said": part.said}
        marks.fills.append(box | {"y": bar, "y2": bar + _BAR})
        marks.feet.append(box | {"y": bar + _BAR - 4, "y2": bar + _BAR})
        if _holds_share(part, scale):
            share = words.share(part.right - part.left)
            place = {"x": (part.left + part.right) / 2, "y": bar + _BAR / 2 - 1, "text": share}
            marks.shares.append(place | {"colour": palette.ink})
    marks.height = bar + _BAR + 16


def _holds_share(part: Part, scale: Scale) -> bool:
    """Whether a part is wide enough for its share to be written in it."""
    share = words.share(part.right - part.left)
    return layout.text_width(share, bold=True) + 4 <= scale(part.right) - scale(part.left)


def _label_parts(parts: list[Part], scale: Scale, palette: Palette, marks: Marks) -> float:
    """Write the names of parts on rows that keep them apart; return where the bar begins."""
    boxes, shown = [], []
    for part in parts:
        label, middle = layout.fit(part.name, scale.right), (part.left + part.right) / 2
        if not _holds_share(part, scale):
            label = layout.fit(f"{part.name} {words.share(part.right - part.left)}", scale.right)
        width = layout.text_width(label)
        left = min(max(scale(middle) - width / 2, 0.0), scale.right - width)
        boxes.append((left, left + width))
        shown.append((label, middle))
    rows = layout.levels(boxes)
    bar = marks.height + ROW * (max(rows, default=-1) + 1) + 6
    for (left, right), row, (label, middle) in zip(boxes, rows, shown, strict=True):
        y = bar - 6 - ROW * (row + 0.5)
        place = {"x": scale.back((left + right) / 2), "y": y, "text": label}
        marks.labels.append(place | {"colour": palette.quiet})
        marks.ties.append({"x": middle, "y": y + 8, "y2": bar, "colour": palette.muted})
    return bar
