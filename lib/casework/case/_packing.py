"""Items as Arrow tables: what the loader inserts, and what a confined reader hands over."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import duckdb
import pyarrow as pa

from casework.case._items import Batch, Item, Packed, Reject, Select
from casework.case._scan import database
from casework.errors import CaseworkError
from casework.tables import Table
from casework.tables._table import FLAG, INSTANT, JSON, REAL, TEXT, WHOLE

_BATCH_ROWS = 122_880  # a row group of DuckDB

ARROW_TYPES: dict[str, pa.DataType] = {
    TEXT: pa.string(),
    JSON: pa.string(),
    REAL: pa.float64(),
    WHOLE: pa.int64(),
    FLAG: pa.bool_(),
    INSTANT: pa.timestamp("us", tz="UTC"),
    "VARCHAR[]": pa.list_(pa.string()),
    "FLOAT[]": pa.list_(pa.float32()),
    "MAP(VARCHAR, DOUBLE)": pa.map_(pa.string(), pa.float64()),
}


def pack(select: Select) -> Iterator[Item]:
    """Run a `Select` in a database of its own; yield its rows as `Packed`, and its rejects.

    Raises:
        CaseworkError: SOURCE_UNREADABLE with the first line of what DuckDB says.
        MemoryError: the rows take more memory than there may be.
    """
    schema = pa.schema([(name, _type_of(select.table, name)) for name in select.columns])
    params = dict(select.params) or None
    with database().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            reader = connection.execute(select.kept, params).to_arrow_reader(_BATCH_ROWS)
            for batch in cast(pa.RecordBatchReader, reader):
                renamed = pa.Table.from_batches([batch]).rename_columns(list(select.columns))
                yield Packed(select.table, renamed.cast(schema))
            for row in connection.execute(select.rejected, params).fetchall():
                locator, code, reason, raw = map(str, row)
                yield Reject(locator, code, reason, raw, select.table)
        except (duckdb.OutOfMemoryException, pa.ArrowMemoryError) as error:
            raise MemoryError(str(error)) from None
        except (duckdb.Error, pa.ArrowException) as error:
            what = str(error).strip().splitlines()[0].rstrip(".:")
            raise CaseworkError("SOURCE_UNREADABLE", what, "see that the file is whole") from None


def pack_batch(batch: Batch) -> Packed:
    """The rows of a batch as an Arrow table.

    Raises:
        ValueError: a required value is missing, or a value is not of the type of its column.
    """
    return Packed(batch.table, arrow_table(batch.table, batch.columns))


def check_packed(packed: Packed) -> None:
    """See that rows from elsewhere are what they claim: columns, types, values, nothing missing.

    Raises:
        ValueError: they are not.
    """
    content = packed.content
    content.validate(full=True)
    for field in content.schema:
        if field.type != _type_of(packed.table, field.name):
            raise ValueError(f"{field.name} has another type")
    for name in (*packed.table.required, "locator"):
        if name not in content.column_names or content.column(name).null_count:
            raise ValueError(f"{name} is missing")


def _type_of(table: Table, name: str) -> pa.DataType:
    if name != "locator" and name not in table.column_names:
        raise ValueError(f"{table.name} has no column {name!r}")
    return ARROW_TYPES[table.type_of(name)]


def arrow_table(table: Table, columns: Mapping[str, list[Any]]) -> pa.Table:
    """Build an Arrow table of the columns' types.

    Raises:
        ValueError: a required value is missing.
    """
    arrays = {}
    for name, values in columns.items():
        if name == "attributes":
            values = [_json(value) for value in values]
        arrays[name] = pa.array(values, type=ARROW_TYPES[table.type_of(name)])
    for name in table.required:
        if name not in arrays or arrays[name].null_count:
            raise ValueError(f"{name} is missing")
    return pa.table(arrays)


def _json(value: Any) -> str | None:
    if not value:
        return None
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
