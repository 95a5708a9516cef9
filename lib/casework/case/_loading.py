"""Putting the rows of one source into the case, by column and within one transaction.

A thread writes the rows that were read while the next are read.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import duckdb
import pyarrow as pa

from casework.case._connection import first
from casework.case._digests import spelled
from casework.case._duplicates import RAW_CHARACTERS, settle
from casework.case._items import Again, Batch, Fields, Item, Note, Packed, Reject, Row
from casework.case._packing import arrow_table, pack_batch
from casework.tables import Table, get
from casework.words import count

_BATCH_ROWS = 50_000
_BATCH_CHARACTERS = _PACKED_BYTES = 128 << 20
_GROUP_ROWS = 122_880
"""How many rows DuckDB stores as one group."""
_PACKED_ROWS = 2 * _GROUP_ROWS
_UNFIT = (pa.ArrowException, ValueError, TypeError, OverflowError)
"""What a value raises that a column cannot hold."""


class Loading:
    """Collects what an importer yields for one exhibit, and writes it in batches.

    A context manager: when it is left, nothing is being written any more.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, exhibit_id: str) -> None:
        self.connection = connection
        self.exhibit_id = exhibit_id
        self._writer = ThreadPoolExecutor(1, "casework-writes")
        self._writing: Future[None] | None = None
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._writing is not None:
            self.connection.interrupt()  # what it writes is taken back anyway
        self._writer.shutdown()

    def _begin(self) -> None:
        self.read = 0
        self.notes: list[str] = []
        self.fields: dict[str, set[str]] = {}
        self.left_out: Counter[str] = Counter()
        self._rows: dict[str, list[Row]] = {}
        self._characters: Counter[str] = Counter()
        self._packed: dict[str, list[pa.Table]] = {}
        self._packed_bytes = 0
        self._rejects: list[Reject] = []
        self._filled: set[str] = set()

    def take(self, items: Iterable[Item]) -> None:
        """Write all items. Rows that do not fit their table become rejects."""
        for item in items:
            match item:
                case Row():
                    self._take_row(item)
                case Batch():
                    self._take_batch(item)
                case Packed():
                    self._take_packed(item)
                case Reject():
                    self.read += 1
                    self._reject(item)
                case Note():
                    self.notes.append(_storable(item.text))
                case Fields():
                    for name, columns in item.taken.items():
                        self.fields.setdefault(_storable(name), set()).update(columns)
                    for name, values in item.left_out.items():
                        self.left_out[_storable(name)] += values
                case Again():
                    self._forget()
        for name in list(self._rows):
            self._flush(get(name))
        for name in list(self._packed):
            self._flush_packed(get(name))
        self._flush_rejects()
        self._finish_writing()

    def _forget(self) -> None:
        """Take back all that was written of the exhibit, and start again."""
        self._finish_writing()
        self.connection.execute("ROLLBACK")
        self.connection.execute("BEGIN")
        self._begin()

    def settle(self) -> dict[str, int]:
        """Sort out repeated rows; return how many rows of each table stay."""
        kept: dict[str, int] = {}
        for name in sorted(self._filled):
            joined = settle(self.connection, get(name), self.exhibit_id)
            if joined:
                self.notes.append(f"completes {count(joined, 'rows')} of {name} told before")
            kept[name] = self.count(name)
        return kept

    def count(self, table: str) -> int:
        """Rows of a table that come from this exhibit."""
        sql = f"SELECT count(*) FROM {table} WHERE exhibit_id = $exhibit"
        return self._number(sql, {"exhibit": self.exhibit_id})

    def _take_row(self, row: Row) -> None:
        self.read += 1
        rows = self._rows.setdefault(row.table.name, [])
        rows.append(row)
        self._characters[row.table.name] += row.characters
        if len(rows) >= _BATCH_ROWS or self._characters[row.table.name] >= _BATCH_CHARACTERS:
            self._flush(row.table)

    def _take_batch(self, batch: Batch) -> None:
        self.read += len(batch.columns["locator"])
        self._insert(batch.table, pack_batch(batch).content)

    def _take_packed(self, packed: Packed) -> None:
        """Collect rows until there are whole groups of them, or as many as fit in memory."""
        name = packed.table.name
        self.read += packed.content.num_rows
        self._packed.setdefault(name, []).append(packed.content)
        self._packed_bytes += packed.content.nbytes
        if self._packed_bytes >= _PACKED_BYTES:
            for each in list(self._packed):
                self._flush_packed(get(each))
        elif (rows := sum(part.num_rows for part in self._packed[name])) >= _PACKED_ROWS:
            self._flush_packed(packed.table, rows - rows % _GROUP_ROWS)

    def _flush_packed(self, table: Table, rows: int | None = None) -> None:
        """Write the first rows of a table that were collected, or all.

        A group that is broken off takes up to twice the room in the case.
        """
        parts = self._packed.pop(table.name)
        self._packed_bytes -= sum(part.nbytes for part in parts)
        joined = pa.concat_tables(parts, promote_options="default")
        # in one piece, which is inserted twice as quickly: each chunk has a cost of its own
        content = joined.slice(0, rows).combine_chunks()
        if content.num_rows < joined.num_rows:
            rest = joined.slice(content.num_rows).combine_chunks()
            self._packed[table.name] = [rest]
            self._packed_bytes += rest.nbytes
        del parts, joined  # which would be held beside it
        self._insert(table, content)

    def _number(self, sql: str, params: Mapping[str, Any]) -> int:
        row = first(self.connection, sql, params)
        return int(row[0]) if row else 0

    def _reject(self, reject: Reject) -> None:
        self._rejects.append(reject)
        if len(self._rejects) >= _BATCH_ROWS:
            self._flush_rejects()

    def _flush(self, table: Table) -> None:
        rows = self._rows.pop(table.name, [])
        del self._characters[table.name]
        if not rows:
            return
        given = {name for row in rows for name in row.values}
        names = [name for name in table.column_names if name in given]
        if len(names) < len(given):
            raise ValueError(f"{table.name} has no column {sorted(given - set(names))[0]!r}")
        columns: dict[str, list[Any]] = {
            name: [row.values.get(name) for row in rows] for name in names
        }
        columns["locator"] = [row.locator for row in rows]
        try:
            arrow = arrow_table(table, columns)
        except _UNFIT:
            self._flush_singly(table, rows)
        else:
            self._insert(table, arrow)

    def _flush_singly(self, table: Table, rows: list[Row]) -> None:
        """Find the rows that do not fit, so that they do not take the others with them."""
        good: list[pa.Table] = []
        for row in rows:
            columns = {name: [value] for name, value in row.values.items()}
            columns["locator"] = [row.locator]
            try:
                good.append(arrow_table(table, columns))
            except _UNFIT as error:
                reason = str(error).splitlines()[0]
                raw = json.dumps(dict(row.values), default=str)
                self._reject(Reject(row.locator, "VALUE", reason, raw, table))
        if good:
            self._insert(table, pa.concat_tables(good, promote_options="default"))

    def _insert(self, table: Table, arrow: pa.Table) -> None:
        self._append(table.name, arrow)
        self._filled.add(table.name)

    def _append(self, name: str, arrow: pa.Table) -> None:
        """Append rows of the exhibit, when those before them are written."""
        self._finish_writing()
        self._writing = self._writer.submit(self._write, name, arrow)

    def _finish_writing(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _write(self, name: str, arrow: pa.Table) -> None:
        """Write rows of the exhibit.

        DuckDB would keep a table that is registered under a name until the transaction ends.
        """
        own = {name: spelled(name) for name in arrow.column_names}
        own["exhibit_id"] = f"'{self.exhibit_id}'"
        columns = [own.get(column, "NULL") for column in self.connection.table(name).columns]
        self.connection.from_arrow(arrow).project(", ".join(columns)).insert_into(name)

    def _flush_rejects(self) -> None:
        if not self._rejects:
            return
        rejects, self._rejects = self._rejects, []
        arrow = pa.table(
            {
                "locator": [_storable(reject.locator) for reject in rejects],
                "table_name": [reject.table.name if reject.table else None for reject in rejects],
                "code": [reject.code for reject in rejects],
                "reason": [_storable(reject.reason) for reject in rejects],
                "raw": [_storable(reject.raw)[:RAW_CHARACTERS] for reject in rejects],
            }
        )
        self._append("rejects", arrow)


def _storable(text: str) -> str:
    """Lone surrogates cannot be stored as UTF-8; show them as escapes instead of losing the row."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
