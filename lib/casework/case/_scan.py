"""Looking into a source file with DuckDB, apart from any case."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import duckdb

from casework.case._connection import NO_EXTENSIONS
from casework.errors import CaseworkError


def scan(sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a SELECT or DESCRIBE over a source file, in a database of its own.

    Raises:
        CaseworkError: SOURCE_UNREADABLE with the first line of what DuckDB says.
    """
    with database().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            return connection.execute(sql, dict(params) or None).fetchall()
        except duckdb.Error as error:
            what = str(error).strip().splitlines()[0].rstrip(".:")
            raise CaseworkError("SOURCE_UNREADABLE", what, "see that the file is whole") from None


def one_file(path: str) -> str:
    """The path of a file as DuckDB takes it for this file alone, not for a pattern of names."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in os.path.abspath(path))


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One database in memory that nothing is kept in: making one takes longer than most scans."""
    return duckdb.connect(":memory:", config={"memory_limit": "2GB", **NO_EXTENSIONS})
