"""SQL that turns source columns into evidence columns, and says why a row cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.case import identifier, literal
from casework.importers._instants import CALENDARS, LOCAL, ZONE
from casework.importers._map_file import EPOCHS, Field, written
from casework.tables import Table
from casework.tables._table import FLAG, INSTANT, JSON, REAL, TEXT, VECTOR, WHOLE

LOCATOR = '"casework locator"'
RAW = '"casework raw"'
RESERVED = "casework "

_WHOLE_KINDS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
                "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
_NUMERIC_KINDS = (*_WHOLE_KINDS, "FLOAT", "DOUBLE", "DECIMAL")
ZONED_KINDS = (INSTANT, "TIMESTAMPTZ_NS")
"""Types of an instant in DuckDB; the second is what pandas writes."""
# A zone as `%Z` finds it in a text. DuckDB would read each short name as one of its zones.
_ZONE_WITHIN = r"\b(?i:utc|gmt)\b|[A-Za-z]/[A-Za-z]"
# A year before was one of two digits. One after is none that Python can hold, as is infinity.
_FIRST, _LAST = "1900-01-01 00:00:00+00", "9999-12-30 00:00:00+00"
# How tables with a history write that a row has no end: the last day of the calendar, in whichever
# order, or infinity.
_NEVER = (
    "((9999([-/.]?)12([-/.]?)3[01]|12[-/.]3[01][-/.]9999|3[01][-/. ](12|dec)[-/. ]9999)"
    "([^0-9].*)?|infinity)"
)


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
            f"(CASE WHEN {instant} BETWEEN CAST({literal(_FIRST)} AS {INSTANT}) "
            f"AND CAST({literal(_LAST)} AS {INSTANT}) THEN {instant} END)"
        )
    if target in (TEXT, JSON):
        return _word(_text(source, kind), table.column(name).values)
    if target == REAL:
        return _real(source, entry.scale)
    if target == WHOLE and kind == "BOOLEAN":  # as in text formats, true is no number
        return f"CAST(NULL AS {WHOLE})"
    if target == WHOLE:
        return _whole(source, kind, entry.scale)
    if target == FLAG and is_numeric(kind):
        return f"(CASE {source} WHEN 1 THEN true WHEN 0 THEN false END)"
    if target == FLAG and kind == TEXT:  # pandas writes 1 as 1.0 where some are missing
        return f"TRY_CAST(regexp_replace({source}, '^([01])[.]0*$', '\\1') AS {FLAG})"
    found = f"TRY_CAST({source} AS {target})"
    if target.endswith(("[]", ")")) and kind == TEXT:
        as_json = f"TRY_CAST(TRY_CAST({source} AS {JSON}) AS {target})"
        names = f", {_names(source)}" if target == f"{TEXT}[]" else ""
        found = f"coalesce({as_json}, {found}{names})"
    return _vector(found) if target == VECTOR else found


def said(table: Table, name: str, entry: Field, kind: str) -> str:
    """SQL of the source value, NULL where it says nothing: empty text, or NaN for a number.

    A long text may be empty, as an answer; a name or an id may not. What the map calls empty says
    nothing either, and an end on the last day of the calendar says that there is none.
    """
    source = identifier(entry.source)
    if entry.empty:
        nothing = ", ".join(literal(text) for text in entry.empty)
        test = f"CAST({source} AS {TEXT}) NOT IN ({nothing})"
        source = f"(CASE WHEN {test} THEN {source} END)"
    if table.column(name).is_open_end:
        text = f"trim(CAST({source} AS {TEXT}))"
        source = (
            f"(CASE WHEN NOT regexp_full_match({text}, {literal(_NEVER)}, 'is') THEN {source} END)"
        )
    target = table.type_of(name)
    if kind.startswith(("FLOAT", "DOUBLE")) and is_numeric(kind):
        return f"(CASE WHEN NOT isnan({source}) THEN {source} END)"
    if kind != TEXT:
        return source
    if target in (TEXT, JSON):
        is_named = target == TEXT and (name in table.required or not table.column(name).is_long)
        return f"nullif({source}, '')" if is_named else source
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
    tests = [
        f"WHEN {said(table, name, entry, kind)} IS NULL THEN {missing}",
        f"WHEN {sql} IS NULL THEN {shown} || {unread}",
    ]
    if allowed:
        among = ", ".join(literal(word) for word in allowed)
        stray = literal(f" is none of {', '.join(allowed)}")
        tests.append(f"WHEN CAST({sql} AS {TEXT}) NOT IN ({among}) THEN {shown} || {stray}")
    return f"CASE {' '.join(tests)} END"


def _word(text: str, allowed: tuple[str, ...]) -> str:
    """One of the words that a column takes, however it is written; else the text as it is."""
    if not allowed:
        return text
    among = f"({', '.join(map(literal, allowed))})"
    spelled = f"regexp_replace(lower(trim({text})), '[ -]+', '_', 'g')"
    return (
        f"(CASE WHEN {text} NOT IN {among} AND {spelled} IN {among} THEN {spelled} ELSE {text} END)"
    )


def _text(source: str, kind: str) -> str:
    if kind == TEXT:
        return source
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"CAST(to_json({source}) AS {TEXT})"
    return f"CAST({source} AS {TEXT})"


def _names(source: str) -> str:
    """Names in one field, as a table without lists holds them, with commas or semicolons."""
    split = f"string_split(replace({source}, ';', ','), ',')"
    return (
        f"(CASE WHEN NOT regexp_matches({source}, '^[[{{\"]') "
        f"THEN [trim(name) FOR name IN {split} IF trim(name) <> ''] END)"
    )


def _vector(numbers: str) -> str:
    """A list of finite numbers, of which none is missing."""
    test = f"list_count({numbers}) = len({numbers}) AND isfinite(list_sum({numbers}))"
    return f"(CASE WHEN {test} AND len({numbers}) > 0 THEN {numbers} END)"


def _real(source: str, scale: float | None) -> str:
    number = f"TRY_CAST({source} AS {REAL})"
    if scale is not None:
        number = f"({number} * {float(scale)!r})"
    return f"(CASE WHEN isfinite({number}) THEN {number} END)"


def _whole(source: str, kind: str, scale: float | None) -> str:
    """A whole number; what has a fraction is none, and is not rounded to one."""
    if kind.startswith(_WHOLE_KINDS) and scale is None:
        return f"TRY_CAST({source} AS {WHOLE})"
    number = f"TRY_CAST({source} AS DECIMAL(38, 9))"
    if scale is not None:
        number = f"TRY_CAST(TRY_CAST({source} AS {REAL}) * {float(scale)!r} AS DECIMAL(38, 9))"
    found = f"CASE WHEN {number} = trunc({number}) THEN TRY_CAST({number} AS {WHOLE}) END"
    if kind != TEXT or scale is not None:
        return f"({found})"
    # Of what is written as digits alone no fraction need be ruled out, which takes three times as
    # long.
    return (
        f"(CASE WHEN regexp_full_match({source}, '-?[0-9]{{1,18}}') "
        f"THEN TRY_CAST({source} AS {WHOLE}) ELSE {found} END)"
    )


def _instant(source: str, kind: str, entry: Field, timezone: str) -> str:
    if entry.formats and entry.formats[0] in EPOCHS:
        return _epoch(source, EPOCHS[entry.formats[0]])
    if entry.formats:
        parsed = _parsed(f"CAST({source} AS {TEXT})", entry.formats)
        return parsed if has_zone(entry.formats[0]) else _local(parsed, timezone)
    if kind in ZONED_KINDS:
        return f"TRY_CAST({source} AS {INSTANT})"
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return _local(f"CAST({source} AS TIMESTAMP)", timezone)
    if is_numeric(kind):
        return _epoch_by_size(source)
    if kind != TEXT:
        return f"TRY_CAST({source} AS {INSTANT})"
    return (
        f"CASE WHEN length({source}) > 10 AND regexp_matches({source}, {literal(ZONE)}) "
        f"THEN TRY_CAST({source} AS {INSTANT}) "
        f"WHEN regexp_full_match({source}, '[0-9]{{9,19}}([.][0-9]*)?') "
        f"THEN {_epoch_by_size(source)} "
        f"WHEN regexp_full_match({source}, {literal(LOCAL)}) "
        f"THEN {_local(f'TRY_CAST({source} AS TIMESTAMP)', timezone)} END"
    )


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
    return f"regexp_full_match(trim({identifier(column)}), {literal(LOCAL)})"


def _local(naive: str, timezone: str) -> str:
    """A local time as an instant; of the hour that comes twice in autumn, the first."""
    found = f"TRY(timezone({literal(timezone)}, {naive}))"
    if timezone == "UTC":
        return found
    earlier = f"TRY({found} - INTERVAL 1 HOUR)"
    is_same = f"TRY(timezone({literal(timezone)}, {earlier})) = {naive}"
    return f"(CASE WHEN {is_same} THEN {earlier} ELSE {found} END)"


def _epoch(source: str, to_microseconds: str) -> str:
    exact = f"TRY_CAST({source} AS DECIMAL(29, 9)) * {to_microseconds}"
    return f"TRY(make_timestamptz(TRY_CAST({exact} AS BIGINT)))"


def _epoch_by_size(source: str) -> str:
    """Seconds, milliseconds, micro- or nanoseconds: years 1973 to 5138 overlap in none of them.

    Digits of a calendar, as 20260301090000, are no count: they would be one of 1976 or 2612.
    """
    number = f"TRY_CAST({source} AS DOUBLE)"
    calendar = " OR ".join(f"{number} BETWEEN {low!r} AND {high!r}" for low, high in CALENDARS)
    return (
        f"CASE WHEN {number} < 1e8 OR {calendar} THEN NULL "
        f"WHEN {number} < 1e11 THEN {_epoch(source, EPOCHS['epoch_s'])} "
        f"WHEN {number} < 1e14 THEN {_epoch(source, EPOCHS['epoch_ms'])} "
        f"WHEN {number} < 1e17 THEN {_epoch(source, EPOCHS['epoch_us'])} "
        f"ELSE {_epoch(source, EPOCHS['epoch_ns'])} END"
    )


def constant(table: Table, name: str, given: Any, timezone: str) -> str:
    """SQL of a value that all rows get; an instant without a zone is one of the zone named."""
    text, target = literal(written(given)), table.type_of(name)
    if target == INSTANT:
        text = _instant(text, TEXT, Field(), timezone)
    return f"CAST({text} AS {target})"
