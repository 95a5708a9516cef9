"""A value of a foreign JSON document as a value of the type of a column."""

import re
from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

from casework.importers import _shape
from casework.importers._instants import Instants
from casework.tables import Column
from casework.tables._table import FLAG, INSTANT, REAL, TEXT, VECTOR, WHOLE

_FLAGS = {"true": True, "yes": True, "1": True, "1.0": True,
          "false": False, "no": False, "0": False, "0.0": False}  # fmt: skip
_WHOLE_LIMIT = 2**63
_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127


def convert(value: Any, column: Column, instants: Instants) -> Any:
    """Convert a value to the type of a column.

    Raises:
        ValueError: it cannot be read so, or is not among the values of the column.
    """
    if column.type == INSTANT:
        return instants.read(value)
    if column.type == "VARCHAR[]" and isinstance(value, list):
        return [_word(item) for item in value if item is not None and not is_no_text(item)]
    if column.type == VECTOR and isinstance(value, list) and value:
        return _vector(value)
    if isinstance(value, Mapping | list):
        raise ValueError("not a single value")
    read = {TEXT: _word, REAL: _real, WHOLE: _whole, FLAG: _flag}.get(column.type)
    if read is None:
        raise ValueError(f"no reader for {column.type}")
    found = read(value)
    if column.values and str(found) not in column.values:
        found = re.sub("[ -]+", "_", str(found).strip().lower())
        if found not in column.values:
            raise ValueError(f"not one of {column.values}")
    return found


def is_no_text(value: Any) -> bool:
    """Whether it is what tables write for a text that is not there: NaN, or an infinity."""
    return isinstance(value, float) and not isfinite(value)


def _word(value: Any) -> str:
    if is_no_text(value):
        raise ValueError("not a text")
    return _shape.text(value) or str(value)


def _real(value: Any) -> float:
    found = _shape.number(float(value) if isinstance(value, str) else value)
    if found is None:
        raise ValueError("not a number")
    return found


def _vector(items: list[Any]) -> list[float]:
    """Numbers that four bytes can hold, each finite."""
    is_plain = {*map(type, items)} == {float}
    found = items if is_plain and all(map(isfinite, items)) else [_real(item) for item in items]
    if max(map(abs, found)) > _LARGEST_FLOAT:
        raise ValueError("a number that four bytes cannot hold")
    return found


def _whole(value: Any) -> int:
    with suppress(ValueError):  # of digits nothing is lost, which a float would lose beyond 2^53
        value = int(value) if isinstance(value, str) else value
    found = _real(value)
    if found != int(found) or abs(found) >= _WHOLE_LIMIT:
        raise ValueError("not a whole number")
    return int(value) if isinstance(value, int) else int(found)


def _flag(value: Any) -> bool:
    try:
        return _FLAGS[str(value).strip().lower()]
    except KeyError as error:
        raise ValueError("neither true nor false") from error
