"""How the columns of a table file become evidence columns: by name, by synonym, or by a map."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from casework.errors import CaseworkError, UsageError, unknown_name
from casework.tables import ATTRIBUTES, Table

EPOCHS = {"epoch_s": 1e6, "epoch_ms": 1e3, "epoch_us": 1.0, "epoch_ns": 1e-3}
_KEYS = {"source", "format", "timezone", "scale", "values"}


@dataclass(frozen=True, slots=True)
class Field:
    """Where an evidence column gets its values: a source column and how it is written there."""

    source: str
    format: str | None = None
    timezone: str | None = None
    scale: float | None = None
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Fields by evidence column, constants by evidence column, and columns left for the rest."""

    fields: Mapping[str, Field]
    constants: Mapping[str, Any]
    rest: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def check_timezone(name: str) -> str:
    """Return the name if it is an IANA time zone.

    Raises:
        UsageError: UNKNOWN_TIMEZONE.
    """
    known = available_timezones()
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}" if near else "give an IANA name such as 'Europe/Berlin'"
        raise UsageError("UNKNOWN_TIMEZONE", f"there is no time zone {name!r}", hint)
    return name


def plan(table: Table, columns: list[str], mapping: Mapping[str, Any] | None, where: str) -> Plan:
    """Decide where each column of the table comes from.

    Args:
        table: the evidence table.
        columns: names of the source columns.
        mapping: the parsed map file, or None.
        where: name of the source, for errors.

    Raises:
        CaseworkError: MISSING_COLUMN, MAP_COLUMN; UsageError: MAP_INVALID.
    """
    fields, constants = _mapped(table, columns, mapping or {}, where)
    taken = {entry.source for entry in fields.values()}
    free = {name.lower(): name for name in columns if name not in taken}
    notes: list[str] = []
    for name in (column.name for column in table.columns):
        if name not in fields and name not in constants and name in free:
            fields[name] = Field(free.pop(name))
    for name in table.required:
        if name in fields or name in constants:
            continue
        for synonym in table.all_synonyms.get(name, ()):
            if synonym in free:
                fields[name] = Field(free.pop(synonym))
                notes.append(f"{fields[name].source!r} was read as {name}")
                break
    missing = [name for name in table.required if name not in fields and name not in constants]
    if missing:
        raise CaseworkError(
            "MISSING_COLUMN",
            f"no column for {table.name}.{missing[0]}, the file has: {', '.join(columns)}",
            "rename it, or name it with --map",
            where=where,
        )
    rest = tuple(name for name in columns if name in free.values())
    told = [name for name in rest if name != ATTRIBUTES]
    if told:
        notes.append(f"kept in {table.covariates or ATTRIBUTES}: {', '.join(told)}")
    return Plan(fields, constants, rest, tuple(notes))


def _mapped(
    table: Table, columns: list[str], mapping: Mapping[str, Any], where: str
) -> tuple[dict[str, Field], dict[str, Any]]:
    known = [column.name for column in table.columns]
    unknown = set(mapping) - {"table", "columns", "constants"}
    if unknown:
        raise _invalid(f"{sorted(unknown)[0]!r} is not a section of a map")
    fields: dict[str, Field] = {}
    for name, entry in mapping.get("columns", {}).items():
        if name not in known:
            raise unknown_name("column", name, known)
        fields[name] = _field(name, {"source": entry} if isinstance(entry, str) else entry)
        if fields[name].source not in columns:
            raise CaseworkError(
                "MAP_COLUMN",
                f"the map takes {name} from {fields[name].source!r}, the file has: "
                + ", ".join(columns),
                "mend the map",
                where=where,
            )
    constants = dict(mapping.get("constants", {}))
    for name in constants:
        if name not in known:
            raise unknown_name("column", name, known)
    return fields, constants


def _field(name: str, entry: Any) -> Field:
    if not isinstance(entry, dict) or not isinstance(entry.get("source"), str):
        raise _invalid(f"columns.{name} needs a source")
    if set(entry) - _KEYS:
        raise _invalid(f"columns.{name} has {sorted(set(entry) - _KEYS)[0]!r}")
    if entry.get("timezone"):
        check_timezone(entry["timezone"])
    values = entry.get("values")
    if values is not None and not isinstance(values, dict):
        raise _invalid(f"columns.{name}.values is not a table")
    return Field(**entry)


def _invalid(what: str) -> UsageError:
    return UsageError("MAP_INVALID", what, "see 'A map is TOML' in docs/loading.md")
