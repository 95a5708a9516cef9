"""The same row twice: rows that agree are kept once, contradicting ones are rejected.

Two sources may describe one thing, a registry its digest and a spreadsheet its owner: what one
leaves open is no contradiction, and the row that is kept takes it from the other. Of what goes on,
as the run of a judge of production traffic, each export tells from another instant: it began at the
earliest.

Rows are inserted first and settled after, within one transaction: the check costs one grouping
of the keys and nothing more where no key is repeated, which is nearly always. Rows that repeat one
are compared with the first at once; the few whose rows differ are gone through again.
"""

import duckdb

from casework.case._connection import first
from casework.case._joining import is_begun, join, maps, plain
from casework.tables import Table
from casework.tables._table import ATTRIBUTES, REAL, TEXT, VECTOR

RAW_CHARACTERS = 4_000
"""How much of a row is kept with its reject."""
_SHOWN, _SHOWN_IN_ALL = 80, 400
_EXTRAS = '"MAP(VARCHAR, JSON)"'
_CHUNK = 10_000


def settle(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> int:
    """Move the rows of the exhibit that repeat a key to `duplicates` or to `rejects`.

    The row that came first stays. A repeated key whose values are the same, or missing in one of
    them, is a duplicate; with other content it is a contradiction, code CONTRADICTS. Attributes
    and covariates are values each of its own. The beginning of what has no end in any of the rows
    is the earliest. What is rejected is compared with no later row.

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
    joined = join(connection, table)
    connection.execute(
        """
        INSERT INTO duplicates
        SELECT exhibit_id, locator, $name, first_exhibit, first_locator FROM judged
        WHERE agrees AND nth > 1 ORDER BY row_id
        """,
        {"name": table.name},
    )
    connection.execute(
        f"""
        INSERT INTO rejects
        SELECT this.exhibit_id, this.locator, $name, 'CONTRADICTS',
               'same key as ' || this.first_exhibit || ' ' || this.first_locator || ', other ' ||
               coalesce(nullif({_differing(table)}, ''), 'content'),
               left(CAST(to_json(this.content) AS VARCHAR), $most)
        FROM judged AS this JOIN judged AS kept
        ON kept.first_id = this.first_id AND kept.nth = 1
        WHERE NOT this.agrees ORDER BY this.row_id
        """,
        {"name": table.name, "most": RAW_CHARACTERS},
    )
    connection.execute(
        f"DELETE FROM {table.name} WHERE rowid IN (SELECT row_id FROM judged WHERE nth > 1)"
    )
    connection.execute("DROP TABLE judged")
    return joined


def _differing(table: Table) -> str:
    """SQL of the columns in which `this` row says other than the one `kept`; of maps, the names."""
    cases = [
        f"CASE WHEN this.content.{name} <> kept.content.{name} THEN '{name}' END"
        for name in plain(table)
    ]
    cases += [
        f"array_to_string(list_transform(list_filter(map_keys(this.{held}), "
        f"lambda name: this.{held}[name] <> kept.{held}[name]), "
        f"lambda name: '{column}.' || left(name, {_SHOWN})), ', ')"
        for column, held in maps(table).items()
    ]
    shown = ", ".join(f"nullif({case}, '')" for case in cases)
    return f"left(concat_ws(', ', {shown}), {_SHOWN_IN_ALL})"


def _judge(connection: duckdb.DuckDBPyConnection, table: Table, exhibit_id: str) -> None:
    """Make `judged`: the rows of each repeated key in order, and which agree with the first.

    A row agrees where each of its values is NULL or the first that is known; attributes are not
    looked at.
    """
    keys = ", ".join(f"t.{key}" for key in table.key)
    same_key = " AND ".join(f"t.{key} IS NOT DISTINCT FROM r.{key}" for key in table.key)
    content = ", ".join(f"{name} := t.{name}" for name in table.column_names)
    told = [column.name for column in table.columns if column.name not in table.key]
    goes_on = "false"
    if table.spans:
        goes_on = f"bool_and(t.{table.spans[1]} IS NULL) OVER (PARTITION BY {keys})"
    agrees = [
        f"(t.{name} IS NULL OR t.{name} = first_value(t.{name} IGNORE NULLS) OVER same"
        f"{f' OR {goes_on}' if is_begun(table, name) else ''})"
        for name in told
    ]
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT t.rowid AS row_id, t.locator, row_number() OVER same AS nth,
               struct_pack({content}) AS content,
               {" AND ".join(agrees) or "true"} AS agrees, {goes_on} AS goes_on,
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
        for name, held in maps(table).items()
    ]
    if told := plain(table):
        names = ", ".join(f"'{name}'" for name in told)
        values = ", ".join(_as_text(_claimed(table, name), table.type_of(name)) for name in told)
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


def _claimed(table: Table, name: str) -> str:
    """SQL of a value that rows of one key must share; of what goes on that is no beginning."""
    value = f"content.{name}"
    return f"CASE WHEN NOT goes_on THEN {value} END" if is_begun(table, name) else value


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
