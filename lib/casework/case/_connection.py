"""Connections to a case file: one that writes, many that only read and are locked down."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb

from casework.case._interrupts import interruptible
from casework.errors import CaseworkError

ALIAS = "evidence"
_MEMORY = "3GB"
_MEMORY_OF_WRITER = "1GB"
_SPILL = "40GB"

_TIME_ZONE = "SET TimeZone = 'UTC'"
# Before anything is opened: for a file of SQLite, DuckDB would fetch an extension and run it.
NO_EXTENSIONS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_HARDENING = (
    "SET allow_community_extensions = false",
    "SET allow_persistent_secrets = false",
    "SET python_enable_replacements = false",
    "SET enable_progress_bar = false",
    "SET max_expression_depth = 250",
    _TIME_ZONE,
)


def connect_reading(path: Path, spill: str) -> duckdb.DuckDBPyConnection:
    """Open a case to read: in-memory main, the file attached read-only, configuration locked.

    Args:
        path: the case.
        spill: a folder of its own for what does not fit in memory.

    Raises:
        CaseworkError: CASE_MISSING, CASE_LOCKED, CASE_FORBIDDEN, NOT_A_CASE, NOT_UNICODE.
    """
    if not path.is_file():
        raise CaseworkError(
            "CASE_MISSING", "there is no such case", "make it with `casework new`", where=str(path)
        )
    file = _whole(path)
    connection = duckdb.connect(":memory:", config=dict(NO_EXTENSIONS))
    try:
        with _clear_errors(path):
            connection.execute(f"ATTACH {literal(file)} AS {ALIAS} (READ_ONLY)")
        for statement in (
            *_HARDENING,
            f"SET temp_directory = {literal(spill)}",
            f"SET max_temp_directory_size = '{_SPILL}'",
            f"SET memory_limit = '{_MEMORY}'",
            f"USE {ALIAS}",
            "SET enable_external_access = false",
        ):
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_asking(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A second connection for what people type, then no setting can be changed any more.

    It shares the database with the first and none of its temporary tables.
    """
    asking = connection.cursor()
    asking.execute(f"USE {ALIAS}")
    asking.execute(_TIME_ZONE)
    asking.execute("SET lock_configuration = true")
    return asking


def connect_writing(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a case file to write; the only writer there can be.

    Raises:
        CaseworkError: CASE_LOCKED, CASE_FORBIDDEN, NOT_A_CASE, NOT_UNICODE.
    """
    file = _whole(path)
    with _clear_errors(path):
        connection = duckdb.connect(file, config=dict(NO_EXTENSIONS))
    for statement in (
        *_HARDENING,
        f"SET memory_limit = '{_MEMORY_OF_WRITER}'",
        "SET enable_external_access = false",
    ):
        connection.execute(statement)
    return connection


def _whole(path: Path) -> str:
    """The whole path, since `sqlite:` or `s3:` before it would be no folder to DuckDB."""
    return in_utf8(str(path.absolute()), "the path of the case")


def in_utf8(text: str, what: str) -> str:
    """Refuse text from a command line that was not UTF-8: DuckDB takes no other.

    Raises:
        CaseworkError: NOT_UNICODE.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CaseworkError("NOT_UNICODE", f"{what} is not UTF-8", "write it in UTF-8") from None
    return text


def literal(text: str) -> str:
    """Quote text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name as an SQL identifier; the one place where a foreign name becomes SQL.

    Raises:
        CaseworkError: BAD_NAME for an empty or overlong name, or one with a NUL in it.
    """
    if not name or len(name) > 255 or "\0" in name:
        raise CaseworkError(
            "BAD_NAME", f"{name[:40]!r} cannot be a column name", "rename it in the source"
        )
    return '"' + name.replace('"', '""') + '"'


def first(
    connection: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any] | None = None
) -> tuple[Any, ...] | None:
    """The first row of a result, which is read to its end so that the connection is free again."""
    rows = connection.execute(sql, dict(params) if params else None).fetchall()
    return tuple(rows[0]) if rows else None


