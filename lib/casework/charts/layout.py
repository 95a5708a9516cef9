"""Where words go in a picture: how wide they are, which fit, and which row keeps them apart.

Vega places marks but does not keep labels from running into each other, so that is done here, in
pixels and before drawing. Widths are estimates of a sans-serif font and err on the wide side.
"""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from casework.visible import on_one_line, shorten

TEXT = 12
"""Size of the words in a picture, in pixels."""
ROW = 16
"""Height of a row of such words."""

_NARROW = frozenset("iIjl.,:;'|! ")
_WIDE = frozenset("mwMW@%—…")
_BOLD = 1.12


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from data to pixels across the picture."""

    low: float
    high: float
    left: float
    right: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values outside stay at the edge."""
        if self.high == self.low:
            return self.left
        share = (value - self.low) / (self.high - self.low)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def back(self, pixel: float) -> float:
        """Return the value that is drawn at a pixel."""
        return self.low + (pixel - self.left) / (self.right - self.left) * (self.high - self.low)


def padded(values: Sequence[float], *, zero: bool = False) -> tuple[float, float]:
    """Return the range of the values, with a margin on the sides that data reach.

    Args:
        values: what has to be in sight.
        zero: whether zero has to be in sight too.
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        return (0.0, 1.0) if zero else (low - 0.5, high + 0.5)
    margin = 0.05 * (high - low)
    return low - margin * (low != 0 or not zero), high + margin * (high != 0 or not zero)


def text_width(text: str, size: int = TEXT, *, bold: bool = False) -> float:
    """Estimate the width of a text in pixels."""
    return size * sum(_width(character) for character in text) * (_BOLD if bold else 1)


def _width(character: str) -> float:
    if east_asian_width(character) in "WF":
        return 1.05
    if character in _NARROW:
        return 0.35
    return 0.95 if character in _WIDE else 0.7 if character.isupper() else 0.6


def fit(text: str, pixels: float, size: int = TEXT, *, bold: bool = False) -> str:
    """Shorten a text in the middle until it fits; empty where not even its ends do."""
    shown = on_one_line(text)
    if text_width(shown, size, bold=bold) <= pixels:
        return shown
    # The width grows with the length, nearly: so the search halves, and the end is checked.
    longest = bisect_right(
        range(5, len(shown)), pixels, key=lambda n: text_width(shorten(shown, n), size, bold=bold)
    )
    short = shorten(shown, 4 + longest) if longest else ""
    return short if text_width(short, size, bold=bold) <= pixels else ""


def wrap(
    text: str, pixels: float, size: int = TEXT, *, bold: bool = False, most: int = 4
) -> list[str]:
    """Break a text between words into lines that fit; words and ends too long are shortened."""
    lines: list[str] = []
    words = on_one_line(text).split(" ")
    for place, word in enumerate(words):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold=bold) <= pixels:
            lines[-1] = longer
        elif len(lines) == most:
            rest = " ".join([lines[-1], *words[place:]])
            return [*lines[:-1], fit(rest, pixels, size, bold=bold)]
        else:
            lines.append(fit(word, pixels, size, bold=bold) or word[:1])
    return lines


def levels(intervals: Sequence[tuple[float, float]], gap: float = 8.0) -> list[int]:
    """Put each interval on the first row where it keeps a gap to those that are already there.

    Args:
        intervals: left and right in pixels, in order of importance.
        gap: the space to keep, in pixels.

    Returns:
        The row of each interval, 0 first.
    """
    rows: list[list[tuple[float, float]]] = []
    found = []
    for left, right in intervals:
        level = next((i for i, row in enumerate(rows) if is_free(row, left, right, gap)), len(rows))
        if level == len(rows):
            rows.append([])
        insort(rows[level], (left, right))
        found.append(level)
    return found


def is_free(row: list[tuple[float, float]], left: float, right: float, gap: float) -> bool:
    """Whether a row, which is sorted and holds no two that touch, has room for another."""
    place = bisect_right(row, (left, right))
    before = place == 0 or row[place - 1][1] + gap <= left
    return before and (place == len(row) or right + gap <= row[place][0])


def apart(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions as little as needed to keep a gap between them, inside `[low, high]`."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    moved = list(positions)
    floor = low
    for i in order:
        moved[i] = floor = max(moved[i], floor)
        floor += gap
    ceiling = high
    for i in reversed(order):
        moved[i] = ceiling = min(moved[i], ceiling)
        ceiling -= gap
    return moved
