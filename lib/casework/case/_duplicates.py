"""The same row twice: rows that agree are kept once, contradicting ones are rejected.

Two sources may describe one thing, a registry its digest and a spreadsheet its owner: what one
leaves open is no contradiction, and the row that is kept takes it from the other.

Rows are inserted first and settled after, within one transaction: the check costs one grouping
of the keys and nothing more where no key is repeated, which is nearly always. Rows that repeat one
are compared with the first at once; the few whose rows disagree are gone through again.
"""

import duckdb

from casework.case._connection import first
from casework.tables import Table
from casework.tables._table import ATTRIBUTES, TEXT

RAW_CHARACTERS = 4_000
"""How much of a row is kept with its reject."""
_EXTRAS = '"MAP(VARCHAR, JSON)"'


def settle(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> int:
    """Move the rows of the exhibit that repeat a key to `duplicates` or to `rejects`.

    The row that came first stays. A repeated key whose values are the same, or missing in one of
    them, is a duplicate; with other content it is a contradiction, code CONTRADICTS. Attributes
    and covariates are values each of its own. What is rejected is compared with no later row.

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
    is_unsure = _judge_again(connection, table)
    joined = _join(connection, table, _maps(table) if is_unsure else {ATTRIBUTES: "extras"})
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
               left(CAST(to_json(content) AS VARCHAR), $most)
        FROM judged WHERE NOT agrees
        """,
        {"name": table.name, "most": RAW_CHARACTERS},
    )
    connection.execute(f"DELETE FROM {table.name} WHERE rowid IN (SELECT row_id FROM judged)")
    connection.execute("DROP TABLE judged")
    return joined


def _maps(table: Table) -> dict[str, str]:
    """The columns that hold many values by name, and where `judged` has them as maps."""
    maps = {ATTRIBUTES: "extras"}
    return maps | ({table.covariates: f"content.{table.covariates}"} if table.covariates else {})


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


def _judge_again(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Judge the rows of the keys of which not all agree, as if they came one after the other.

    At first they were compared with all that came before: with rows that are none, since they
    contradict, and with the first attributes, which need not have all the names; covariates were
    compared whole. In each round the rows before the first misfit stand, so all that contradict
    these are out. What is left differs in names that these do not tell: there are no more rounds
    than names.

    Returns:
        Whether there is such a key.
    """
    if not _tell(connection, table):
        return False
    while True:
        connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE misfits AS
            WITH firsts AS (
                SELECT first_id, name, arg_min(value, nth) AS value, min(nth) AS since
                FROM told GROUP BY first_id, name),
            misfits AS (
                SELECT t.first_id, t.row_id, t.nth, f.since
                FROM told AS t JOIN firsts AS f ON t.first_id = f.first_id AND t.name = f.name
                WHERE t.value <> f.value)
            SELECT DISTINCT row_id FROM misfits
            JOIN (SELECT first_id, min(nth) AS misfit FROM misfits GROUP BY first_id) AS standing
            USING (first_id) WHERE since < misfit
            """
        )
        if first(connection, "SELECT 1 FROM misfits LIMIT 1") is None:
            break
        those = "WHERE row_id IN (SELECT row_id FROM misfits)"
        connection.execute(f"UPDATE judged SET agrees = false {those}")
        connection.execute(f"DELETE FROM told {those}")
    connection.execute("DROP TABLE told; DROP TABLE misfits")
    return True


def _tell(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Make `told`: each value of the rows of which it is not sure that they agree, as text.

    Returns:
        Whether there are any; without them there is no such table.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE unsure AS SELECT first_id FROM judged GROUP BY first_id
        HAVING NOT bool_and(agrees) OR count(DISTINCT content.{ATTRIBUTES}) > 2
        """
    )
    if first(connection, "SELECT 1 FROM unsure LIMIT 1") is None:
        return False
    these = "FROM judged WHERE first_id IN (FROM unsure)"
    parts = [
        f"SELECT row_id, first_id, nth, '{name}.' || unnest(map_keys({held})) AS name, "
        f"CAST(unnest(map_values({held})) AS {TEXT}) AS value"
        for name, held in _maps(table).items()
    ]
    if plain := [c.name for c in table.columns if c.name not in {*table.key, table.covariates}]:
        names = ", ".join(f"'{name}'" for name in plain)
        values = ", ".join(f"CAST(content.{name} AS {TEXT})" for name in plain)
        parts.append(f"SELECT row_id, first_id, nth, unnest([{names}]), unnest([{values}])")
    every = " UNION ALL ".join(f"{part} {these}" for part in parts)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE told AS FROM ({every}) WHERE value IS NOT NULL"
    )
    connection.execute("UPDATE judged SET agrees = true WHERE first_id IN (FROM unsure)")
    connection.execute("DROP TABLE unsure")
    return True


def _join(connection: duckdb.DuckDBPyConnection, table: Table, maps: dict[str, str]) -> int:
    """Fill what the first row of a key leaves open from those that agree; return how many were.

    The maps are filled name by name, every other column whole.
    """
    told = [column.name for column in table.columns if column.name not in table.key]
    filled = {
        name: f"arg_min(content.{name}, nth) FILTER (WHERE content.{name} IS NOT NULL)"
        for name in told
    }
    # of the values of one name the first counts: the last of a concatenation
    for name, held in maps.items():
        whole = f"""list_reduce(
            list({held} ORDER BY nth DESC) FILTER (WHERE {held} IS NOT NULL),
            lambda later, earlier: map_concat(later, earlier))"""
        filled[name] = f"""
            CASE WHEN count(DISTINCT content.{name}) < 2 THEN any_value(content.{name})
                 ELSE {f"to_json({whole})" if name == ATTRIBUTES else whole} END"""
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
