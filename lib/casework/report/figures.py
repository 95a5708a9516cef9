"""Figures: a chart as two static pictures, one that answers to the mouse, and its table."""

import json
from dataclasses import dataclass, replace

from casework.charts import render, spec, svg
from casework.errors import CaseworkError
from casework.findings import Chart
from casework.report import tables

WIDE, NARROW = 730, 340
"""Widths in pixels: on a desk and on paper, and on a telephone or at 200 % zoom."""
_MOST_BYTES = 200_000

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

    Raises:
        CaseworkError: `REPORT_TOO_LARGE` if the chart alone is more than a page should carry.
    """
    wide = spec(chart, width=WIDE, titled=False)
    drawn = json.dumps(wide, sort_keys=True, separators=(",", ":"))
    if len(drawn) > _MOST_BYTES:
        raise CaseworkError(
            "REPORT_TOO_LARGE",
            f"the data of chart {chart.id!r} take {len(drawn) // 1000:,} KB",
            f"aggregate its {len(chart.rows):,} rows to less than {_MOST_BYTES // 1000} KB",
        )
    return Figure(
        anchor,
        chart,
        render(wide, chart.alt),
        svg(chart, width=NARROW, titled=False),
        drawn.translate(_AS_TEXT),
        tables.chart(replace(chart, title=f"The numbers of: {chart.title}")),
    )
