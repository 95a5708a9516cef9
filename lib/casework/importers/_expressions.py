"""SQL that turns source columns into evidence columns, and says why a row cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.case import identifier, literal
from casework.importers._mapping import EPOCHS, Field, Plan
from casework.tables import ATTRIBUTES, Table
from casework.tables._table import FLAG, INSTANT, JSON, REAL, TEXT, WHOLE

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
            "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
LOCATOR = '"casework locator"'
_HAS_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read: a relation that has the column LOCATOR, and its columns with types."""

    relation: str
    types: Mapping[str, str]
    params: Mapping[str, Any]


def is_numeric(kind: str) -> bool:
    """Whether a DuckDB type is a number."""
    return kind.startswith(_NUMERIC)


@dataclass(frozen=True, slots=True)
class Statements:
    """The SELECTs of a load: rows kept, rows rejected with reasons, and their column order."""

    columns: tuple[str, ...]
    kept: str
    rejected: str


def statements(table: Table, plan: Plan, reading: Reading, timezone: str) -> Statements:
    """Build the SELECTs that read a source into a table.

    Args:
        table: the evidence table.
        plan: where its columns come from.
        reading: the source.
        timezone: IANA name for instants without a zone.
    """
    values = {
        name: expression(table, name, entry, reading.types[entry.source], timezone)
        for name, entry in plan.fields.items()
    }
    values |= {name: _constant(table, name, value) for name, value in plan.constants.items()}
    faults = [_fault(table, name, plan, values[name]) for name in values]
    names = tuple(values)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
    rest, rest_name = _rest(table, plan, reading)
    raw = "to_json({" + ", ".join(f"{literal(n)}: {identifier(n)}" for n in reading.types) + "})"
    fault = "coalesce(" + ", ".join([*(f for f in faults if f), "NULL"]) + ")"
    source = reading.relation
    kept = f"SELECT {columns}{rest}, {LOCATOR} AS locator FROM {source} WHERE {fault} IS NULL"
    rejected = (
        f"SELECT {LOCATOR} AS locator, 'VALUE' AS code, {fault} AS reason, {raw} AS raw "
        f"FROM {source} WHERE {fault} IS NOT NULL"
    )
    return Statements((*names, *rest_name, "locator"), kept, rejected)


def expression(table: Table, name: str, entry: Field, kind: str, timezone: str) -> str:
    """SQL of one evidence column; NULL where the source value cannot be read."""
    source = identifier(entry.source)
    target = table.type_of(name)
    if entry.values is not None:
        cases = " ".join(
            f"WHEN {literal(str(key))} THEN {literal(str(value))}"
            for key, value in entry.values.items()
        )
        source, kind = f"(CASE CAST({source} AS VARCHAR) {cases} END)", TEXT
    if target == INSTANT:
        return _instant(source, kind, entry, entry.timezone or timezone)
    if target in (TEXT, JSON):
        return f"CAST({source} AS {TEXT})" if kind != TEXT else source
    if target in (REAL, WHOLE) and entry.scale is not None:
        return f"TRY_CAST(TRY_CAST({source} AS {REAL}) * {float(entry.scale)!r} AS {target})"
    if target == WHOLE and kind == TEXT:
        return f"TRY_CAST(TRY_CAST({source} AS DECIMAL(38, 0)) AS {target})"
    if target == FLAG and is_numeric(kind):
        return f"({source} <> 0)"
    if target.endswith(("[]", ")")) and kind == TEXT:
        as_json = f"TRY_CAST(TRY_CAST({source} AS {JSON}) AS {target})"
        return f"coalesce({as_json}, TRY_CAST({source} AS {target}))"
    return f"TRY_CAST({source} AS {target})"