def run(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    params: Mapping[str, Any] | None = None,
    *,
    seconds: float | None = None,
    limit: int | None = None,
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Names and rows of a result; interrupt after `seconds`, and take no more rows than `limit`.

    DuckDB computes most of a result while it is fetched, so errors come then, and time goes by.

    Raises:
        CaseworkError: QUERY_TIMEOUT, QUERY_MEMORY, QUERY_FAILED.
    """
    limited = interruptible(connection, seconds) if seconds else nullcontext()
    with clear_query_errors(seconds), limited:
        cursor = connection.execute(sql, dict(params) if params else None)
        names = tuple(column[0] for column in cursor.description or ())
        return names, cursor.fetchall() if limit is None else cursor.fetchmany(limit)


@contextmanager
def clear_query_errors(seconds: float | None = None) -> Iterator[None]:
    """Turn DuckDB's errors into ours.

    Raises:
        CaseworkError: QUERY_TIMEOUT, QUERY_MEMORY, QUERY_FAILED.
    """
    try:
        yield
    except RuntimeError as error:
        raise interrupted(error) from None
    except duckdb.InterruptException:
        raise CaseworkError(
            "QUERY_TIMEOUT", f"the query ran longer than {seconds:g} s", "ask for less"
        ) from None
    except duckdb.OutOfMemoryException:
        raise CaseworkError(
            "QUERY_MEMORY", f"the query needs more than {_MEMORY}", "ask for less"
        ) from None
    except duckdb.Error as error:
        raise CaseworkError("QUERY_FAILED", first_line(error), "see `casework tables`") from None


def interrupted(error: RuntimeError) -> BaseException:
    """What DuckDB makes of Ctrl-C, turned back into what Python makes of it."""
    return KeyboardInterrupt() if str(error) == "Query interrupted" else error


def refuse_code(connection: duckdb.DuckDBPyConnection, where: str) -> None:
    """Refuse a file that holds more than tables: it could falsify every query without a trace.

    The catalogue is asked by its full name, since a macro of the file can have the short one.

    Raises:
        CaseworkError: CASE_HOLDS_CODE.
    """
    found = connection.execute(
        """
        SELECT function_name FROM system.main.duckdb_functions() WHERE NOT internal
        UNION ALL SELECT type_name FROM system.main.duckdb_types() WHERE NOT internal
        UNION ALL SELECT view_name FROM system.main.duckdb_views() WHERE NOT internal
        UNION ALL SELECT trigger_name FROM system.main.duckdb_triggers()
        UNION ALL SELECT table_name || '.' || column_name FROM system.main.duckdb_columns()
        WHERE NOT internal AND column_default IS NOT NULL
        """
    ).fetchall()
    if found:
        names = ", ".join(sorted({str(row[0]) for row in found}))
        raise CaseworkError(
            "CASE_HOLDS_CODE",
            f"the file holds macros, types, views, triggers or computed columns: {names}",
            "do not trust it; load the sources into a new case",
            where=where,
        )


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.ResourceInUseException) as error:
        text = str(error)
        if "lock" in text or "already attached" in text:
            raise CaseworkError(
                "CASE_LOCKED",
                "another process is writing or reading this case" + _holder(text),
                "close it there, then try again",
                where=str(path),
            ) from None
        if "Permission denied" in text or "Read-only file system" in text:
            raise CaseworkError(
                "CASE_FORBIDDEN",
                first_line(error),
                "ask for the right to it, or work on a copy",
                where=str(path),
            ) from None
        raise CaseworkError(
            "NOT_A_CASE", first_line(error), "give a file made by `casework new`", where=str(path)
        ) from None
    except duckdb.Error as error:
        raise CaseworkError(
            "NOT_A_CASE", first_line(error), "give a file made by `casework new`", where=str(path)
        ) from None


def _holder(text: str) -> str:
    found = re.search(r"\(PID (\d+)\)", text)
    return f" (process {found.group(1)})" if found else ""


def first_line(error: Exception) -> str:
    """What DuckDB says is wrong, without the lines that point into the query."""
    return str(error).strip().splitlines()[0].rstrip(".")
