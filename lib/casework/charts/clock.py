"""A time axis in UTC: where its ticks are, what they say, and how it is drawn.

Vega's own time axis depends on the reader's time zone unless every part of it is told otherwise,
and a picture must say the same to every reader; so instants are numbers to Vega (milliseconds
since 1970) and their words are written here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from casework.charts.layout import Scale, text_width
from casework.charts.stage import Align, Stage

HEIGHT = 38
"""What the words under a time axis take, in pixels."""

_ROOM = 68
"""Pixels that a tick with its words should have."""
_MINUTE, _DAY = 60, 86_400
_STEPS = (1, 5, 15, 30, *(_MINUTE * m for m in (1, 5, 15, 30, 60, 180, 360, 720)))
_STEPS += tuple(_DAY * days for days in (1, 2, 7, 14))
_MONTHS = (1, 3, 6, 12, 60, 120)
_MONDAY = 4 * _DAY
"""Seconds from the start of 1970, a Thursday, to the first Monday."""


def ticks(scale: Scale) -> list[tuple[float, str]]:
    """Return the ticks of a scale in milliseconds since 1970, each with its words.

    The first tick, and each that begins a new year or day, says which one it is.
    """
    most = max(2.0, (scale.right - scale.left) / _ROOM)
    span = (scale.high - scale.low) / 1000
    step = next((step for step in _STEPS if span / step <= most), None)
    found = list(_even(scale, step) if step else _monthly(scale, most))
    return [
        (when.timestamp() * 1000, _words(when, found[i - 1] if i else None, step))
        for i, when in enumerate(found)
    ]


def _even(scale: Scale, step: int) -> Iterator[datetime]:
    offset = _MONDAY if step % (7 * _DAY) == 0 else 0
    second = -(-(scale.low / 1000 - offset) // step) * step + offset
    while second * 1000 <= scale.high:
        yield _instant(second)
        second += step


def _monthly(scale: Scale, most: float) -> Iterator[datetime]:
    first, last = _instant(scale.low / 1000), _instant(scale.high / 1000)
    months = 12 * (last.year - first.year) + last.month - first.month
    step = next((step for step in _MONTHS if months / step <= most), 12 * 100)
    month = -(-(12 * first.year + first.month - 1) // step) * step
    while month // 12 <= last.year:  # the calendar of Python ends with the year 9999
        when = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        if first <= when <= last:
            yield when
        month += step


def _instant(second: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


def _words(when: datetime, before: datetime | None, step: int | None) -> str:
    day = f"{when.day} {when:%b}"
    if before is None or before.year != when.year:
        day = f"{day} {when.year}"
    if step is None:
        return f"{when:%b %Y}" if when.month > 1 or before is None else f"{when.year}"
    if step >= _DAY:
        return day
    clock = f"{when:%H:%M:%S}" if step < _MINUTE else f"{when:%H:%M}"
    new_day = before is None or before.date() != when.date()
    return f"{clock}, {day}" if new_day else clock


def draw(stage: Stage, top: float, bottom: float, title: str, *, worded: bool = True) -> None:
    """Draw grid lines from `top` to `bottom` and, below them, their words and the title.

    Args:
        stage: what to draw on; it reaches `HEIGHT` below `bottom`.
        top: in pixels.
        bottom: in pixels.
        title: what the axis is; that it is UTC is added.
        worded: whether the words are written, or those of another panel serve.
    """
    found = ticks(stage.scale)
    ends = {"y": stage.at(top), "y2": stage.at(bottom), "colour": stage.palette.grid}
    stage.upright([{"x": x, **ends} for x, _ in found])
    base = {"x": stage.scale.low, "x2": stage.scale.high, "y": stage.at(bottom)}
    stage.across([base | {"colour": stage.palette.grid}])
    if not worded:
        return
    quiet = {"colour": stage.palette.quiet}
    named = title if "UTC" in title else f"{title}, UTC".removeprefix(", ")
    line = {"x": stage.scale.high, "y": stage.at(bottom + 30), "text": named}
    stage.words([line | quiet], "right", size=11)
    for align, x, text in _placed(found, stage.scale):
        stage.words([{"x": x, "y": stage.at(bottom + 13), "text": text, **quiet}], align, size=11)


def _placed(found: list[tuple[float, str]], scale: Scale) -> Iterator[tuple[Align, float, str]]:
    """Keep words inside the picture at its ends, and leave out those that would touch others."""
    taken = float("-inf")
    for x, text in found:
        pixel, half = scale(x), text_width(text, 11) / 2
        left = min(max(pixel - half, scale.left), scale.right - 2 * half)
        align: Align = (
            "left" if left > pixel - half else "right" if left < pixel - half else "center"
        )
        if left > taken + 8:
            taken = left + 2 * half
            edge = {"left": left, "right": taken, "center": pixel}[align]
            yield align, scale.back(edge), text
