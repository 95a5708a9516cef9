"""The SELECT that reads a table file into a table: rows kept, rows rejected, all else kept too."""

import re
from dataclasses import dataclass

from casework.case import identifier, literal
from casework.importers import _expressions as sql
from casework.importers._expressions import LOCATOR, RAW, RESERVED, Reading
from casework.importers._mapping import Plan
from casework.importers._shape import pointer
from casework.tables import ATTRIBUTES, Table
from casework.tables._table import JSON, REAL, TEXT

# Lists and structures with numbers, and how DuckDB writes one that is not finite.
_MAY_BE_NO_JSON = re.compile(r"(FLOAT|DOUBLE).*[\])]$", re.DOTALL)
_NO_JSON = r"[\[:,](NaN|-?Infinity)[,\]}]"
_PAIRS = f"STRUCT(k {TEXT}, v {JSON})[]"


@dataclass(frozen=True, slots=True)
class Statement:
    """The query of a `Select`, and the columns that it fills, in order."""

    columns: tuple[str, ...]
    query: str
    notes: tuple[str, ...]


def statement(
    table: Table, plan: Plan, reading: Reading, timezone: str, asked: tuple[str, ...] = ()
) -> Statement:
    """Build the SELECT that reads a source into a table, in one pass.

    Args:
        table: the evidence table.
        plan: where its columns come from.
        reading: the source.
        timezone: IANA name for instants without a zone.
        asked: SQL tests to be made of each row besides.
    """
    values: dict[str, str] = {}
    faults: list[str] = []
    for name, entry in plan.fields.items():
        kind = reading.types[entry.source]
        values[name] = sql.value(table, name, entry, kind, timezone)
        if fault := sql.fault(table, name, entry, kind, _named(name)):
            faults.append(fault)
    for name, given in plan.constants.items():
        values[name] = sql.constant(table, name, given, timezone)
    notes = []
    numeric, other = _split(table, plan, reading)
    if numeric:
        values[str(table.covariates)] = _covariates(numeric)
        notes.append(f"kept in {table.covariates}: {', '.join(numeric)}")
    if other:
        values[ATTRIBUTES] = _attributes(other, reading)
        if told := [name for name in other if name != ATTRIBUTES]:
            notes.append(f"kept in {ATTRIBUTES}: {', '.join(told)}")
    return Statement(
        (*values, "locator") if reading.is_located else tuple(values),
        _query(values, faults, reading, asked),
        tuple(notes),
    )


def _query(
    values: dict[str, str], faults: list[str], reading: Reading, asked: tuple[str, ...]
) -> str:
    """Compute the values within, so that the tests of a row do not compute them once more."""
    named = {_named(name): value for name, value in values.items()}
    flags = {_named(f"test {at}"): test for at, test in enumerate(asked)}
    computed = ", ".join(f"{value} AS {name}" for name, value in (named | flags).items())
    fault = f"CAST(coalesce({', '.join([*faults, 'NULL'])}) AS {TEXT})"
    raw = f"CASE WHEN {fault} IS NOT NULL THEN CAST({_record(reading)} AS {TEXT}) END"
    columns = ", ".join([*named, *([LOCATOR] if reading.is_located else []), fault, raw, *flags])
    return f"SELECT {columns} FROM (SELECT *, {computed} FROM {reading.relation})"


def _named(column: str) -> str:
    return identifier(f"{RESERVED}{column}")


def _split(table: Table, plan: Plan, reading: Reading) -> tuple[list[str], list[str]]:
    """The columns that no column takes: covariates, and the others."""
    has_map = table.covariates and table.covariates not in {*plan.fields, *plan.constants}
    numeric = [n for n in plan.rest if has_map and sql.is_numeric(reading.types[n])]
    return numeric, [name for name in plan.rest if name not in numeric]


def _covariates(names: list[str]) -> str:
    """SQL of a map from name to number; what is missing or not finite has no entry."""
    pairs = ", ".join(
        f"{{'k': {literal(n)}, 'v': TRY_CAST({identifier(n)} AS {REAL})}}" for n in names
    )
    return f"map_from_entries(list_filter([{pairs}], lambda e: isfinite(e.v)))"


def _attributes(names: list[str], reading: Reading) -> str:
    """SQL of a JSON object of columns as the source has them; NULL where it would be empty.

    A column `attributes` that holds an object is that object, with the others put in.
    """
    keys = [name for name in names if name != ATTRIBUTES]
    if not keys:
        filled = f"[]::{_PAIRS}"
    elif reading.has_raw:
        keyed = ", ".join(map(literal, keys))
        found = ", ".join(literal(pointer(key)) for key in keys)
        pairs = f"list_zip([{keyed}]::{TEXT}[], json_extract({RAW}, [{found}]::{TEXT}[]))"
        filled = f"list_filter({pairs}, lambda e: e[2] IS NOT NULL AND e[2] <> 'null')"
    else:
        pairs = ", ".join(f"{{'k': {literal(key)}, 'v': {_as_json(key, reading)}}}" for key in keys)
        filled = f"list_filter([{pairs}]::{_PAIRS}, lambda e: e.v IS NOT NULL)"
    own = f"to_json(map_from_entries({filled}))"
    if ATTRIBUTES in names:
        text = f"CAST({identifier(ATTRIBUTES)} AS {TEXT})"
        given = f"TRY_CAST({text} AS {JSON})"
        own = (
            f"CASE WHEN json_type({given}) = 'OBJECT' THEN json_merge_patch({given}, {own}) "
            f"WHEN {text} IS NOT NULL "
            f"THEN json_merge_patch({own}, json_object({literal(ATTRIBUTES)}, {text})) "
            f"ELSE {own} END"
        )
    return f"nullif(CAST({own} AS {TEXT}), '{{}}')"


def _as_json(name: str, reading: Reading) -> str:
    """SQL of a column as JSON, which has no number for NaN and the infinities."""
    column = identifier(name)
    if reading.types[name] in ("FLOAT", "DOUBLE"):
        return (
            f"CASE WHEN isfinite({column}) THEN to_json({column}) "
            f"ELSE to_json(CAST({column} AS {TEXT})) END"
        )
    if _MAY_BE_NO_JSON.search(reading.types[name]):
        is_odd = f"regexp_matches(CAST(to_json({column}) AS {TEXT}), {literal(_NO_JSON)})"
        return (
            f"CASE WHEN {is_odd} THEN to_json(CAST({column} AS {TEXT})) ELSE to_json({column}) END"
        )
    return f"to_json({column})"


def _record(reading: Reading) -> str:
    """SQL of the row as it stands in the source."""
    if reading.has_raw:
        return RAW
    return "to_json({" + ", ".join(f"{literal(n)}: {identifier(n)}" for n in reading.types) + "})"
