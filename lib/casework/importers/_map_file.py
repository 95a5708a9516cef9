"""The map of `--map`: read from TOML, and checked before any source is opened."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from casework.case import scan
from casework.errors import CaseworkError, UsageError, unknown_name
from casework.importers._instants import APART, FIRST, LAST, LOCAL, ZONE, is_never
from casework.importers._ready_maps import ready_map, ready_maps
from casework.tables import ALL, Table, get
from casework.tables._table import INSTANT, REAL, WHOLE

EPOCHS = {"epoch_s": 6, "epoch_ms": 3, "epoch_us": 0, "epoch_ns": -3}
"""Formats that count from 1970, and the power of ten that makes microseconds of them."""

_SECTIONS = {"table", "header_rows", "columns", "constants"}
_MOST_HEADER_ROWS = 9
_KEYS: dict[str, tuple[type, ...]] = {
    "source": (str, list),
    "pattern": (str,),
    "optional": (bool,),
    "empty": (list,),
    "format": (str, list),
    "timezone": (str,),
    "scale": (int, float),
    "values": (dict,),
}
_FOR_TYPES = {"format": (INSTANT,), "timezone": (INSTANT,), "scale": (REAL, WHOLE)}


@dataclass(frozen=True, slots=True)
class Field:
    """Where an evidence column gets its values: a source column and how it is written there.

    `source` is the column once the file is known. A map gives `sources`, of which the first that
    the file has is taken, and `pattern`, which the one other column matches; an `optional` column
    may be missing, or be one of several that match. Texts in `empty` say nothing. `formats` are
    tried in order.
    """

    source: str = ""
    sources: tuple[str, ...] = ()
    pattern: str | None = None
    optional: bool = False
    empty: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    timezone: str | None = None
    scale: float | None = None
    values: Mapping[str, Any] | None = None


def read_map(path: Path) -> dict[str, Any]:
    """Read a map file, or the ready map of that name where there is no such file.

    Raises:
        CaseworkError: NO_SUCH_FILE.
        UsageError: MAP_INVALID, with the line.
    """
    try:
        ready = None if path.exists() else ready_map(str(path))
        return tomllib.loads(ready.text if ready else path.read_text("utf-8"))
    except FileNotFoundError:
        names = ", ".join(one.name for one in ready_maps())
        fix = f"check the path, or name a ready map: {names}"
        raise CaseworkError("NO_SUCH_FILE", "there is no such file", fix, where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path}:line {line.group(1)}" if line else str(path)
        raise _invalid(f"not TOML: {str(error).splitlines()[0]}", where) from None


def check_map(mapping: Mapping[str, Any], table: Table | None) -> None:
    """Check everything about a map that can be told without a source.

    Args:
        mapping: the parsed file.
        table: the evidence table, where it is known already.

    Raises:
        UsageError: MAP_INVALID, UNKNOWN_TABLE, UNKNOWN_COLUMN, UNKNOWN_TIMEZONE.
    """
    stray = sorted(set(mapping) - _SECTIONS)
    if stray:
        raise _invalid(f"{stray[0]!r} is not a section of a map")
    for section in ("columns", "constants"):
        if not isinstance(mapping.get(section, {}), dict):
            raise _invalid(f"{section!r} is not a section, but a value")
    if "table" in mapping and not isinstance(mapping["table"], str):
        raise _invalid("table is not a text")
    header_rows = mapping.get("header_rows", 1)
    is_number = isinstance(header_rows, int) and not isinstance(header_rows, bool)
    if not is_number or not 1 <= header_rows <= _MOST_HEADER_ROWS:
        raise _invalid(f"header_rows is no number from 1 to {_MOST_HEADER_ROWS}")
    table = get(mapping["table"]) if "table" in mapping else table
    for name, entry in mapping.get("columns", {}).items():
        field_of(name, entry, _targets(name, table))
    for name, value in mapping.get("constants", {}).items():
        if name in mapping.get("columns", {}):
            raise _invalid(f"{name} has a column and a constant")
        if table:
            check_constant(name, value, table)
        _targets(name, table)


def _targets(name: str, table: Table | None) -> set[str]:
    """Types of the columns of that name: in the table, or where none is known in any."""
    columns = [column for one in ([table] if table else ALL) for column in one.columns]
    found = {column.type for column in columns if column.name == name}
    if not found:
        raise unknown_name("column", name, sorted({column.name for column in columns}))
    return found


def field_of(name: str, entry: Any, targets: set[str]) -> Field:
    """Make a field of an entry of the section `columns`.

    Raises:
        UsageError: MAP_INVALID, UNKNOWN_TIMEZONE.
    """
    entry = {"source": entry} if isinstance(entry, str | list) else entry
    if not isinstance(entry, dict) or not {"source", "pattern"} & entry.keys():
        raise _invalid(f"columns.{name} names no source")
    for key, value in entry.items():
        place = f"columns.{name}.{key}"
        if key not in _KEYS:
            raise _invalid(f"{place} is none of {', '.join(_KEYS)}")
        is_flag = isinstance(value, bool) and bool not in _KEYS[key]
        if not isinstance(value, _KEYS[key]) or is_flag or not _is_list_of_texts(value):
            raise _invalid(f"{place} is {value!r}")
        if key in _FOR_TYPES and targets.isdisjoint(_FOR_TYPES[key]):
            raise _invalid(f"{place} means nothing for a column of type {targets.pop()}")
    if "timezone" in entry:
        check_timezone(entry["timezone"])
    return Field(
        sources=_texts(entry.get("source")),
        pattern=_checked_pattern(f"columns.{name}.pattern", entry.get("pattern")),
        optional=entry.get("optional", False),
        empty=_texts(entry.get("empty")),
        formats=_checked_formats(f"columns.{name}.format", _texts(entry.get("format"))),
        timezone=entry.get("timezone"),
        scale=entry.get("scale"),
        values=entry.get("values"),
    )


def _is_list_of_texts(value: Any) -> bool:
    """Whether a list is one of texts, and not empty; any other value is not asked."""
    if not isinstance(value, list):
        return True
    return bool(value) and all(isinstance(one, str) for one in value)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _checked_pattern(place: str, pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise _invalid(f"{place} is {pattern!r}: {error}") from None
    return pattern


def _checked_formats(place: str, formats: tuple[str, ...]) -> tuple[str, ...]:
    for format in formats:
        if format not in EPOCHS:
            _check_format(place, format)
    if len(formats) > 1 and not EPOCHS.keys().isdisjoint(formats):
        raise _invalid(f"{place} lists a count from 1970 among others")
    if len({"%z" in format.lower() for format in formats}) > 1:
        raise _invalid(f"{place} lists formats with a zone and without")
    return formats


def _check_format(place: str, format: str) -> None:
    known = f"{place} is {format!r}, neither strptime directives nor one of {', '.join(EPOCHS)}"
    if "%" not in format:
        raise _invalid(known)
    try:
        scan("SELECT try_strptime('', $format)", {"format": format})
    except CaseworkError:
        raise _invalid(known) from None


def check_constant(name: str, value: Any, table: Table) -> None:
    """Check that a value of the section `constants` is one of its column.

    Raises:
        UsageError: MAP_INVALID, UNKNOWN_COLUMN.
    """
    _targets(name, table)
    column, text = table.column(name), written(value)
    if column.type == INSTANT:
        is_usable = _is_instant(text) or (column.is_open_end and is_never(text))
    else:
        sql = f"SELECT TRY_CAST($value AS {column.type}) IS NOT NULL"
        is_usable = scan(sql, {"value": text})[0][0]
    if not is_usable or (column.values and text not in column.values):
        raise _invalid(f"constants.{name} is {value!r}")


def _is_instant(text: str) -> bool:
    """Whether a text is an instant, within the bounds of those of a column."""
    if not re.search(ZONE, text) and not re.fullmatch(LOCAL, text):
        return False
    sql = f"SELECT coalesce(TRY_CAST($value AS {INSTANT}) BETWEEN $first AND $last, false)"
    bounds = {"first": FIRST, "last": LAST}
    return bool(scan(sql, {"value": re.sub(APART, r"\1", text), **bounds})[0][0])


def written(value: Any) -> str:
    """A TOML value as the text that SQL casts."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_timezones = cache(available_timezones)


def is_zoneless(given: Any) -> bool:
    """Whether an instant that a map gives names no zone, where it is no end that is none."""
    text = written(given)
    return not is_never(text) and (len(text) <= 10 or not re.search(ZONE, text))


def is_timezone(name: str) -> bool:
    """Whether a name is that of an IANA time zone."""
    return name in _timezones()


def check_timezone(name: str) -> str:
    """Return the name if it is an IANA time zone.

    Raises:
        UsageError: UNKNOWN_TIMEZONE.
    """
    if not is_timezone(name):
        from difflib import get_close_matches

        near = get_close_matches(name, sorted(_timezones()), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}" if near else "give an IANA name such as 'Europe/Berlin'"
        raise UsageError("UNKNOWN_TIMEZONE", f"there is no time zone {name!r}", hint)
    return name


def _invalid(what: str, where: str = "") -> UsageError:
    return UsageError("MAP_INVALID", what, "see 'A map' in docs/loading.md", where=where)
