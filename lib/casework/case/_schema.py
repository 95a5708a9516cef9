"""The schema of a case file: evidence tables from their declarations, and the case's own books."""

import duckdb

from casework.case._connection import first, literal, refuse_code
from casework.errors import CaseworkError
from casework.tables import ALL, Column
from casework.tables._table import INSTANT, JSON, TEXT, WHOLE, create_table

VERSION = 2

BOOKS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "case_info": (
        "Identity of the case.",
        (Column("key", TEXT, "Name.", required=True), Column("value", TEXT, "Value.")),
    ),
    "exhibits": (
        "One row per source as received.",
        (
            Column("exhibit_id", TEXT, "Id: the beginning of its SHA-256.", required=True),
            Column("path", TEXT, "Path as given; `!/` leads into an archive.", required=True),
            Column("sha256", TEXT, "SHA-256 of its bytes.", required=True),
            Column("bytes", WHOLE, "Size.", required=True),
            Column("format", TEXT, "Format that was recognised.", required=True),
            Column("importer", TEXT, "Importer that read it.", required=True),
            Column("loaded_at", INSTANT, "When it was loaded, UTC.", required=True),
            Column("rows_read", WHOLE, "Evidence rows read.", required=True),
            Column("rows_kept", WHOLE, "Rows kept.", required=True),
            Column("rows_rejected", WHOLE, "Rows in `rejects`.", required=True),
            Column("rows_duplicate", WHOLE, "Rows in `duplicates`.", required=True),
            Column("tables", JSON, "Rows kept, by table."),
            Column("notes", "VARCHAR[]", "What the loader decided or left out."),
            Column("fields", JSON, "Fields of the source, and the columns that each fills."),
            Column("left_out", JSON, "Fields held nowhere in the case, and how many values."),
        ),
    ),
    "exhibit_files": (
        "The files of an exhibit that is a folder.",
        (
            Column("exhibit_id", TEXT, "The exhibit.", required=True),
            Column("path", TEXT, "Path inside the folder.", required=True),
            Column("sha256", TEXT, "SHA-256 of its bytes.", required=True),
            Column("bytes", WHOLE, "Size.", required=True),
        ),
    ),
    "rejects": (
        "One row per source row that could not be used.",
        (
            Column("exhibit_id", TEXT, "The exhibit.", required=True),
            Column("locator", TEXT, "Where in it.", required=True),
            Column("table_name", TEXT, "Evidence table that it was meant for."),
            Column("code", TEXT, "Kind of fault.", required=True),
            Column("reason", TEXT, "What is wrong with it.", required=True),
            Column("raw", TEXT, "The row as it stands in the source, at most 4,000 characters."),
        ),
    ),
    "duplicates": (
        "One row per source row that repeats one already kept, or adds to it.",
        (
            Column("exhibit_id", TEXT, "The exhibit.", required=True),
            Column("locator", TEXT, "Where in it.", required=True),
            Column("table_name", TEXT, "Evidence table.", required=True),
            Column("same_as_exhibit", TEXT, "Exhibit of the row that is kept.", required=True),
            Column("same_as_locator", TEXT, "Where in that.", required=True),
        ),
    ),
    "custody": (
        "Who did what to the case.",
        (
            Column("sequence", WHOLE, "Order.", required=True),
            Column("occurred_at", INSTANT, "When, UTC.", required=True),
            Column("actor", TEXT, "User and host.", required=True),
            Column("action", TEXT, "What was done.", required=True),
            Column("tool", TEXT, "Tool and version.", required=True),
            Column("detail", JSON, "With which parameters, and what came of it."),
        ),
    ),
    "results": (
        "Every diagnosis that was run, as it ended.",
        (
            Column("sequence", WHOLE, "Custody entry of the run.", required=True),
            Column("diagnosis", TEXT, "The diagnosis.", required=True),
            Column("verdict", TEXT, "Its verdict.", required=True),
            Column("result", JSON, "The whole result.", required=True),
        ),
    ),
}

_TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    **{table.name: (table.doc, table.all_columns) for table in ALL},
    **BOOKS,
}


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table that is missing, and every column that an older version did not have."""
    present = _present(connection)
    for name, (doc, columns) in _TABLES.items():
        if name not in present:
            connection.execute(create_table(name, columns))
        for column in columns:
            if name in present and column.name not in present[name]:
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {column.name} {column.type}")
        _describe(connection, name, doc, columns)


def stored_version(connection: duckdb.DuckDBPyConnection, where: str) -> int:
    """Return the schema version that the file says it has, if it holds no code that could say so.

    Raises:
        CaseworkError: NOT_A_CASE, CASE_HOLDS_CODE, or CASE_NEWER than this program.
    """
    row = None
    if "case_info" in _present(connection):
        refuse_code(connection, where)
        row = first(connection, "SELECT value FROM case_info WHERE key = 'schema_version'")
    if row is None or not str(row[0]).isdecimal():
        raise CaseworkError(
            "NOT_A_CASE", "a DuckDB file, but no case", "make one with `casework new`", where=where
        )
    version = int(row[0])
    if version > VERSION:
        raise CaseworkError(
            "CASE_NEWER",
            f"the case has schema {version}, this casework knows {VERSION}",
            "install a newer casework",
            where=where,
        )
    return version


def _present(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    rows = connection.execute(
        """
        SELECT table_name, column_name FROM system.main.duckdb_columns()
        WHERE NOT internal AND database_name = current_database()
        """
    ).fetchall()
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found


def _describe(
    connection: duckdb.DuckDBPyConnection, name: str, doc: str, columns: tuple[Column, ...]
) -> None:
    """Store the manual in the file, so that any DuckDB client shows what a column means."""
    connection.execute(f"COMMENT ON TABLE {name} IS {literal(doc.strip())}")
    for column in columns:
        connection.execute(f"COMMENT ON COLUMN {name}.{column.name} IS {literal(column.doc)}")
