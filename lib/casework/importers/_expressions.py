"""SQL that turns source columns into evidence columns, and says why a row cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.case import identifier, literal
from casework.importers._casts import (
    WHOLE_KINDS,
    as_names,
    as_real,
    as_text,
    as_vector,
    as_whole,
    as_word,
)
from casework.importers._instants import (
    APART,
    CALENDARS,
    FAR,
    FIRST,
    HOURS,
    LAST,
    LOCAL,
    NEVER,
    ZONE,
    is_never,
)
from casework.importers._map_file import EPOCHS, Field, written
from casework.tables import Table
from casework.tables._table import FLAG, INSTANT, JSON, REAL, TEXT, VECTOR, WHOLE

LOCATOR = '"casework locator"'
RAW = '"casework raw"'
RESERVED = "casework "

_NUMERIC_KINDS = (*WHOLE_KINDS, "FLOAT", "DOUBLE", "DECIMAL")
ZONED_KINDS = (INSTANT, "TIMESTAMPTZ_NS")
"""Types of an instant in DuckDB; the second is what pandas writes."""
_DIGITS = "DIGITS"  # a text of digits, perhaps with a fraction, beside the types of DuckDB
# A zone as `%Z` finds it in a text. DuckDB would read each short name as one of its zones.
_ZONE_WITHIN = r"(^|[^A-Za-z])(?i:utc|gmt)\b|[A-Za-z]/[A-Za-z]"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read: a relation, and its columns with types.

    `is_located` says that the relation has the column LOCATOR, else the number of a row locates it;
    `has_raw`, that it has the column RAW: the JSON text of the record as it stands.
    """

    relation: str
    types: Mapping[str, str]
    params: Mapping[str, Any]
    is_located: bool = False
    has_raw: bool = False


def is_numeric(kind: str) -> bool:
    """Whether a DuckDB type is a number."""
    return kind.startswith(_NUMERIC_KINDS) and not kind.endswith("]")


def value(table: Table, name: str, entry: Field, kind: str, timezone: str) -> str:
    """SQL of one evidence column; NULL where the source says nothing, or nothing readable.

    Args:
        table: the evidence table.
        name: the evidence column.
        entry: the source column and how it is written.
        kind: DuckDB type of the source column.
        timezone: IANA name for instants without a zone.
    """
    source = said(table, name, entry, kind)
    target = table.type_of(name)
    if entry.values is not None:
        cases = " ".join(
            f"WHEN {literal(str(key))} THEN {literal(written(meant))}"
            for key, meant in entry.values.items()
        )
        source, kind = f"(CASE CAST({source} AS {TEXT}) {cases} END)", TEXT
    if target == INSTANT:
        # What may fail is tried where it stands: DuckDB computes an expression that stands twice
        # once, and outside of a TRY around both.
        instant = f"TRY({_instant(source, kind, entry, entry.timezone or timezone)})"
        return (
            f"(CASE WHEN {instant} BETWEEN CAST({literal(FIRST)} AS {INSTANT}) "
            f"AND CAST({literal(LAST)} AS {INSTANT}) THEN {instant} END)"
        )
    if target in (TEXT, JSON):
        return as_word(as_text(source, kind), table.column(name).values)
    if kind == "BOOLEAN" and target in (REAL, WHOLE) and not table.column(name).takes_flags:
        return f"CAST(NULL AS {target})"  # as in text formats, true is no number
    if target == REAL:
        return as_real(source, entry.scale)
    if target == WHOLE:
        return as_whole(source, kind, entry.scale)
    if target == FLAG and is_numeric(kind):
        return f"(CASE {source} WHEN 1 THEN true WHEN 0 THEN false END)"
    if target == FLAG and kind == TEXT:  # pandas writes 1 as 1.0 where some are missing
        return f"TRY_CAST(regexp_replace({source}, '^([01])[.]0*$', '\\1') AS {FLAG})"
    found = f"TRY_CAST({source} AS {target})"
    if target.endswith(("[]", ")")) and kind == TEXT:
        as_json = f"TRY_CAST(TRY_CAST({source} AS {JSON}) AS {target})"
        names = f", {as_names(source)}" if target == f"{TEXT}[]" else ""
        found = f"coalesce({as_json}, {found}{names})"
    return as_vector(found, source, kind) if target == VECTOR else found


