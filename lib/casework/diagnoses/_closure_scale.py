"""The scale of the scores: which difference matters, and by how much an item may change."""

from collections.abc import Mapping, Sequence
from typing import Any


def margin_of(rows: Sequence[Mapping[str, Any]], *, is_share: bool) -> float:
    """METHODS 0.10: one point for rates, a tenth of a standard deviation for scores.

    Items that are right or wrong in percent, 0 or 100, make a rate too.
    """
    if is_share:
        return 0.01
    spread = _spread(rows)
    return 1.0 if spread is None else 0.1 * spread


def size_of(rows: Sequence[Mapping[str, Any]], *, is_share: bool) -> float:
    """By how much an item may change.

    One that is right or wrong by 1, or by 100 in percent. Other scores by their standard
    deviation, or where all are the same by what they are.
    """
    if is_share:
        return 1.0
    spread = _spread(rows)
    return max((abs(row["most"]) for row in rows), default=1.0) if spread is None else spread


def _spread(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Mean standard deviation of the items; None where they are right or wrong, or all alike."""
    spreads = [row["spread"] for row in rows if row["spread"]]
    if not spreads or all(row["is_percent"] is not False for row in rows):
        return None
    return float(sum(spreads) / len(spreads))
