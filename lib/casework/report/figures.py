"""Figures: a chart as two static pictures, one that answers to the mouse, and its table."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from casework import words
from casework.charts import MOST_ROWS, render, spec, svg
from casework.findings import Chart, Row
from casework.report import tables

WIDE, NARROW = 730, 340
"""Widths in pixels: on a desk and on paper, and on a telephone or at 200 % zoom."""
_MOST_BYTES = 200_000
"""The data of one picture; a page has room for a dozen such, twice drawn."""
_SAFELY = 0.9
"""Of the marks that may fit on average, since some take more than others."""

_AS_TEXT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""Signs that would end a script element or a line of script; JSON may write them as escapes."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart as it stands on a page. `spec` is JSON that may stand inside a script element."""

    anchor: str
    chart: Chart
    wide: str
    narrow: str
    spec: str
    table: tables.Table

    @property
    def size(self) -> int:
        """Bytes that the figure adds to the page, its table aside."""
        return len(f"{self.wide}{self.narrow}{self.spec}".encode())


def figure(chart: Chart, anchor: str) -> Figure:
    """Draw a chart for a page, which carries its title in words.

    Of more marks than a page should carry the first are drawn, and the subtitle says so.
    """
    shown, wide, drawn = _fitting(chart)
    return Figure(
        anchor,
        shown,
        render(wide, shown.alt),
        svg(shown, width=NARROW, titled=False),
        drawn.translate(_AS_TEXT),
        tables.chart(replace(chart, title=f"The numbers of: {chart.title}")),
    )


def _fitting(chart: Chart) -> tuple[Chart, dict[str, Any], str]:
    """The chart with as many marks as fit a page, its specification, and that as JSON."""
    most = min(len(chart.rows), MOST_ROWS)
    while True:
        shown = cut(chart, most)
        wide = spec(shown, width=WIDE, titled=False)
        drawn = json.dumps(wide, sort_keys=True, separators=(",", ":"))
        if len(drawn) <= _MOST_BYTES or not most:
            return shown, wide, drawn
        most = int(most * _SAFELY * _MOST_BYTES / len(drawn))


def cut(chart: Chart, most: int) -> Chart:
    """The chart with so many marks at most, and with a subtitle that says so.

    The first of each kind are kept in equal parts, so that spans keep their zones and ticks. A
    window of time ends with the last of them: what is empty would be read as nothing there.
    """
    total = len(chart.rows)
    if total <= most:
        return chart
    found = Counter(map(_kind, chart.rows))
    left = {kind: 1 + n * (most - len(found)) // total for kind, n in found.items()}
    rows = []
    for row in chart.rows:
        left[_kind(row)] -= 1
        if left[_kind(row)] >= 0:
            rows.append(row)
    told = f"{words.number(len(rows))} of {words.number(total)} marks"
    subtitle = f"{chart.subtitle} Drawn are the first {told}, of each kind alike."
    encode = {**chart.encode, **_window(chart.encode, rows)}
    return replace(chart, rows=tuple(rows), subtitle=subtitle, encode=encode)


def _window(encode: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, datetime]:
    """The end of a window of time, where the rows end before it."""
    end = words.parse_instant(encode.get("end"))
    ends = [words.parse_instant(row.get("end") or row.get("start")) for row in rows]
    last = max((one for one in ends if one), default=None)
    return {"end": last} if end and last and last < end else {}


def _kind(row: Row) -> str:
    return str(row.get("kind"))
