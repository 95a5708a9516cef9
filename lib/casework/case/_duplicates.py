"""The same row twice: identical rows are kept once, contradicting ones are rejected.

Rows are inserted first and settled after, within one transaction: the check costs one grouping
of the keys and nothing more where no key is repeated, which is nearly always.
"""

import duckdb

from casework.case._connection import first
from casework.tables import Table


def settle(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> None:
    """Move the rows of the exhibit that repeat a key to `duplicates` or to `rejects`.

    The row that came first stays. A repeated key with the same content is a duplicate; with
    other content it is a contradiction, code CONTRADICTS.
    """
    keys = ", ".join(table.key)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE repeated AS
        SELECT {keys} FROM {table.name} {_scope(connection, table, exhibit_id)}
        GROUP BY {keys} HAVING count(*) > 1 AND bool_or(exhibit_id = $exhibit)
        """,
        {"exhibit": exhibit_id},
    )
    row = first(connection, "SELECT count(*) FROM repeated")
    if row and row[0]:
        _move(connection, table, exhibit_id)
    connection.execute("DROP TABLE repeated")


def _scope(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> str:
    """Look only where a row with one of the new keys can be, once the table holds other rows."""
    others = first(
        connection,
        f"SELECT 1 FROM {table.name} WHERE exhibit_id <> $exhibit LIMIT 1",
        {"exhibit": exhibit_id},
    )
    if not others:
        return ""
    new = f"FROM {table.name} WHERE exhibit_id = $exhibit"
    leading = table.key[0]
    scope = f"WHERE {leading} IN (SELECT {leading} {new})"
    if table.time in table.key:
        low, high = f"(SELECT min({table.time}) {new})", f"(SELECT max({table.time}) {new})"
        scope += f" AND ({table.time} IS NULL OR {table.time} BETWEEN {low} AND {high})"
    return scope


def _move(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> None:
    keys = ", ".join(f"t.{key}" for key in table.key)
    same_key = " AND ".join(f"t.{key} IS NOT DISTINCT FROM r.{key}" for key in table.key)
    content = ", ".join(f"{name} := t.{name}" for name in table.column_names)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT t.rowid AS row_id, t.locator, row_number() OVER same AS nth,
               struct_pack({content}) AS content,
               first_value(struct_pack({content})) OVER same AS first_content,
               first_value(t.exhibit_id) OVER same AS first_exhibit,
               first_value(t.locator) OVER same AS first_locator,
               t.exhibit_id AS exhibit_id
        FROM {table.name} AS t JOIN repeated AS r ON {same_key}
        WINDOW same AS (PARTITION BY {keys} ORDER BY t.exhibit_id = $exhibit, t.rowid)
        """,
        {"exhibit": exhibit_id},
    )
    connection.execute("DELETE FROM judged WHERE nth = 1")
    connection.execute(
        """
        INSERT INTO duplicates
        SELECT exhibit_id, locator, $name, first_exhibit, first_locator FROM judged
        WHERE content IS NOT DISTINCT FROM first_content
        """,
        {"name": table.name},
    )
    connection.execute(
        """
        INSERT INTO rejects
        SELECT exhibit_id, locator, $name, 'CONTRADICTS',
               'same key as ' || first_exhibit || ' ' || first_locator || ', other content',
               to_json(content)
        FROM judged WHERE content IS DISTINCT FROM first_content
        """,
        {"name": table.name},
    )
    connection.execute(f"DELETE FROM {table.name} WHERE rowid IN (SELECT row_id FROM judged)")
    connection.execute("DROP TABLE judged")
