"""The one Altair theme, registered when the first chart is drawn, and what all pictures share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from casework.charts import layout
from casework.charts.palette import DARK, LIGHT, Palette
from casework.findings import Chart
from casework.visible import on_one_line

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is to be drawn: its width in pixels, its colours, and with or without title."""

    width: int
    palette: Palette
    titled: bool


def config(palette: Palette) -> dict[str, Any]:
    """Return the Vega-Lite configuration: light grid, no frame, system fonts, words for titles."""
    words = {"labelColor": palette.quiet, "titleColor": palette.quiet, "titleFontWeight": "normal"}
    return {
        "background": "transparent",
        "font": FONT,
        "padding": 2,
        "view": {"stroke": None},
        "mark": {"aria": False, "color": palette.after},
        "axis": {
            **words,
            "aria": False,
            "domainColor": palette.grid,
            "gridColor": palette.grid,
            "labelFontSize": 11,
            "labelPadding": 5,
            "tickColor": palette.grid,
            "titleFontSize": 11,
        },
        "axisX": {"titleAnchor": "end", "titlePadding": 8, "labelFlush": True},
        "axisY": {"domain": False, "ticks": False},
        "title": {
            "anchor": "start",
            "aria": False,
            "color": palette.ink,
            "fontSize": 16,
            "fontWeight": 600,
            "frame": "group",
            "lineHeight": 20,
            "offset": 14,
            "subtitleColor": palette.quiet,
            "subtitleFontSize": 12,
            "subtitleLineHeight": 17,
        },
    }


@alt.theme.register("casework", enable=False)
def _light() -> alt.theme.ThemeConfig:
    return {"config": config(LIGHT)}  # type: ignore[typeddict-item]


@alt.theme.register("casework_dark", enable=False)
def _dark() -> alt.theme.ThemeConfig:
    return {"config": config(DARK)}  # type: ignore[typeddict-item]


def enable(*, dark: bool = False) -> None:
    """Make the theme that of every Altair chart in this process."""
    alt.theme.enable("casework_dark" if dark else "casework")


def framed(chart: Chart, look: Look, layers: Sequence[alt.Chart], height: float) -> alt.LayerChart:
    """Lay the layers over each other and put the title over them."""
    picture = alt.LayerChart(layer=list(layers)).properties(
        width=look.width, height=round(height), description=on_one_line(chart.alt)
    )
    return picture.properties(title=heading(chart, look)) if look.titled else picture


def heading(chart: Chart, look: Look) -> alt.Title:
    """Return the finding as title, broken into lines, and how to read the picture as subtitle."""
    return alt.Title(
        text=layout.wrap(chart.title, look.width, 16, bold=True),
        subtitle=layout.wrap(chart.subtitle, look.width, 12),
    )
