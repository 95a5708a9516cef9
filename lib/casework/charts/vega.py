"""Drawing: from a chart to Altair, to Vega-Lite and to SVG.

Evidence enters a specification as data, as a title or as a label, never as an expression, an
address or an image; `check` refuses a specification that holds one. Altair and vl-convert load
when the first chart is drawn.
"""

import re
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from html import escape
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

from casework.charts.palette import DARK, LIGHT
from casework.errors import CaseworkError
from casework.findings import Chart
from casework.visible import on_one_line

if TYPE_CHECKING:
    import altair as alt

FORMS = ("intervals", "love", "spans", "bars", "lines")
MOST_ROWS = 2_000
WIDTH = 680
"""Width of a picture in pixels where nothing else is asked for."""

_REACHING = frozenset({"url", "href", "image", "loader", "usermeta"})
_EVALUATED = frozenset({"expr", "signal", "calculate", "test", "labelExpr", "params", "transform"})
_DATA = frozenset({"datasets", "values"})
_ID = re.compile(r"\b(?:clip|gradient_)\d+\b")
_TAG = re.compile(r"<[^>]+>")
_PLACE = re.compile(r'(?<= )(?:transform|d|[xy][12]?|width|height)="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


def draw(
    chart: Chart, *, width: int = WIDTH, dark: bool = False, titled: bool = True
) -> "alt.LayerChart | alt.VConcatChart":
    """Draw a chart of any form with Altair, and make casework's theme that of the process.

    Args:
        chart: what to draw.
        width: of the picture, in pixels; labels are placed for this width.
        dark: draw for dark paper.
        titled: whether the picture carries its title, or the page around it does.

    Raises:
        ValueError: the chart has more rows than can be read, or a role or form without meaning.
    """
    if len(chart.rows) > MOST_ROWS:
        raise ValueError(
            f"chart {chart.id!r} has {len(chart.rows):,} rows, more than {MOST_ROWS:,}; aggregate"
        )
    if chart.form not in FORMS:
        raise ValueError(f"no chart form {chart.form!r}; forms are {', '.join(FORMS)}")
    from casework.charts.theme import Look, enable

    enable(dark=dark)
    form = import_module(f"casework.charts.{chart.form}")
    picture: alt.LayerChart | alt.VConcatChart = form.draw(
        chart, Look(width, DARK if dark else LIGHT, titled)
    )
    return picture


def spec(
    chart: Chart, *, width: int = WIDTH, dark: bool = False, titled: bool = True
) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart, with its data. Arguments as for `draw`.

    Raises:
        CaseworkError: `CHART_SPEC_REFUSED`, as `check`.
    """
    drawn = draw(chart, width=width, dark=dark, titled=titled)
    # Checking against the schema takes longer than drawing; the tests do it for every form.
    found: dict[str, Any] = drawn.to_dict(validate=False)
    check(found)
    return found


def check(found: dict[str, Any]) -> None:
    """Refuse a specification that reaches outside itself or holds an expression.

    Raises:
        CaseworkError: `CHART_SPEC_REFUSED` with the place of the first such part.
    """
    for path, word in _words(found, ""):
        if word in _REACHING | _EVALUATED:
            raise CaseworkError(
                "CHART_SPEC_REFUSED",
                f"the chart specification holds {word!r} at {path}",
                "a chart may hold only its own data, without addresses, images and expressions",
            )


def _words(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every key, and every type of mark, outside of the data."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}/{key}", key
            if key in {"type", "mark"} and isinstance(item, str):
                yield f"{path}/{key}", item
            if key not in _DATA:
                yield from _words(item, f"{path}/{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _words(item, f"{path}/{place}")


def svg(chart: Chart, *, width: int = WIDTH, dark: bool = False, titled: bool = True) -> str:
    """Return a chart as SVG. Arguments as for `draw`."""
    return render(spec(chart, width=width, dark=dark, titled=titled), chart.alt)


def render(found: dict[str, Any], alt_text: str) -> str:
    """Return a specification as SVG, the same bytes in every process.

    Raises:
        CaseworkError: `CHART_SPEC_REFUSED`, as `check`.
    """
    from vl_convert import vegalite_to_svg

    check(found)
    raw = vegalite_to_svg(found, allowed_base_urls=[])
    named = f'<svg role="img" aria-label="{escape(on_one_line(alt_text))}"'
    return _renumber(_TAG.sub(_round, raw)).replace("<svg", named, 1)


def _round(tag: re.Match[str]) -> str:
    """Round places in a tag to hundredths of a pixel; what is written between tags stays."""
    shorter = partial(_LONG.sub, lambda number: f"{float(number.group()):.2f}")
    return _PLACE.sub(lambda place: shorter(place.group()), tag.group())


def _renumber(picture: str) -> str:
    """Number the ids in order of appearance: Vega counts on from picture to picture.

    The ids begin with a digest of the picture, so that several can stand on one page.
    """
    numbers = count(1)
    known: dict[str, str] = {}
    places = _TAG.sub(lambda tag: _ID.sub("id", tag.group()), picture)
    prefix = f"p{sha256(places.encode(errors='backslashreplace')).hexdigest()[:10]}"

    def renamed(found: re.Match[str]) -> str:
        if found.group() not in known:
            known[found.group()] = f"{prefix}-{next(numbers)}"
        return known[found.group()]

    return _TAG.sub(lambda tag: _ID.sub(renamed, tag.group()), picture)
