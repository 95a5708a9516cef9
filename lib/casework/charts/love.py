"""Love plot: how far the arms differ in each covariate, against the band that chance allows."""

from typing import Any

import altair as alt

from casework import words
from casework.charts import layout, rules
from casework.charts.cells import amount, named, text
from casework.charts.layout import Scale
from casework.charts.stage import Stage, axis
from casework.charts.theme import Look, framed
from casework.findings import Chart, Row

_ROW = 24
_WRAPPED = 14
"""How much higher each further line of a name makes its row, in pixels."""


def draw(chart: Chart, look: Look) -> alt.LayerChart:
    """Draw the form; `casework.charts` documents the rows and `encode`."""
    band, threshold = amount(chart.encode, "band") or 0.0, amount(chart.encode, "threshold")
    found = _rules(look, band, threshold)
    seen = [amount(row, key) for row in chart.rows for key in ("value", "low", "high")]
    known = [x for x in seen if x is not None] + [band, -band, *(rule.x for rule in found)]
    names = {
        name: layout.wrap(name, 0.42 * look.width)
        for name in dict.fromkeys(text(row, "label") for row in chart.rows)
    }
    left = 14 + max(
        (layout.text_width(line) for lines in names.values() for line in lines), default=0
    )
    scale = Scale(*layout.padded(known, zero=True), left, look.width - 8)
    labels = rules.place([rule for rule in found if rule.label], scale, look.palette)
    places, y = {}, labels.height + 4
    for name, lines in names.items():
        places[name] = y + (_ROW + _WRAPPED * (len(lines) - 1)) / 2
        y += _ROW + _WRAPPED * (len(lines) - 1)
    stage = Stage(scale, y + 4, look.palette, axis(chart))
    band_top = labels.height + 2
    shade = {"x": -band, "x2": band, "y": band_top, "y2": stage.height}
    stage.bars([shade | {"colour": look.palette.muted}] if band else [], opacity=0.4)
    origin = rules.Rule(0, "", look.palette.quiet)
    rules.draw(stage, [origin, *(r for r in found if r.dashed)], [(band_top, stage.height)])
    stage.words(labels.marks, "center")
    marks = [mark for row in chart.rows if (mark := _mark(row, stage, places))]
    stage.across((m for m in marks if "x2" in m), strokeWidth=1.5)
    stage.points({**m, "x": m["at"]} for m in marks)
    stage.words(
        {
            "x": scale.back(0),
            "y": places[name] + _WRAPPED * (number - (len(lines) - 1) / 2),
            "text": line,
            "colour": look.palette.ink,
        }
        for name, lines in names.items()
        for number, line in enumerate(lines)
    )
    return framed(chart, look, stage.layers, stage.height)


def _rules(look: Look, band: float, threshold: float | None) -> list[rules.Rule]:
    """The threshold on both sides, with its words on the right one; words for the band."""
    found = [rules.Rule(0, "chance alone", look.palette.quiet)] if band else []
    if threshold is not None:
        label = f"what matters, {words.number(threshold)}"
        found.append(rules.Rule(threshold, label, look.palette.gate, dashed=True))
        found.append(rules.Rule(-threshold, "", look.palette.gate, dashed=True))
    return found


def _mark(row: Row, stage: Stage, places: dict[str, float]) -> dict[str, Any] | None:
    value, low, high = (amount(row, key) for key in ("value", "low", "high"))
    if value is None:
        return None
    ci95 = None if low is None or high is None else (low, high)
    mark = {
        "at": value,
        "x": value,
        "y": places[text(row, "label")],
        "colour": stage.palette.role(row.get("role")) or stage.palette.after,
        "name": named(text(row, "label")),
        "said": words.spread(value, ci95, "smd"),
    }
    return mark if low is None or high is None else {**mark, "x": low, "x2": high}
