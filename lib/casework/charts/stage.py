"""A stage: the area that the forms draw on, with data across it and pixels down it.

Vega has no rows of differing heights (words, bars, a rug), so what is down a stage is measured in
pixels from the top, unless the stage has values there too. Marks are rows with `x`, `y` and, where
they extend, `x2` and `y2`; each names its own `colour`, and those that can be hovered over have
`name` and `said`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import altair as alt

from casework.charts.layout import TEXT, Scale
from casework.charts.palette import Palette
from casework.findings import Chart
from casework.visible import on_one_line

Marks = Iterable[Mapping[str, Any]]
Align = Literal["left", "center", "right"]
Kind = Literal["rect", "rule", "circle", "text", "line", "area"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Layers that share two scales; the first drawn is the lowest.

    Args:
        scale: data across.
        height: in pixels.
        palette: the colours.
        axis: words and format of the axis across; without it none is drawn.
        down: the scale of values down, from the bottom to the top; pixels without it.
        down_axis: format of the axis down.
    """

    scale: Scale
    height: float
    palette: Palette
    axis: Mapping[str, Any] | None = None
    down: Scale | None = None
    down_axis: Mapping[str, Any] | None = None
    layers: list[alt.Chart] = field(default_factory=list)

    def at(self, pixel: float) -> float:
        """Return what `y` has to be for a mark to stand so many pixels from the top."""
        return pixel if self.down is None else self.down.back(pixel)

    def bars(self, rows: Marks, **mark: Any) -> None:
        """Draw rectangles from `x`, `y` to `x2`, `y2`."""
        self._draw(rows, "rect", mark, x2="x2", y2="y2")

    def across(self, rows: Marks, **mark: Any) -> None:
        """Draw horizontal lines from `x` to `x2`."""
        self._draw(rows, "rule", mark, x2="x2")

    def upright(self, rows: Marks, **mark: Any) -> None:
        """Draw vertical lines from `y` to `y2`."""
        self._draw(rows, "rule", mark, y2="y2")

    def areas(self, rows: Marks, **mark: Any) -> None:
        """Fill between `y` and `y2`, for each `line` apart."""
        self._draw(rows, "area", mark, y2="y2", detail="line:N")

    def lines(self, rows: Marks, **mark: Any) -> None:
        """Join the points of each `line` in the order of `x`."""
        self._draw(rows, "line", mark, detail="line:N")

    def points(self, rows: Marks, **mark: Any) -> None:
        """Draw discs with a rim of paper, so that they stay apart where they touch."""
        rim = {"stroke": self.palette.paper, "strokeWidth": 1.5, "opacity": 1, "size": 90}
        self._draw(rows, "circle", rim | mark)

    def words(
        self,
        rows: Marks,
        align: Align = "left",
        *,
        size: int = TEXT,
        weight: int = 400,
    ) -> None:
        """Write `text` at `x`, with `y` as the middle of the line."""
        mark = {"align": align, "baseline": "middle", "fontSize": size, "fontWeight": weight}
        self._draw(rows, "text", mark, text=alt.Text("text:N"))

    def _draw(
        self,
        rows: Marks,
        kind: Kind,
        mark: Mapping[str, Any],
        **channels: Any,
    ) -> None:
        values = [dict(row) for row in rows]
        if not values:
            return
        if any("said" in value for value in values):
            channels["tooltip"] = [alt.Tooltip("name:N", title="what"), alt.Tooltip("said:N")]
        layer = alt.Chart(alt.InlineData(values=values), mark=alt.MarkDef(type=kind, **mark))
        colour = alt.Color("colour:N", scale=None)
        self.layers.append(layer.encode(x=self._x(), y=self._y(), color=colour, **channels))

    def _x(self) -> alt.X:
        scale = alt.Scale(
            domain=[self.scale.low, self.scale.high],
            range=[self.scale.left, self.scale.right],
            nice=False,
            zero=False,
        )
        # Vega-Lite merges the axes of all layers and an absent one wins, so each names the same.
        ticks = max(3, int((self.scale.right - self.scale.left) // 90))
        axis = None if self.axis is None else alt.Axis(**{"tickCount": ticks} | dict(self.axis))
        return alt.X("x", type="quantitative", axis=axis, scale=scale)

    def _y(self) -> alt.Y:
        down = self.down or Scale(0, self.height, 0, self.height)
        scale = alt.Scale(
            domain=[down.low, down.high], range=[down.left, down.right], nice=False, zero=False
        )
        axis = None if self.down_axis is None else alt.Axis(**self.down_axis)
        return alt.Y("y", type="quantitative", axis=axis, scale=scale)


def axis(chart: Chart) -> dict[str, Any]:
    """Return the axis of values across: its words at the end, percent where they are shares."""
    return {"title": on_one_line(str(chart.encode.get("x_title", ""))) or None, **numbers(chart)}


def numbers(chart: Chart) -> dict[str, Any]:
    """Return the format of the axis of a chart's values: percent where they are shares."""
    share = str(chart.encode.get("unit", "")).partition(":")[0] in {"share", "points"}
    return {"format": "~%"} if share else {}
