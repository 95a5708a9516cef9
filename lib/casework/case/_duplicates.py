"""The same row twice: rows that agree are kept once, contradicting ones are rejected.

Two sources may describe one thing, a registry its digest and a spreadsheet its owner: what one
leaves open is no contradiction, and the row that is kept takes it from the other.

Rows are inserted first and settled after, within one transaction: the check costs one grouping
of the keys and nothing more where no key is repeated, which is nearly always.
"""

import duckdb

from casework.case._connection import first
from casework.tables import Table
from casework.tables._table import ATTRIBUTES

_EXTRAS = '"MAP(VARCHAR, JSON)"'


def settle(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> int:
    """Move the rows of the exhibit that repeat a key to `duplicates` or to `rejects`.

    The row that came first stays. A repeated key whose values are the same, or missing in one of
    them, is a duplicate; with other content it is a contradiction, code CONTRADICTS.

    Returns:
        How many rows that stay took values from duplicates.
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
    joined = _move(connection, table, exhibit_id) if row and row[0] else 0
    connection.execute("DROP TABLE repeated")
    return joined


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


def _move(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> int:
    _judge(connection, table, exhibit_id)
    _judge_extras(connection)
    joined = _join(connection, table)
    connection.execute("DELETE FROM judged WHERE nth = 1")
    connection.execute(
        """
        INSERT INTO duplicates
        SELECT exhibit_id, locator, $name, first_exhibit, first_locator FROM judged WHERE agrees
        """,
        {"name": table.name},
    )
    connection.execute(
        """
        INSERT INTO rejects
        SELECT exhibit_id, locator, $name, 'CONTRADICTS',
               'same key as ' || first_exhibit || ' ' || first_locator || ', other content',
               to_json(content)
        FROM judged WHERE NOT agrees
        """,
        {"name": table.name},
    )
    connection.execute(f"DELETE FROM {table.name} WHERE rowid IN (SELECT row_id FROM judged)")
    connection.execute("DROP TABLE judged")
    return joined


def _judge(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> None:
    """Make `judged`: the rows of each repeated key in order, and which agree with the first.

    A row agrees where each of its values is NULL or the first that is known.
    """
    keys = ", ".join(f"t.{key}" for key in table.key)
    same_key = " AND ".join(f"t.{key} IS NOT DISTINCT FROM r.{key}" for key in table.key)
    content = ", ".join(f"{name} := t.{name}" for name in table.column_names)
    told = [column.name for column in table.columns if column.name not in table.key]
    agrees = [
        f"(t.{name} IS NULL OR t.{name} = first_value(t.{name} IGNORE NULLS) OVER same)"
        for name in told
    ]
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT * REPLACE (
            agrees AND NOT coalesce(list_bool_or(list_transform(map_keys(extras), lambda name:
                map_contains(first_extras, name) AND first_extras[name] <> extras[name]
            )), false) AS agrees)
        FROM (
            SELECT t.rowid AS row_id, t.locator, row_number() OVER same AS nth,
                   struct_pack({content}) AS content,
                   {" AND ".join(agrees) or "true"} AS agrees,
                   from_json(t.{ATTRIBUTES}, '{_EXTRAS}') AS extras,
                   from_json(first_value(t.{ATTRIBUTES} IGNORE NULLS) OVER same, '{_EXTRAS}')
                       AS first_extras,
                   first_value(t.exhibit_id) OVER same AS first_exhibit,
                   first_value(t.locator) OVER same AS first_locator,
                   first_value(t.rowid) OVER same AS first_id,
                   t.exhibit_id AS exhibit_id
            FROM {table.name} AS t JOIN repeated AS r ON {same_key}
            WINDOW same AS (PARTITION BY {keys} ORDER BY t.exhibit_id = $exhibit, t.rowid)
        )
        """,
        {"exhibit": exhibit_id},
    )


def _judge_extras(connection: duckdb.DuckDBPyConnection) -> None:
    """Of three and more rows with other extras each, see that the later agree on each name.

    They were compared with the first that has any, which need not have all the names.
    """
    connection.execute(
        f"""
        UPDATE judged SET agrees = false WHERE row_id IN (
            SELECT row_id FROM (
                SELECT row_id, held <> first_value(held) OVER (
                    PARTITION BY first_id, name ORDER BY nth) AS other
                FROM (
                    SELECT row_id, first_id, nth,
                           unnest(map_keys(extras)) AS name, unnest(map_values(extras)) AS held
                    FROM judged WHERE agrees AND first_id IN (
                        SELECT first_id FROM judged WHERE agrees GROUP BY first_id
                        HAVING count(DISTINCT content.{ATTRIBUTES}) > 2)
                )
            )
            WHERE other
        )
        """
    )


def _join(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Fill what the first row of a key leaves open from those that agree; return how many were."""
    told = [column.name for column in table.columns if column.name not in table.key]
    filled = {
        name: f"arg_min(content.{name}, nth) FILTER (WHERE content.{name} IS NOT NULL)"
        for name in told
    }
    # of the extras of one name the first counts: the last of a concatenation
    filled[ATTRIBUTES] = f"""
        CASE WHEN count(DISTINCT content.{ATTRIBUTES}) < 2 THEN any_value(content.{ATTRIBUTES})
             ELSE to_json(list_reduce(
                 list(extras ORDER BY nth DESC) FILTER (WHERE extras IS NOT NULL),
                 lambda later, earlier: map_concat(later, earlier))) END"""
    kept = ", ".join(
        f"any_value(content.{name}) FILTER (WHERE nth = 1) IS DISTINCT FROM {value}"
        for name, value in filled.items()
    )
    columns = ", ".join(f"{value} AS {name}" for name, value in filled.items())
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE joined AS
        SELECT first_id, {columns} FROM judged WHERE agrees GROUP BY first_id
        HAVING list_bool_or([{kept}])
        """
    )
    row = first(connection, "SELECT count(*) FROM joined")
    if row and row[0]:
        values = ", ".join(f"{name} = joined.{name}" for name in filled)
        connection.execute(
            f"UPDATE {table.name} SET {values} FROM joined WHERE {table.name}.rowid = first_id"
        )
    connection.execute("DROP TABLE joined")
    return int(row[0]) if row else 0