def said(table: Table, name: str, entry: Field, kind: str) -> str:
    """SQL of the source value, NULL where it says nothing: empty text, or NaN for a number.

    An answer may be empty; a name or an id may not, but where the map translates an empty one. What
    the map calls empty says nothing either, and an end on the last day of the calendar says that
    there is none.
    """
    source, column = identifier(entry.source), table.column(name)
    if entry.empty:
        nothing = ", ".join(literal(text) for text in entry.empty)
        test = f"CAST({source} AS {TEXT}) NOT IN ({nothing})"
        source = f"(CASE WHEN {test} THEN {source} END)"
    if column.is_open_end:
        text = f"trim(CAST({source} AS {TEXT}))"
        source = (
            f"(CASE WHEN NOT regexp_full_match({text}, {literal(NEVER)}, 'is') THEN {source} END)"
        )
    target = column.type
    if kind.startswith(("FLOAT", "DOUBLE")) and is_numeric(kind):
        return f"(CASE WHEN NOT isnan({source}) THEN {source} END)"
    if kind != TEXT:
        return source
    is_translated = entry.values is not None and "" in entry.values
    if target in (TEXT, JSON):
        is_named = target == TEXT and (name in table.required or not column.may_be_empty)
        return f"nullif({source}, '')" if is_named and not is_translated else source
    if is_translated:
        return f"trim({source})"
    if target in (REAL, WHOLE):
        return f"(CASE WHEN lower(trim({source})) NOT IN ('', 'nan') THEN trim({source}) END)"
    return f"nullif(trim({source}), '')"


def fault(table: Table, name: str, entry: Field, kind: str, sql: str) -> str | None:
    """SQL of the reason why a row's value for a column is unusable, NULL where it is usable."""
    target = table.type_of(name)
    is_required = name in table.required
    allowed = table.column(name).values
    if target == TEXT and not is_required and not allowed and entry.values is None:
        return None
    missing = literal(f"{name} is missing") if is_required else "NULL"
    shown = f"{literal(name + ': ')} || left(CAST({identifier(entry.source)} AS {TEXT}), 80)"
    unread = literal(f" cannot be read as {target.lower().replace(' with time zone', '')}")
    usable, stray = f"{sql} IS NOT NULL", ""
    if allowed:
        usable = f"CAST({sql} AS {TEXT}) IN ({', '.join(map(literal, allowed))})"
        stray = f"ELSE {shown} || {literal(' is none of ' + ', '.join(allowed))}"
    tests = [
        f"WHEN {usable} THEN NULL",  # as nearly all are, of which nothing else need be tested
        f"WHEN {said(table, name, entry, kind)} IS NULL THEN {missing}",
        f"WHEN {sql} IS NULL THEN {shown} || {unread}",
        stray,
    ]
    return f"CASE {' '.join(tests)} END"


def _instant(source: str, kind: str, entry: Field, timezone: str) -> str:
    if entry.formats and entry.formats[0] in EPOCHS:
        return _epoch(source, kind, entry.formats[0])
    if entry.formats:
        is_zoned = has_zone(entry.formats[0])
        parsed = _parsed(f"CAST({source} AS {TEXT})", entry.formats)
        if any("%n" in format for format in entry.formats):
            parsed = _of_ns(parsed, is_zoned)
        return parsed if is_zoned else _local(parsed, timezone)
    if kind == "TIMESTAMPTZ_NS":
        return _of_ns(source, True)
    if kind == "TIMESTAMP_NS":
        return _local(_of_ns(source, False), timezone)
    if kind == "DATE" or (kind.startswith("TIMESTAMP") and kind not in ZONED_KINDS):
        return _local(f"CAST({source} AS TIMESTAMP)", timezone)
    if is_numeric(kind):
        return _epoch_by_size(source, kind)
    if kind != TEXT:
        return f"TRY_CAST({source} AS {INSTANT})"
    joined = f"regexp_replace({source}, {literal(APART)}, '\\1')"
    return (
        f"CASE WHEN strlen({source}) > 10 AND regexp_matches({source}, {literal(ZONE)}) "
        f"THEN coalesce(TRY_CAST({source} AS {INSTANT}), TRY_CAST({joined} AS {INSTANT})) "
        f"WHEN regexp_full_match({source}, '[0-9]{{9,19}}([.][0-9]*)?') "
        f"THEN {_epoch_by_size(source, _DIGITS)} "
        f"WHEN regexp_full_match({source}, {literal(LOCAL)}) "
        f"THEN {_local(f'TRY_CAST({source} AS TIMESTAMP)', timezone)} END"
    )


def _of_ns(source: str, is_zoned: bool) -> str:
    """An instant in nanoseconds, cut; rounded it would be another than OTLP has of the call."""
    return f"make_timestamp{'tz' if is_zoned else ''}(epoch_ns({source}) // 1000)"


