"""Pieces of the report's page, for the apps: the same words, signs, tables and style.

A piece is HTML in which every text of the case is escaped and made visible, as on the page.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casework.charts.live import colours
from casework.findings import Chart, Result, Verdict
from casework.report import tables
from casework.report.figures import Figure
from casework.report.page import _anchor, _chapter, _environment
from casework.report.tables import Table

if TYPE_CHECKING:
    from markupsafe import Markup

SCOPE = "casework"
"""Class of the elements that hold pieces; the style reaches no further."""

_STYLE = Path(__file__).parent / "templates" / "style.css"
_ROOT = re.compile(r":root \{([^}]*)\}")


def style() -> str:
    """The style of the report, for what stands inside an element of the class `SCOPE`.

    The colours follow the class `dark` of an element around it.
    """
    sheet = _STYLE.read_text(encoding="utf-8")
    light, dark = _ROOT.findall(sheet)
    return (
        f".{SCOPE}{{{light}{colours(dark=False)}}}"
        f".dark .{SCOPE}{{{dark}{colours(dark=True)}}}"
        f".{SCOPE}{{{_ROOT.sub('', sheet)}}}"
    )


def verdict(name: Verdict) -> "Markup":
    """The sign and the word of a verdict."""
    return _piece("verdict", name)


def sign(name: Verdict) -> "Markup":
    """The sign of a verdict alone, where its word stands beside it anyhow."""
    return _piece("sign", name)


def table(found: Table) -> "Markup":
    """A table."""
    return _piece("table", found)


def causes(found: Table) -> "Markup":
    """What may have one cause: each stretch of time with what broke and what was changed."""
    return _piece("causes", found)


def figure(chart: Chart, wide: str, narrow: str) -> "Markup":
    """A picture with its title and its numbers.

    Args:
        chart: what it shows.
        wide: HTML of the picture as the caller drew it.
        narrow: the same for a narrow screen.
    """
    numbers = tables.chart(replace(chart, title=f"The numbers of: {chart.title}"))
    return _piece("figure", Figure(_anchor("f", chart.id), chart, wide, narrow, "", numbers), False)


def chapter(result: Result, exhibits: Mapping[str, str]) -> "Markup":
    """The chapter of a result without its pictures.

    Args:
        result: the result.
        exhibits: how each exhibit is called, by its id.
    """
    from markupsafe import Markup

    environment = _kept_environment()
    page = environment.get_template("chapter.html.j2").render(
        chapter=_chapter(replace(result, charts=())),
        piece=environment.get_template("macros.html.j2").module,
        exhibits=exhibits,
        live=False,
    )
    return Markup(page)  # noqa: S704 (the template escaped all that it was given)


def _piece(name: str, *given: Any) -> "Markup":
    macros: Any = _kept_environment().get_template("macros.html.j2").module
    made: Markup = getattr(macros, name)(*given)
    return made


@cache
def _kept_environment() -> Any:
    """Templates are compiled once, since an app renders them at every change."""
    return _environment()
