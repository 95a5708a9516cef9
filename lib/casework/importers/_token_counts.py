"""Counts of tokens among the attributes of a span: whole numbers, however they are written."""

from collections.abc import Sequence
from typing import Any

from casework.importers import _genai_names as names

_LARGEST_WHOLE = 2**63 - 1


def read_count(column: str, met: Sequence[str], best: Any, rest: dict[str, Any]) -> int | None:
    """Read a count of tokens; what is none stays an attribute of its own name.

    Of several names the best counts whose value can be read.

    Args:
        column: the column of the count.
        met: the names of the attributes of the span.
        best: the value of the best of the names of the column.
        rest: the attributes that no column takes, among them those of its other names.
    """
    first, *others = [name for name in names.NAMES[column] if name in met]
    if (count := _whole(best)) is not None:
        return count
    rest[first] = best
    for name in others:
        if (count := _whole(rest.get(name))) is not None:
            del rest[name]
            return count
    return None


def _whole(value: Any) -> int | None:
    try:
        whole = -1 if isinstance(value, bool) else int(value)
    except (ValueError, TypeError, OverflowError):
        return None
    is_exact = whole == value or str(whole) == value
    return whole if 0 <= whole <= _LARGEST_WHOLE and is_exact else None
