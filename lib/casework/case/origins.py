"""Down from an answer: to the evidence rows that it rests on, and to the rows that were refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from casework import canonical
from casework.case._query import Query
from casework.case._reader import Case, Rows
from casework.findings import Evidence
from casework.records import Exhibit, RejectGroup
from casework.tables import ALL, Table
from casework.words import parse_instant

MOST_ROWS = 50
"""Rows that are fetched to be read; the counts beside them say how many there are."""

_REJECTED = Query(
    "rejected",
    """
    SELECT locator, table_name, reason, raw FROM rejects
    WHERE exhibit_id = $exhibit AND code = $code ORDER BY rowid LIMIT $most
    """,
)

_REPEATED = Query(
    "repeated",
    f"""
    SELECT exhibit_id, locator FROM duplicates
    WHERE table_name = $table AND same_as_exhibit = $exhibit AND same_as_locator = $locator
    ORDER BY rowid LIMIT {MOST_ROWS}
    """,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """An evidence row: its table, what it holds, and where it stands in which exhibit.

    What two sources tell of one row stands in both: each place is an origin.
    """

    table: str
    values: Mapping[str, Any]
    exhibit: Exhibit
    locator: str


def rejected(case: Case, group: RejectGroup) -> Rows:
    """The first rows of a group of rejects, in the order of the source, each as it was received."""
    return case.rows(_REJECTED, exhibit=group.exhibit_id, code=group.code, most=MOST_ROWS)


def between(case: Case, evidence: Evidence, start: datetime, end: datetime) -> Evidence:
    """Ask for evidence again, and keep of all its rows those with an instant in `[start, end]`.

    Raises:
        CaseworkError: QUERY_FAILED, QUERY_MEMORY.
    """
    answer = case.rows(Query("again", evidence.sql), **evidence.params)
    rows = [
        tuple(canonical.plain(list(row)))
        for row in answer.rows
        if any(start <= at <= end for value in row if (at := parse_instant(value)))
    ]
    digest = canonical.digest_rows(answer.columns, rows)
    return replace(evidence, rows=tuple(rows[:MOST_ROWS]), row_count=len(rows), sha256=digest)


def origins(case: Case, evidence: Evidence, row: Mapping[str, Any]) -> tuple[Origin, ...]:
    """The evidence rows that a row of an answer names, at most 50 of each table.

    A row names others where it holds columns of the key of a table that its query reads. A row
    that only counts names none.
    """
    read = set(Query("read", evidence.sql).tables())
    found: list[Origin] = []
    for table in ALL:
        key = {name: row[name] for name in table.key if row.get(name) is not None}
        if table.name in read and key:
            found += rows_of(case, table, **key)
    return tuple(found)


def rows_of(case: Case, table: Table, **values: Any) -> list[Origin]:
    """The rows of an evidence table that hold these values, in order of time, at most 50.

    Raises:
        CaseworkError: QUERY_FAILED, a value is none of its column.
    """
    exhibits = {exhibit.id: exhibit for exhibit in case.exhibits()}
    found = []
    for held in case.rows(_with(table, values), **values).dicts():
        exhibit, locator = exhibits[held.pop("exhibit_id")], held.pop("locator")
        known = {name: value for name, value in held.items() if value is not None}
        found.append(Origin(table.name, known, exhibit, locator))
        repeats = case.rows(_REPEATED, table=table.name, exhibit=exhibit.id, locator=locator)
        found += (Origin(table.name, known, exhibits[one], at) for one, at in repeats.rows)
    return found


def _with(table: Table, values: Mapping[str, Any]) -> Query:
    tests = [f"{name} = CAST(${name} AS {table.type_of(name)})" for name in values]
    order = table.time or "locator"
    test = " AND ".join(tests) or "true"
    sql = f"SELECT * FROM {table.name} WHERE {test} ORDER BY {order}, locator LIMIT {MOST_ROWS}"
    return Query(f"rows_of_{table.name}", sql)
