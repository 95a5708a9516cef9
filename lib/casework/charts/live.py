"""Charts for a page that answers: drawn in the colours of the page, and brushed where it helps.

The page gives the colours as custom properties, so one drawing serves light and dark paper.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from casework.charts.palette import DARK, LIGHT, Palette
from casework.charts.vega import WIDTH
from casework.findings import Chart
from casework.words import parse_instant

if TYPE_CHECKING:
    import altair as alt

BRUSH = "window"
"""Beginning of the name of the selection that a reader makes by drawing over a picture."""

_PLAIN = [field.name for field in fields(Palette) if field.name != "lanes"]
_PAGE = Palette(
    **{name: f"var(--chart-{name})" for name in _PLAIN},
    lanes=tuple(f"var(--chart-lane-{i})" for i in range(len(LIGHT.lanes))),
)
# Vega draws on canvas unless told otherwise, and a canvas knows no custom properties.
_EMBEDDED = {"embedOptions": {"renderer": "svg", "actions": False}}


def draw_live(chart: Chart, *, width: int = WIDTH) -> "alt.LayerChart | alt.VConcatChart":
    """Draw a chart without its title, for a page that carries the title in words.

    Charts over time can be brushed.

    Args:
        chart: what to draw.
        width: of the picture, in pixels; labels are placed for this width.
    """
    import altair as alt

    from casework.charts.theme import Look, config

    form = import_module(f"casework.charts.{chart.form}")
    picture: alt.LayerChart | alt.VConcatChart = form.draw(chart, Look(width, _PAGE, titled=False))
    picture = picture.properties(config=alt.Config(**config(_PAGE)), usermeta=_EMBEDDED)
    if not over_time(chart):
        return picture
    if isinstance(picture, alt.VConcatChart):
        picture.vconcat = [_with_brush(panel, i) for i, panel in enumerate(picture.vconcat)]
        return picture
    live: alt.LayerChart = _with_brush(picture, 0)
    return live


def _with_brush(panel: Any, number: int) -> Any:
    """Add the brush. Panels have one each, since Altair warns where two share a name."""
    import altair as alt

    mark = alt.BrushConfig(fill=_PAGE.after, fillOpacity=0.1, stroke=_PAGE.after, strokeOpacity=0.6)
    brush = alt.selection_interval(name=f"{BRUSH}_{number}", encodings=["x"], mark=mark)
    return panel.add_params(brush)


def over_time(chart: Chart) -> bool:
    """Whether the axis across a chart is time."""
    places = [row.get("start" if chart.form == "spans" else "x") for row in chart.rows]
    return any(parse_instant(place) for place in places)


def brushed(selections: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """The span that a reader drew over a chart, to the second; None where there is no brush."""
    spans = [found["x"] for found in selections.values() if found.get("x")]
    if not spans:
        return None
    low, high = spans[0]
    start, end = sorted((float(low) // 1000, float(high) // 1000))
    return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)


def colours(*, dark: bool) -> str:
    """Declare the custom properties of the pictures, for a rule of a style sheet."""
    palette = DARK if dark else LIGHT
    named = {f"--chart-{name}": getattr(palette, name) for name in _PLAIN}
    named |= {f"--chart-lane-{i}": colour for i, colour in enumerate(palette.lanes)}
    return "".join(f"{name}:{colour};" for name, colour in named.items())
