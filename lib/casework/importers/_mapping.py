"""How the columns of a table file become evidence columns: by name, by synonym, or by a map."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from casework.errors import CaseworkError, unknown_name
from casework.importers._map_file import Field, check_constant, field_of
from casework.tables import Table
from casework.words import count


@dataclass(frozen=True, slots=True)
class Plan:
    """Fields by evidence column, constants by evidence column, and columns left for the rest."""

    fields: Mapping[str, Field]
    constants: Mapping[str, Any]
    rest: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def plan(
    table: Table,
    columns: list[str],
    mapping: Mapping[str, Any] | None,
    where: str,
    below: Mapping[str, str] | None = None,
) -> Plan:
    """Decide where each column of the table comes from.

    Args:
        table: the evidence table.
        columns: names of the source columns.
        mapping: the parsed map file, or None.
        where: name of the source, for errors.
        below: what a second row of header says of the columns, such as the question of each.

    Raises:
        CaseworkError: MISSING_COLUMN, MAP_COLUMN.
        UsageError: MAP_INVALID, UNKNOWN_COLUMN.
    """
    fields, constants = _mapped(table, columns, mapping or {}, where, below or {})
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
    rest = tuple(sorted(free.values()))
    return Plan(fields, constants, rest, tuple(notes))


def _mapped(
    table: Table,
    columns: list[str],
    mapping: Mapping[str, Any],
    where: str,
    below: Mapping[str, str],
) -> tuple[dict[str, Field], dict[str, Any]]:
    types = {column.name: {column.type} for column in table.columns}
    given, constants = mapping.get("columns", {}), mapping.get("constants", {})
    for name in (*given, *constants):
        if name not in types:
            raise unknown_name("column", name, list(types))
    fields: dict[str, Field] = {}
    for name, entry in given.items():
        field_given = field_of(name, entry, types[name])
        if (source := _source(name, field_given, columns, where, below)) is not None:
            fields[name] = replace(field_given, source=source)
    for name, value in constants.items():
        check_constant(name, value, table)
    return fields, dict(constants)


def _source(
    name: str, entry: Field, columns: list[str], where: str, below: Mapping[str, str]
) -> str | None:
    """The source column of a field; None where there is none, and none is needed.

    A name is found whatever its case and the blanks around it. A pattern is asked of the names, and
    where none of them matches of what stands below them.

    Raises:
        CaseworkError: MAP_COLUMN.
    """
    for wanted in entry.sources:
        for alike in (str, str.lower, _bare):
            if len(found := [one for one in columns if alike(one) == alike(wanted)]) == 1:
                return found[0]
    found = []
    if entry.pattern is not None:
        asks = re.compile(entry.pattern, re.IGNORECASE).search
        found = [one for one in columns if asks(one)]
        found = found or [one for one in columns if asks(below.get(one, ""))]
    if len(found) == 1:
        return found[0]
    if entry.optional:
        return None
    said = [*map(repr, entry.sources), *([f"/{entry.pattern}/"] if entry.pattern else [])]
    there = f"{count(len(found), 'columns')} match: {', '.join(found)}" if found else (
        f"the file has: {', '.join(columns)}")  # fmt: skip
    raise CaseworkError(
        "MAP_COLUMN",
        f"the map takes {name} from {' or '.join(said)}, {there}",
        "name the column as its `source` in a map of your own",
        where=where,
    )


def _bare(name: str) -> str:
    return name.strip().lower()