def _instant(source: str, kind: str, entry: Field, timezone: str) -> str:
    if entry.format in EPOCHS:
        return _epoch(source, EPOCHS[entry.format])
    if entry.format:
        parsed = f"try_strptime(CAST({source} AS VARCHAR), {literal(entry.format)})"
        return parsed if "%z" in entry.format else f"timezone({literal(timezone)}, {parsed})"
    if kind.startswith("TIMESTAMP WITH TIME ZONE"):
        return source
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"timezone({literal(timezone)}, CAST({source} AS TIMESTAMP))"
    if is_numeric(kind):
        return _epoch_by_size(source)
    naive = f"timezone({literal(timezone)}, TRY_CAST({source} AS TIMESTAMP))"
    return (
        f"CASE WHEN regexp_matches(trim({source}), {literal(_HAS_ZONE)}) "
        f"AND length(trim({source})) > 10 THEN TRY_CAST({source} AS {INSTANT}) "
        f"WHEN regexp_full_match(trim({source}), '[0-9]{{9,19}}([.][0-9]*)?') "
        f"THEN {_epoch_by_size(source)} ELSE {naive} END"
    )


def _epoch(source: str, to_microseconds: float) -> str:
    exact = f"TRY_CAST({source} AS DECIMAL(38, 9)) * {to_microseconds:g}"
    return f"make_timestamptz(TRY_CAST({exact} AS BIGINT))"


def _epoch_by_size(source: str) -> str:
    """Seconds, milliseconds, micro- or nanoseconds: years 1973 to 5138 overlap in none of them."""
    number = f"TRY_CAST({source} AS DOUBLE)"
    return (
        f"CASE WHEN {number} < 1e11 THEN {_epoch(source, 1e6)} "
        f"WHEN {number} < 1e14 THEN {_epoch(source, 1e3)} "
        f"WHEN {number} < 1e17 THEN {_epoch(source, 1.0)} ELSE {_epoch(source, 1e-3)} END"
    )


def _fault(table: Table, name: str, plan: Plan, sql: str) -> str | None:
    """SQL of the reason why a row's value for a column is unusable, NULL where it is usable."""
    entry = plan.fields.get(name)
    required = name in table.required
    missing = literal(f"{name} is missing")
    allowed = next(column.values for column in table.columns if column.name == name)
    if entry is None:
        return None
    source = f"CAST({identifier(entry.source)} AS VARCHAR)"
    tests = [f"WHEN {source} IS NULL THEN {missing if required else 'NULL'}"]
    kind = table.type_of(name).lower().replace(" with time zone", "")
    shown = f"{literal(name + ': ')} || left({source}, 80)"
    unread = literal(f" cannot be read as {kind}")
    tests.append(f"WHEN {sql} IS NULL THEN {shown} || {unread}")
    if allowed:
        among = ", ".join(literal(value) for value in allowed)
        stray = literal(f" is none of {', '.join(allowed)}")
        tests.append(f"WHEN {sql} NOT IN ({among}) THEN {shown} || {stray}")
    if table.type_of(name) == TEXT and not required and not allowed and entry.values is None:
        return None
    return f"CASE {' '.join(tests)} END"


def _rest(table: Table, plan: Plan, reading: Reading) -> tuple[str, tuple[str, ...]]:
    """SQL of the columns that hold what has no column of its own."""
    own_map = table.covariates if table.covariates not in plan.fields else None
    numeric = [n for n in plan.rest if own_map and is_numeric(reading.types[n])]
    other = [name for name in plan.rest if name not in numeric]
    sql, names = "", []
    if numeric and own_map:
        pairs = ", ".join(
            f"{{'k': {literal(n)}, 'v': CAST({identifier(n)} AS DOUBLE)}}" for n in numeric
        )
        sql += f", map_from_entries(list_filter([{pairs}], lambda e: e.v IS NOT NULL))"
        names.append(own_map)
    if other:
        pairs = ", ".join(f"{literal(n)}: {identifier(n)}" for n in other if n != ATTRIBUTES)
        given = f"TRY_CAST({identifier(ATTRIBUTES)} AS {JSON})" if ATTRIBUTES in other else "NULL"
        found = f"to_json({{{pairs}}})" if pairs else "'{}'"
        sql += f", json_merge_patch(coalesce({given}, '{{}}'), {found})"
        names.append(ATTRIBUTES)
    return sql, tuple(names)


def _constant(table: Table, name: str, value: Any) -> str:
    return f"CAST({literal(str(value))} AS {table.type_of(name)})"
