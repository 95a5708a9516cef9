"""The rows of a chart read with care: they are evidence, and may come back from JSON as text."""

import math
from collections.abc import Mapping
from typing import Any

from casework.findings import Row
from casework.visible import on_one_line, shorten
from casework.words import parse_instant

_LONGEST_NAME = 100


def text(row: Row | Mapping[str, Any], key: str) -> str:
    """Return a field as visible text on one line; empty where there is none."""
    value = row.get(key)
    return "" if value is None else on_one_line(str(value))


def named(*parts: str) -> str:
    """Join the words that name a mark, for those who hover over it; shortened where too long."""
    return shorten(" · ".join(filter(None, parts)), _LONGEST_NAME)


def amount(row: Row | Mapping[str, Any], key: str) -> float | None:
    """Return a field as a finite number; None where it is missing, NaN or infinite."""
    value = row.get(key)
    if value is None or isinstance(value, str):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def moment(row: Row | Mapping[str, Any], key: str) -> float | None:
    """Return an instant in milliseconds since 1970, UTC; None where it is missing."""
    found = parse_instant(row.get(key))
    return None if found is None else found.timestamp() * 1000
