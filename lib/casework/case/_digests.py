"""One spelling for each SHA-256, so that the same bytes have one name whoever writes it down.

A registry writes `sha256:` in front, a log leaves it out, a script has capitals. Digests are
compared as text in every query, so they are spelled alike when they are loaded: weights and inputs
as `sha256:` and 64 small hexadecimal digits, hashes of prompts and parameters as the digits alone.
"""

_LONG = ("checkpoint", "digest", "artifact", "object")
_SHORT = ("hash",)
_SHA256 = "(?i)^(sha256[:-])?[0-9a-f]{64}$"


def spelled(column: str) -> str:
    """The SQL of a column, spelled in the one way where it holds a SHA-256; else as it stands."""
    kind = column.split("_")[-1]
    if kind not in (*_LONG, *_SHORT):
        return column
    prefix = "sha256:" if kind in _LONG else ""
    # most are spelled so already, and the pattern costs five times as much as to see that
    return (
        f"CASE WHEN length({column}) = {len(prefix) + 64} AND {column} = lower({column}) "
        f"AND starts_with({column}, '{prefix}') THEN {column} "
        f"WHEN regexp_matches({column}, '{_SHA256}') "
        f"THEN '{prefix}' || lower(right({column}, 64)) ELSE {column} END"
    )
