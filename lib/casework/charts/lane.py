"""One lane of spans: its name, its spans and their labels, its zones of doubt, and its rug.

Everything is laid out in pixels from the top; `Marks` collects what all lanes draw.
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casework import words
from casework.charts import layout
from casework.charts.cells import moment, named, text
from casework.charts.layout import ROW, Scale
from casework.charts.palette import Palette
from casework.findings import Row

_BAR = 24
_GAP = 3
_RUG = 9
_ZONE_PIXELS = 4.0
_LABEL_ROWS = 2
_LABEL_PIXELS = 280.0
_READABLE = 0.75
"""Share of its characters that a label of several words keeps, where it is shortened."""


@dataclass(slots=True)
class Marks:
    """The marks of all lanes, filled from the top; `height` is what they take so far."""

    height: float
    lanes: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    feet: list[dict[str, Any]] = field(default_factory=list)
    inside: list[dict[str, Any]] = field(default_factory=list)
    above: list[dict[str, Any]] = field(default_factory=list)
    ties: list[dict[str, Any]] = field(default_factory=list)
    zones: list[dict[str, Any]] = field(default_factory=list)
    ticks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Box:
    """One row of the chart in pixels across, with what is said of it.

    The label leaves out `sha256:`, which tells no digest from another; `key` is whole.
    """

    row: Row
    left: float
    right: float
    key: str
    said: str

    @property
    def label(self) -> str:
        """What is written on the picture."""
        return self.key.removeprefix("sha256:")


def kind_of(row: Row) -> str:
    """What a row is: a `span`, a `zone`, a `tick` or an `event`."""
    return str(row.get("kind") or "span")


def _boxes(rows: Sequence[Row], kind: str, scale: Scale) -> list[Box]:
    """The rows of one kind that lie in the window."""
    found = []
    for row in rows:
        start, end = moment(row, "start"), moment(row, "end")
        if kind_of(row) != kind or (start is None and end is None):
            continue
        low = scale.low if start is None else start
        high = scale.high if end is None else end
        if low > scale.high or high < scale.low:
            continue
        left, right = scale(low), scale(low if kind == "tick" else high)
        found.append(Box(row, left, right, text(row, "label"), _said(row, kind)))
    return found


def _said(row: Row, kind: str) -> str:
    start, end = row.get("start"), row.get("end")
    if kind == "tick":
        return words.instant(start)
    ends = [
        "before the window" if start is None else words.instant(start),
        "still open" if end is None else words.instant(end),
    ]
    low, high = moment(row, "start"), moment(row, "end")
    said = " to ".join(ends)
    if low is not None and high is not None:
        said += f", {words.duration((high - low) / 1000)}"
    return f"{said}, n = {words.said(row['n'], 'count')}" if row.get("n") is not None else said


def lay(
    name: str,
    rows: Sequence[Row],
    scale: Scale,
    palette: Palette,
    colours: Mapping[str, str],
    marks: Marks,
) -> None:
    """Lay one lane below those that are there, and move the height of the marks on.

    Args:
        name: of the lane; none is written where it is empty.
        rows: of this lane, without events.
        scale: the time across.
        palette: the colours of words and roles.
        colours: one for each label of a span without a role.
        marks: what is filled.
    """
    if name:
        place = {"x": scale.low, "y": marks.height + ROW / 2, "colour": palette.ink}
        marks.lanes.append(place | {"text": layout.fit(name, scale.right, bold=True)})
        marks.height += ROW + 2
    spans, zones = _boxes(rows, "span", scale), _boxes(rows, "zone", scale)
    levels = layout.levels([(box.left, box.right) for box in spans], gap=-0.5)
    labels = _place_labels(spans, levels, scale)
    cramped = [i for i, box in enumerate(spans) if _is_cramped(box, levels[i], labels[i])]
    doubts = [zone for zone in zones if zone.label]
    over = [*doubts, *(spans[i] for i in cramped)]
    top, written = _label_above(over, scale, palette, marks)
    above = {i for i, done in zip(cramped, written[len(doubts) :], strict=True) if done}
    for i, (box, level) in enumerate(zip(spans, levels, strict=True)):
        label = None if i in above else labels[i]
        y = top + level * (_BAR + _GAP)
        _draw_span(box, y, scale, palette.role(box.row.get("role")) or colours[box.key], marks)
        if label:
            words_at = {"x": scale.back(label[0]), "y": y + _BAR / 2 - 1, "text": label[1]}
            marks.inside.append(words_at | {"colour": palette.ink})
    bottom = top + (max(levels, default=-1) + 1) * (_BAR + _GAP) - (_GAP if spans else 0)
    bottom += _BAR if zones and not spans else 0
    bottom = _draw_rug(_boxes(rows, "tick", scale), bottom, scale, palette, marks)
    marks.zones.extend(_zone(box, top - 3, bottom + 3, scale, palette) for box in zones)
    marks.height = bottom + 16


def _place_labels(
    spans: Sequence[Box], levels: Sequence[int], scale: Scale
) -> list[tuple[float, str] | None]:
    """Find a place for each label: in its span, else right or left of it where nothing is."""
    taken: dict[int, list[tuple[float, float]]] = {}
    for box, level in zip(spans, levels, strict=True):
        insort(taken.setdefault(level, []), (box.left, box.right))
    found: list[tuple[float, str] | None] = []
    for box, level in zip(spans, levels, strict=True):
        inside = layout.fit(box.label, box.right - box.left - 10)
        fits = inside and not _is_short(box, inside)
        label = inside if fits else layout.fit(box.label, _LABEL_PIXELS)
        width = layout.text_width(label)
        beside = (box.right + 6, box.left - 6 - width)
        free = (
            left
            for left in beside
            if left >= 0
            and left + width <= scale.right
            and layout.is_free(taken[level], left, left + width, 2)
        )
        left = None if fits else next(free, None)
        if left is not None:
            insort(taken[level], (left, left + width))
        elif inside:
            left, label = box.left + 5, inside
        found.append(None if left is None or not label else (left, label))
    return found


def _is_cramped(box: Box, level: int, label: tuple[float, str] | None) -> bool:
    """Whether a label has no place, or one so small that little of its words is left."""
    if label is None:
        return bool(box.label)
    return not level and _is_short(box, label[1])


def _is_short(box: Box, label: str) -> bool:
    """Whether little is left of a label of several words. An id is known by its ends."""
    return " " in box.label and len(label) < _READABLE * len(box.label)


def _draw_span(box: Box, top: float, scale: Scale, colour: str, marks: Marks) -> None:
    right = max(box.right, box.left + 1.5)
    fill = {"x": scale.back(box.left), "x2": scale.back(right), "colour": colour}
    fill |= {"name": named(box.key), "said": box.said}
    marks.fills.append(fill | {"y": top, "y2": top + _BAR})
    marks.feet.append(fill | {"y": top + _BAR - 4, "y2": top + _BAR})


def _draw_rug(
    ticks: Sequence[Box], bottom: float, scale: Scale, palette: Palette, marks: Marks
) -> float:
    for box in ticks:
        rug = {"y": bottom + 2, "y2": bottom + 2 + _RUG, "name": named(box.key) or "tick"}
        colour = palette.role(box.row.get("role")) or palette.quiet
        marks.ticks.append(rug | {"x": scale.back(box.left), "colour": colour, "said": box.said})
    return bottom + (2 + _RUG if ticks else 0)


def _zone(box: Box, top: float, bottom: float, scale: Scale, palette: Palette) -> dict[str, Any]:
    middle, half = (box.left + box.right) / 2, max(box.right - box.left, _ZONE_PIXELS) / 2
    drawn: dict[str, Any] = {"x": scale.back(middle - half), "x2": scale.back(middle + half)}
    drawn |= {"y": top, "y2": bottom, "colour": palette.gate}
    return drawn | {"name": named(box.key) or "ambiguous", "said": box.said}


def _label_above(
    boxes: Sequence[Box], scale: Scale, palette: Palette, marks: Marks
) -> tuple[float, list[bool]]:
    """Write labels over their boxes, tied to them, where there is room.

    Returns:
        Where the boxes begin, and of each label whether it was written.
    """
    found = []
    for box in boxes:
        label = layout.fit(box.label, min(_LABEL_PIXELS, scale.right), 11)
        middle, width = (box.left + box.right) / 2, layout.text_width(label, 11)
        left = min(max(middle - width / 2, 0.0), scale.right - width)
        found.append((left, left + width, label, middle, kind_of(box.row) == "zone"))
    rows = layout.levels([(left, right) for left, right, *_ in found])
    used = min(max(rows, default=-1) + 1, _LABEL_ROWS)
    top = marks.height + ROW * used + (6 if used else 2)
    for (left, right, label, middle, zone), row in zip(found, rows, strict=True):
        if row >= used:
            continue
        y = top - 6 - ROW * (row + 0.5)
        place = {"x": scale.back((left + right) / 2), "y": y, "text": label}
        marks.above.append(place | {"colour": palette.alarm if zone else palette.quiet})
        tie = {"x": scale.back(middle), "y": y + 7, "y2": top}
        marks.ties.append(tie | {"colour": palette.gate if zone else palette.muted})
    return top, [row < used for row in rows]
