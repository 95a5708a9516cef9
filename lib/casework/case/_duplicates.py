"""The same row twice: rows that agree are kept once, contradicting ones are rejected.

Two sources may describe one thing, a registry its digest and a spreadsheet its owner: what one
leaves open is no contradiction, and the row that is kept takes it from the other.

Rows are inserted first and settled after, within one transaction: the check costs one grouping
of the keys and nothing more where no key is repeated, which is nearly always. Rows that repeat one
are compared with the first at once; the few whose rows differ are gone through again.
"""

import duckdb

from casework.case._connection import first
from casework.tables import Table
from casework.tables._table import ATTRIBUTES, REAL, TEXT, VECTOR

RAW_CHARACTERS = 4_000
"""How much of a row is kept with its reject."""
_EXTRAS = '"MAP(VARCHAR, JSON)"'
_CHUNK = 10_000


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
    if _tell(connection, table):
        _judge_again(connection)
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

    A row agrees where each of its values is NULL or the first that is known; attributes are not
    looked at.
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
        SELECT t.rowid AS row_id, t.locator, row_number() OVER same AS nth,
               struct_pack({content}) AS content,
               {" AND ".join(agrees) or "true"} AS agrees,
               from_json(t.{ATTRIBUTES}, '{_EXTRAS}') AS extras,
               first_value(t.exhibit_id) OVER same AS first_exhibit,
               first_value(t.locator) OVER same AS first_locator,
               first_value(t.rowid) OVER same AS first_id,
               t.exhibit_id AS exhibit_id
        FROM {table.name} AS t JOIN repeated AS r ON {same_key}
        WINDOW same AS (PARTITION BY {keys} ORDER BY t.exhibit_id = $exhibit, t.rowid)
        """,
        {"exhibit": exhibit_id},
    )


def _tell(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Make `told`: the values of the rows of which it is not sure that they agree, as digests.

    Not sure are those of a key of which not all rows agree, or have the same attributes. Names of
    which a key has one value alone are left out.

    Returns:
        Whether there are such keys; without them there is no such table.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE unsure AS SELECT first_id FROM judged GROUP BY first_id
        HAVING NOT bool_and(agrees) OR count(DISTINCT content.{ATTRIBUTES}) > 1
        """
    )
    if first(connection, "SELECT 1 FROM unsure LIMIT 1") is None:
        return False
    these = "FROM judged WHERE first_id IN (FROM unsure)"
    parts = [
        f"SELECT row_id, first_id, nth, '{name}.' || unnest(map_keys({held})) AS name, "
        f"{_as_text('unnest(map_values(' + held + '))', REAL if name != ATTRIBUTES else TEXT)} "
        f"AS value"
        for name, held in _maps(table).items()
    ]
    plain = [c for c in table.columns if c.name not in {*table.key, table.covariates}]
    if plain:
        names = ", ".join(f"'{column.name}'" for column in plain)
        values = ", ".join(_as_text(f"content.{column.name}", column.type) for column in plain)
        parts.append(f"SELECT row_id, first_id, nth, unnest([{names}]), unnest([{values}])")
    every = " UNION ALL ".join(f"{part} {these}" for part in parts)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE told AS
        WITH every AS (FROM ({every}) WHERE value IS NOT NULL)
        SELECT row_id, first_id, nth, name, sha256(value) AS value FROM every
        SEMI JOIN (SELECT first_id, name FROM every GROUP BY first_id, name
                   HAVING min(value) <> max(value)) AS contested
        USING (first_id, name)
        """
    )
    connection.execute("UPDATE judged SET agrees = true WHERE first_id IN (FROM unsure)")
    connection.execute("DROP TABLE unsure")
    return True


def _as_text(value: str, kind: str) -> str:
    """SQL of a value as text that is the same where the value is: zero has no sign."""
    if kind == REAL:
        value = f"{value} + 0.0"
    if kind == VECTOR:
        value = f"list_transform({value}, lambda number: number + 0.0)"
    return f"CAST({value} AS {TEXT})"


def _judge_again(connection: duckdb.DuckDBPyConnection) -> None:
    """Judge the rows that are told as they came, one after the other.

    A row stands where it differs from none that stands before it.
    """
    found = connection.execute(
        """
        SELECT first_id, row_id, list(name), list(value) FROM told
        GROUP BY first_id, nth, row_id ORDER BY first_id, nth
        """
    )
    out = []
    key, stands = None, dict[str, str]()
    while rows := found.fetchmany(_CHUNK):
        for first_id, row_id, names, values in rows:
            if first_id != key:
                key, stands = first_id, {}
            says = dict(zip(names, values, strict=True))
            if any(stands.get(name, value) != value for name, value in says.items()):
                out.append(row_id)
            else:
                stands |= says
    connection.execute("DROP TABLE told")
    connection.execute(
        "UPDATE judged SET agrees = false WHERE row_id IN (SELECT unnest($out))", {"out": out}
    )


def _join(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Fill what the first row of a key leaves open from those that agree; return how many were.

    The maps are filled name by name, every other column whole.
    """
    maps = _maps(table)
    told = [column.name for column in table.columns if column.name not in {*table.key, *maps}]
    found = [f"arg_min(content.{name}, nth) AS {name}" for name in told]
    tests = [f"{_of_first(f'content.{name}')} IS DISTINCT FROM {name}" for name in told]
    found.append(f"{' OR '.join(tests) or 'false'} AS is_filled")
    columns, is_filled = ["first_id", *told], ["is_filled"]
    for name, held in maps.items():
        found += [f"any_value(content.{name}) AS any_{name}", f"any_value({held}) AS held_{name}",
                  f"{_of_first(held)} AS first_{name}"]  # fmt: skip
        merged = f"of_{name}.held"
        written = f"to_json({merged})" if name == ATTRIBUTES else merged
        columns.append(f"coalesce({written}, any_{name}) AS {name}")
        is_filled.append(f"first_{name} IS DISTINCT FROM coalesce({merged}, held_{name})")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE joined AS
        WITH {", ".join(f"of_{name} AS ({_merged(name, held)})" for name, held in maps.items())}
        SELECT {", ".join(columns)}
        FROM (SELECT first_id, {", ".join(found)} FROM judged WHERE agrees GROUP BY first_id)
        {" ".join(f"LEFT JOIN of_{name} USING (first_id)" for name in maps)}
        WHERE {" OR ".join(is_filled)}
        """
    )
    row = first(connection, "SELECT count(*) FROM joined")
    if row and row[0]:
        values = ", ".join(f"{name} = joined.{name}" for name in (*told, *maps))
        connection.execute(
            f"UPDATE {table.name} SET {values} FROM joined WHERE {table.name}.rowid = first_id"
        )
    connection.execute("DROP TABLE joined")
    return int(row[0]) if row else 0


def _of_first(held: str) -> str:
    return f"any_value({held}) FILTER (WHERE nth = 1)"


def _merged(name: str, held: str) -> str:
    """SQL of the maps of each key as one, where they differ: of the values of a name the first.

    Names stand as they came, so that nothing new is nothing else.
    """
    return f"""
        SELECT first_id, map_from_entries(list((name, value) ORDER BY nth, place)) AS held
        FROM (
            SELECT first_id, name, arg_min(value, nth) AS value, min(nth) AS nth,
                   arg_min(place, nth) AS place
            FROM (
                SELECT first_id, nth, unnest(map_keys({held})) AS name,
                       unnest(map_values({held})) AS value,
                       generate_subscripts(map_keys({held}), 1) AS place
                FROM judged WHERE agrees AND first_id IN (
                    SELECT first_id FROM judged WHERE agrees GROUP BY first_id
                    HAVING count(DISTINCT content.{name}) > 1)
            ) GROUP BY first_id, name
        ) GROUP BY first_id"""
