"""One row of the rows of a key that agree: what the first leaves open is taken from the others.

They are in the temporary table `judged`; see `_duplicates`.
"""

import duckdb

from casework.case._connection import first
from casework.tables import Table
from casework.tables._table import ATTRIBUTES


def plain(table: Table) -> list[str]:
    """The columns that are neither of the key nor maps."""
    return [one.name for one in table.columns if one.name not in {*table.key, table.covariates}]


def maps(table: Table) -> dict[str, str]:
    """The columns that hold many values by name, and where `judged` has them as maps."""
    found = {ATTRIBUTES: "extras"}
    return found | ({table.covariates: f"content.{table.covariates}"} if table.covariates else {})


def is_begun(table: Table, name: str) -> bool:
    """Whether a column says when something began."""
    return table.spans is not None and name == table.spans[0]


def join(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Fill what the first row of a key leaves open from those that agree; return how many were.

    The maps are filled name by name, every other column whole.
    """
    held_by, told = maps(table), plain(table)
    found = [f"{_known(table, name)} AS {name}" for name in told]
    tests = [f"{_of_first(f'content.{name}')} IS DISTINCT FROM {name}" for name in told]
    found.append(f"{' OR '.join(tests) or 'false'} AS is_filled")
    columns, is_filled = ["first_id", *told], ["is_filled"]
    for name, held in held_by.items():
        found += [f"any_value(content.{name}) AS any_{name}", f"any_value({held}) AS held_{name}",
                  f"{_of_first(held)} AS first_{name}"]  # fmt: skip
        merged = f"of_{name}.held"
        written = f"to_json({merged})" if name == ATTRIBUTES else merged
        columns.append(f"coalesce({written}, any_{name}) AS {name}")
        is_filled.append(f"first_{name} IS DISTINCT FROM coalesce({merged}, held_{name})")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE joined AS
        WITH {", ".join(f"of_{name} AS ({_merged(name, held)})" for name, held in held_by.items())}
        SELECT {", ".join(columns)}
        FROM (SELECT first_id, {", ".join(found)} FROM judged WHERE agrees GROUP BY first_id)
        {" ".join(f"LEFT JOIN of_{name} USING (first_id)" for name in held_by)}
        WHERE {" OR ".join(is_filled)}
        """
    )
    row = first(connection, "SELECT count(*) FROM joined")
    if row and row[0]:
        values = ", ".join(f"{name} = joined.{name}" for name in (*told, *held_by))
        connection.execute(
            f"UPDATE {table.name} SET {values} FROM joined WHERE {table.name}.rowid = first_id"
        )
    connection.execute("DROP TABLE joined")
    return int(row[0]) if row else 0


def _known(table: Table, name: str) -> str:
    """SQL of the value of a key: the first that is told, but of what goes on the earliest start."""
    first_told = f"arg_min(content.{name}, nth)"
    if not is_begun(table, name):
        return first_told
    return f"CASE WHEN any_value(goes_on) THEN min(content.{name}) ELSE {first_told} END"


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
