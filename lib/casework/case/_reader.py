"""A case opened to be read: evidence queries, what is loaded, what was concluded before."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, Self

from casework.case._connection import (
    clear_query_errors,
    connect_asking,
    connect_reading,
    first,
    run,
)
from casework.case._gate import gate
from casework.case._query import Query
from casework.case._schema import VERSION, stored_version
from casework.case._writer import CaseWriter
from casework.errors import CaseworkError
from casework.findings import Result
from casework.records import CaseFacts, CustodyEntry, Exhibit, RejectGroup, TableFill
from casework.tables import ALL, Table


class Rows(NamedTuple):
    """What a query gave: names of the columns, and the rows in its order."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """The rows as mappings from column to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Case:
    """Read access to a case file, as a context manager. Many readers can share one file.

    Raises:
        CaseworkError: CASE_MISSING, CASE_LOCKED, NOT_A_CASE, CASE_NEWER, CASE_HOLDS_CODE.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._spill = TemporaryDirectory(prefix="casework-")
        try:
            self._connection = connect_reading(self.path, self._spill.name)
            if self._is_old():
                self._connection.close()
                CaseWriter(self.path).close()
                self._connection = connect_reading(self.path, self._spill.name)
            self._asking = connect_asking(self._connection)
        except BaseException:
            self._spill.cleanup()
            raise
        self._held: dict[str, tuple[Query, dict[str, Any]]] = {}

    @classmethod
    def create(cls, path: Path | str, title: str = "") -> "Case":
        """Make an empty case and open it.

        Raises:
            CaseworkError: CASE_EXISTS.
        """
        CaseWriter.create(Path(path), title)
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._asking.close()
        self._connection.close()
        self._spill.cleanup()

    def rows(self, query: Query, **params: Any) -> Rows:
        """Run an evidence query; parameters that it does not name are left out.

        Raises:
            CaseworkError: QUERY_FAILED, QUERY_MEMORY.
        """
        sql = query.text(self._held_for(query, params))
        return Rows(*run(self._connection, sql, Query("bound", sql).parameters(params)))

    def arrow(self, query: Query, **params: Any) -> Any:
        """Run an evidence query and return a `pyarrow.Table`, for whole columns of numbers."""
        sql = query.text(self._held_for(query, params))
        bound = Query("bound", sql).parameters(params)
        with clear_query_errors():
            return self._connection.sql(sql, params=bound).to_arrow_table()

    def hold(self, query: Query, **params: Any) -> None:
        """Compute a query once and keep it as a temporary table of its id, for those that use it.

        The text of the queries that use it stays whole: an auditor needs no held table. A query
        that is asked with other parameters than those held computes its parts anew, and so does one
        whose part has the id of another query that is held.
        """
        if self._is_held(query, params):
            return
        sql = query.text(self._held_for(query, params))
        self.release(query)
        named = Query("held", sql).parameters(params)
        run(self._connection, f"CREATE TEMP TABLE {query.id} AS {sql}", named)
        self._held[query.id] = (query, query.parameters(params))

    def release(self, query: Query) -> None:
        """Drop a held query; its memory is free again."""
        self._held.pop(query.id, None)
        self._connection.execute(f"DROP TABLE IF EXISTS temp.{query.id}")

    def release_all(self) -> None:
        """Drop every held query."""
        for query, _ in tuple(self._held.values()):
            self.release(query)

    def sql(self, text: str, *, seconds: float = 60.0, limit: int = 10_000) -> Rows:
        """Run one SELECT that a person typed. At most `limit` rows, `seconds` of time.

        Raises:
            CaseworkError: SQL_NOT_SELECT and the other codes of the gate, QUERY_FAILED,
                QUERY_TIMEOUT, QUERY_MEMORY.
        """
        return Rows(*run(self._asking, gate(text), seconds=seconds, limit=limit))

    def filled(self, table: str, columns: tuple[str, ...] = ()) -> bool:
        """Whether a table has a row in which each of the columns has a value."""
        test = " AND ".join(f"{column} IS NOT NULL" for column in columns) or "true"
        sql = f"SELECT 1 FROM {table} WHERE {test} LIMIT 1"
        return bool(first(self._connection, sql))

    def facts(self) -> CaseFacts:
        """Identity of the case."""
        rows = self._connection.execute("SELECT key, value FROM case_info").fetchall()
        info = dict(rows)
        created = datetime.fromisoformat(info["created_at"])
        return CaseFacts(info["id"], info["title"], created, int(info["schema_version"]))

    def exhibits(self) -> tuple[Exhibit, ...]:
        """The sources, in the order in which they were loaded; no other can be while it is open."""
        return self._exhibits

    @cached_property
    def _exhibits(self) -> tuple[Exhibit, ...]:
        rows = self._connection.execute(
            "SELECT * FROM exhibits ORDER BY loaded_at, path, exhibit_id"
        ).fetchall()
        return tuple(
            Exhibit(
                **_fields(
                    Exhibit,
                    (
                        *row[:11],
                        json.loads(row[11]),
                        tuple(row[12] or ()),
                        *(json.loads(cell or "{}") for cell in row[13:15]),
                    ),
                )
            )
            for row in rows
        )

    def exhibits_of(self, query: Query) -> tuple[str, ...]:
        """Ids of the exhibits that filled the evidence tables which a query reads."""
        read = set(query.tables())
        return tuple(sorted(e.id for e in self.exhibits() if read & set(e.tables)))

    def rejects(self) -> tuple[RejectGroup, ...]:
        """Rejects by exhibit and code."""
        rows = self._connection.execute(
            """
            SELECT exhibit_id, code, count(*), arg_min(locator, rowid), arg_min(reason, rowid)
            FROM rejects GROUP BY exhibit_id, code ORDER BY exhibit_id, code
            """
        ).fetchall()
        return tuple(RejectGroup(*row) for row in rows)

    def tables(self) -> tuple[TableFill, ...]:
        """The evidence tables that hold anything, with the time that they span."""
        exhibits = self.exhibits()
        filled = {name for exhibit in exhibits for name in exhibit.tables}
        return tuple(self._fill(t, exhibits) for t in ALL if t.name in filled)

    def custody(self) -> tuple[CustodyEntry, ...]:
        """The custody log, in order."""
        rows = self._connection.execute("SELECT * FROM custody ORDER BY sequence").fetchall()
        return tuple(
            CustodyEntry(**_fields(CustodyEntry, (*row[:5], json.loads(row[5])))) for row in rows
        )

    def results(self) -> tuple[Result, ...]:
        """The last result of each diagnosis that was run on the case.

        Raises:
            CaseworkError: RESULT_UNREADABLE, it was kept by a casework that had other results.
        """
        import msgspec

        rows = self._connection.execute(
            """
            SELECT arg_max(result::VARCHAR, sequence) FROM results
            GROUP BY diagnosis ORDER BY diagnosis
            """
        ).fetchall()
        try:
            # Not strict: infinite bounds and integers beyond 2^53 are text in canonical JSON.
            return tuple(msgspec.json.decode(row[0], type=Result, strict=False) for row in rows)
        except msgspec.DecodeError as error:
            raise CaseworkError(
                "RESULT_UNREADABLE",
                f"a result in the case is of another version: {error}",
                "diagnose again",
                where=str(self.path),
            ) from None

    def _held_for(self, query: Query, params: Mapping[str, Any]) -> frozenset[str]:
        """Parts of a query that are held with the same parameters."""
        return frozenset(part.id for part in query.parts() if self._is_held(part, params))

    def _is_held(self, query: Query, params: Mapping[str, Any]) -> bool:
        held = self._held.get(query.id)
        return held is not None and held == (query, query.parameters(params))

    def _fill(self, table: Table, exhibits: tuple[Exhibit, ...]) -> TableFill:
        span = f"min({table.time}), max({table.time})" if table.time else "NULL, NULL"
        sql = f"SELECT count(*), {span} FROM {table.name}"
        rows, earliest, latest = first(self._connection, sql) or (0, None, None)
        ids = tuple(exhibit.id for exhibit in exhibits if table.name in exhibit.tables)
        return TableFill(table.name, rows, earliest, latest, ids)

    def _is_old(self) -> bool:
        try:
            return stored_version(self._connection, str(self.path)) < VERSION
        except CaseworkError:
            self._connection.close()
            raise


def _fields(record: type, values: tuple[Any, ...]) -> dict[str, Any]:
    """Name the values of a row after the fields of a record, which stand in the same order."""
    return dict(zip((f.name for f in fields(record)), values, strict=True))
