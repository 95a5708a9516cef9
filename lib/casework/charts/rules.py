"""Hairlines through a picture, with their words above it: a gate, a threshold, an event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casework.charts import layout
from casework.charts.cells import amount, moment, text
from casework.charts.layout import ROW, Scale
from casework.charts.palette import Palette
from casework.charts.stage import Stage

MOST_ROWS = 4
"""Rows of words above a picture; a rule whose words find no place keeps its line."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One hairline: where, its words, its colour, and whether it is dashed."""

    x: float
    label: str
    colour: str
    dashed: bool = False


def read(
    found: Sequence[Mapping[str, Any]], palette: Palette, plain: str, *, time: bool = False
) -> list[Rule]:
    """Read rows with `x` and `label`, and perhaps `role` and `dashed`.

    Args:
        found: the rows.
        palette: the colours of the roles.
        plain: the colour of a rule without a role.
        time: whether `x` is an instant.
    """
    rules = []
    for row in found:
        x = moment(row, "x") if time else amount(row, "x")
        if x is not None:
            colour = palette.role(row.get("role")) or plain
            rules.append(Rule(x, text(row, "label"), colour, bool(row.get("dashed"))))
    return rules


@dataclass(frozen=True, slots=True)
class Labels:
    """The words of rules: their rows as marks, and the height that they take."""

    height: float
    marks: tuple[dict[str, Any], ...]


def place(rules: Sequence[Rule], scale: Scale, palette: Palette) -> Labels:
    """Find a row for the words of each rule in the window, the lowest first."""
    found = []
    for rule in rules:
        if not scale.low <= rule.x <= scale.high:
            continue
        label = layout.fit(rule.label, scale.right)
        width = layout.text_width(label)
        left = min(max(scale(rule.x) - width / 2, 0.0), scale.right - width)
        found.append((left, left + width, label, rule.colour))
    rows = layout.levels([(left, right) for left, right, _, _ in found])
    used = min(max(rows, default=-1) + 1, MOST_ROWS)
    marks = tuple(
        {
            "x": scale.back((left + right) / 2),
            "y": (used - 1 - row) * ROW + ROW / 2,
            "text": label,
            "colour": palette.alarm if colour == palette.gate else palette.quiet,
        }
        for (left, right, label, colour), row in zip(found, rows, strict=True)
        if row < used and label
    )
    return Labels(used * ROW, marks)


def draw(stage: Stage, rules: Sequence[Rule], bands: Sequence[tuple[float, float]]) -> None:
    """Draw each rule inside the window, the dashed ones as a layer apart.

    Args:
        stage: what to draw on.
        rules: in the coordinates of the stage.
        bands: top and bottom of each stretch that is drawn; words stand between them.
    """
    for dashed in (False, True):
        rows = [
            {"x": rule.x, "y": top, "y2": bottom, "colour": rule.colour}
            for rule in rules
            if rule.dashed == dashed and stage.scale.low <= rule.x <= stage.scale.high
            for top, bottom in bands
        ]
        stage.upright(rows, strokeWidth=1.2, strokeDash=[4, 3] if dashed else [1, 0])
