"""Reading a foreign JSON value without trusting its shape: what is not as expected is absent."""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from casework import canonical
from casework.importers._json_document import decoded


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """Return the list, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Return a text that is not empty, or a number or flag as JSON writes it, or None.

    NaN and the infinities, by which tables say that there is nothing, are none.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) or math.isfinite(value) else None
    return value if isinstance(value, str) and value else None


def parsed(value: Any, *, constants: bool = False) -> Any:
    """Return the value of a JSON text; what is none, or nests deeply, stays as it stands.

    Args:
        value: the text, or what is none.
        constants: whether NaN and Infinity are numbers in it; see `decoded`.
    """
    if isinstance(value, str):
        with suppress(ValueError):
            return decoded(value, constants=constants)
    return value


def written(value: Any) -> str | None:
    """Return a text as it stands, any other value as JSON, and None for what is empty."""
    if value in (None, "", [], {}):
        return None
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except TypeError:  # YAML has keys that JSON has not: flags, and none
        return canonical.dumps(value)


def number(value: Any) -> float | None:
    """Return a finite number, or None; a flag is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out entries that say nothing: None, and empty texts, lists and objects."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, ())}


def pointer(name: str) -> str:
    """JSON pointer to a key, RFC 6901."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
