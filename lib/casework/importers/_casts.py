"""SQL that makes words, numbers and lists of what a source says; NULL where it is none of them."""

from casework.case import literal
from casework.tables._table import REAL, TEXT, VECTOR, WHOLE

WHOLE_KINDS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
               "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
"""Types of DuckDB that hold whole numbers."""


def as_word(text: str, allowed: tuple[str, ...]) -> str:
    """One of the words that a column takes, however it is written; else the text as it is."""
    if not allowed:
        return text
    among = f"({', '.join(map(literal, allowed))})"
    spelled = f"regexp_replace(lower(trim({text})), '[ -]+', '_', 'g')"
    return (
        f"(CASE WHEN {text} NOT IN {among} AND {spelled} IN {among} THEN {spelled} ELSE {text} END)"
    )


def as_text(source: str, kind: str) -> str:
    """A text; of a list or an object its JSON."""
    if kind == TEXT:
        return source
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"CAST(to_json({source}) AS {TEXT})"
    return f"CAST({source} AS {TEXT})"


def as_names(source: str) -> str:
    """Names in one field, as a table without lists holds them, with commas or semicolons."""
    split = f"string_split(replace({source}, ';', ','), ',')"
    return (
        f"(CASE WHEN NOT regexp_matches({source}, '^[[{{\"]') "
        f"THEN [trim(name) FOR name IN {split} IF trim(name) <> ''] END)"
    )


def as_vector(numbers: str, source: str, kind: str) -> str:
    """A list of finite numbers, of which none is missing, and none true or false."""
    if kind.startswith("BOOLEAN"):
        return f"CAST(NULL AS {VECTOR})"
    test = f"list_count({numbers}) = len({numbers}) AND isfinite(list_sum({numbers}))"
    if kind == TEXT:  # JSON, of which DuckDB makes numbers of these too
        test += f" AND NOT contains({source}, 'true') AND NOT contains({source}, 'false')"
    return f"(CASE WHEN {test} AND len({numbers}) > 0 THEN {numbers} END)"


def as_real(source: str, scale: float | None) -> str:
    """A finite number."""
    number = f"TRY_CAST({source} AS {REAL})"
    if scale is not None:
        number = f"({number} * {float(scale)!r})"
    return f"(CASE WHEN isfinite({number}) THEN {number} END)"


def as_whole(source: str, kind: str, scale: float | None) -> str:
    """A whole number; what has a fraction is none, and is not rounded to one."""
    if kind.startswith(WHOLE_KINDS) and scale is None:
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