def _parsed(text: str, formats: tuple[str, ...]) -> str:
    """A text as its formats say; of the names of zones those alone that are of one zone."""
    plain = ", ".join(literal(format) for format in formats if "%Z" not in format)
    named = ", ".join(literal(format) for format in formats if "%Z" in format)
    found = [f"try_strptime({text}, [{plain}])"] if plain else []
    if named:
        is_of_one = f"regexp_matches({text}, {literal(_ZONE_WITHIN)})"
        found.append(f"CASE WHEN {is_of_one} THEN try_strptime({text}, [{named}]) END")
    return f"coalesce({', '.join(found)})"


def has_zone(format: str) -> bool:
    """Whether a strptime format reads a zone."""
    return "%z" in format or "%Z" in format


def lacks_zone(column: str) -> str:
    """SQL test: a text that would be read as an instant names no zone."""
    text = f"trim({identifier(column)})"
    test = f"{text} < {literal(FAR)} AND regexp_full_match({text}, {literal(LOCAL)})"
    # Most name one, which is quicker to see at these than by the pattern.
    return f"(CASE WHEN contains({text}, '+') OR ends_with({text}, 'Z') THEN false ELSE {test} END)"


def _local(naive: str, timezone: str) -> str:
    """A local time as an instant; of the hour that comes twice in autumn, the first."""
    found = f"TRY(timezone({literal(timezone)}, {naive}))"
    if timezone == "UTC":
        return found
    earlier = f"TRY({found} - INTERVAL 1 HOUR)"
    is_same = f"TRY(timezone({literal(timezone)}, {earlier})) = {naive}"
    return f"(CASE WHEN {is_same} THEN {earlier} ELSE {found} END)"


def _epoch(source: str, kind: str, format: str) -> str:
    """A count since 1970 as it is written, cut to microseconds as an instant in a text is."""
    power = EPOCHS[format]
    whole = f"split_part({source}, '.', 1)" if kind == _DIGITS else source
    if not kind.startswith((*WHOLE_KINDS, _DIGITS)):  # what a float holds may be less than it says
        exact = f"TRY_CAST(CAST({source} AS {TEXT}) AS DECIMAL(29, 9))"
        cut = f"trunc({exact} * {10**power})"
    elif power < 0:
        cut = f"TRY_CAST({whole} AS BIGINT) // {10**-power}"
    elif kind == _DIGITS:
        cut = f"{whole} || left(split_part({source}, '.', 2) || '{'0' * power}', {power})"
    else:
        cut = f"TRY_CAST({source} AS BIGINT) * {10**power}"
    return f"TRY(make_timestamptz(TRY_CAST({cut} AS BIGINT)))"


def _epoch_by_size(source: str, kind: str) -> str:
    """Seconds, milliseconds, micro- or nanoseconds: years 1973 to 5138 overlap in none of them.

    Digits of a calendar, as 2026030109 or 20260301090000, are no count: they would be one of 2034,
    1976 or 2612.
    """
    number = f"TRY_CAST({source} AS DOUBLE)"
    calendar = " OR ".join(f"{number} BETWEEN {low!r} AND {high!r}" for low, high in CALENDARS)
    hour = (
        f"{number} BETWEEN {HOURS[0]!r} AND {HOURS[1]!r} "
        f"AND try_strptime(CAST(trunc({number}) AS BIGINT)::{TEXT}, '%Y%m%d%H') IS NOT NULL"
    )
    return (
        f"CASE WHEN {number} < 1e8 OR {calendar} OR ({hour}) THEN NULL "
        f"WHEN {number} < 1e11 THEN {_epoch(source, kind, 'epoch_s')} "
        f"WHEN {number} < 1e14 THEN {_epoch(source, kind, 'epoch_ms')} "
        f"WHEN {number} < 1e17 THEN {_epoch(source, kind, 'epoch_us')} "
        f"ELSE {_epoch(source, kind, 'epoch_ns')} END"
    )


def constant(table: Table, name: str, given: Any, timezone: str) -> str:
    """SQL of a value that all rows get; an instant without a zone is one of the zone named.

    An end that says that there is none is NULL.
    """
    text, column = literal(written(given)), table.column(name)
    if column.type == INSTANT:
        never = column.is_open_end and is_never(written(given))
        text = "NULL" if never else _instant(text, TEXT, Field(), timezone)
    return f"CAST({text} AS {column.type})"
