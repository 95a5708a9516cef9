"""How many digits a number is written with: enough to tell values apart, no more than are known."""

import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
_MOST = 12
"""Decimals beyond which a float holds noise."""


def interval_decimals(values: Sequence[float], marks: Sequence[float] = (0.0,)) -> int:
    """How many decimals show two significant digits of the width of an interval.

    Up to two more where rounding would put a value on one of the marks, on which it is not: an
    interval that excludes zero is not to end there.
    """
    finite = [x for x in values if math.isfinite(x)]
    width = max(finite, default=0.0) - min(finite, default=0.0)
    if not width:
        return decimals(finite, 3)
    found = _needed(finite, max(0, min(1 - math.floor(math.log10(width)), 6)))
    for more in range(found, found + 3):
        if not any(x != mark and round(x, more) == mark for x in finite for mark in marks):
            return more
    return found


def decimals(values: Sequence[float], digits: int) -> int:
    """How many decimals give the largest value so many significant digits."""
    largest = max((abs(x) for x in values), default=0.0)
    if not largest:
        return 0
    return _needed(values, max(0, digits - 1 - math.floor(math.log10(largest))))


def _needed(values: Sequence[float], most: int) -> int:
    """Drop decimals that are zero in all values because the values are exact, not rounded."""
    while most and all(math.isclose(x, round(x, most - 1), rel_tol=1e-9) for x in values):
        most -= 1
    return most


def share_decimals(value: float) -> int:
    """Three significant digits, and more where rounding would make a share whole."""
    found = decimals([100 * value], 3) if math.isfinite(value) else 0
    is_whole = abs(abs(value) - 1) < 10**-_MOST
    while not is_whole and found < _MOST and round(100 * abs(value), found) == 100:
        found += 1
    return found


def fixed(value: float, places: int, *, signed: bool = False) -> str:
    """Write a number with so many decimals, commas, and a true minus sign; never a minus zero."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    rounded = round(value, places) + 0  # adding 0 turns a negative zero into zero
    text = f"{abs(rounded):,}" if isinstance(rounded, int) else f"{abs(rounded):,.{places}f}"
    plus = "+" if signed and rounded > 0 else ""
    return (MINUS if rounded < 0 else plus) + text
