"""Items as Arrow tables: what the loader inserts, and what a confined reader hands over."""

import json
from collections.abc import Generator, Iterator, Mapping
from itertools import zip_longest
from typing import Any, cast

import duckdb
import pyarrow as pa

from casework.case._items import Batch, Packed, Reject, Select
from casework.case._scan import database
from casework.errors import CaseworkError
from casework.tables import Table
from casework.tables._table import FLAG, INSTANT, JSON, REAL, TEXT, WHOLE

_VECTOR_ROWS = 2_048
"""How many rows DuckDB works on at a time: it hands over no fewer."""
_BATCH_ROWS = 16_384
_BATCH_BYTES = 32 << 20
_TOO_LARGE = ("maximum total string size", "failed to allocate")
"""What DuckDB says of so many rows of more than 2 GiB in one column, or than there is memory."""

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


def pack(select: Select) -> Generator[Packed | Reject, None, list[bool]]:
    """Run a `Select` in a database of its own; yield its rows as `Packed`, and its rejects.

    Returns:
        For each of the truth values of the query, whether any row has it.

    Raises:
        CaseworkError: SOURCE_UNREADABLE with the first line of what DuckDB says.
        MemoryError: the rows take more memory than there may be.
    """
    found: list[bool] = []
    count = 0
    with database().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            rows = connection.sql(select.query, params=dict(select.params))
            for content in _sized(cast(pa.RecordBatchReader, rows.to_arrow_reader(_VECTOR_ROWS))):
                kept, rejects, flags = _parted(select, content, count)
                if kept.content.num_rows:
                    yield kept
                yield from rejects
                found = [a or b for a, b in zip_longest(found, flags, fillvalue=False)]
                count += content.num_rows
        except (duckdb.OutOfMemoryException, pa.ArrowMemoryError) as error:
            raise MemoryError(str(error)) from None
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            what = str(error).strip().splitlines()[0].rstrip(".:")
            if any(words in what for words in _TOO_LARGE):
                raise MemoryError(what) from None
            raise CaseworkError("SOURCE_UNREADABLE", what, "see that the file is whole") from None
    return found


def _sized(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Join batches that are small and cut those that are large, by rows and by bytes.

    Rows may have a hundred bytes or a megabyte. What is handed on takes a few times its size while
    it is written and sent, so that a number of rows alone bounds no memory.
    """
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if rows + batch.num_rows > _BATCH_ROWS or size + batch.nbytes > _BATCH_BYTES:
            yield from _cut(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
    yield from _cut(waiting)


def _cut(batches: list[pa.RecordBatch]) -> Iterator[pa.Table]:
    """One table of the batches, or several where they are too large and have more than one row."""
    if not batches:
        return
    content = pa.Table.from_batches(batches)
    parts = [content]
    while parts:
        part = parts.pop()
        half = part.num_rows // 2
        if half and part.nbytes > _BATCH_BYTES:
            parts += [part.slice(half), part.slice(0, half)]
        else:
            yield part


def _parted(
    select: Select, content: pa.Table, before: int
) -> tuple[Packed, list[Reject], list[bool]]:
    """Part the rows that can be used from the others; `before` of the source came before them."""
    from pyarrow import compute

    names = list(select.columns)
    columns = content.columns[: len(names)]
    if "locator" not in names:
        names.append("locator")
        columns.append(_numbered(before, content.num_rows))
    reasons, raws, *flags = content.columns[len(select.columns) :]
    schema = pa.schema([(name, _type_of(select.table, name)) for name in names])
    kept = pa.table(columns, names=names)
    rejects: list[Reject] = []
    if reasons.null_count < len(reasons):
        is_reject = reasons.is_valid()
        facts = (kept.column("locator"), reasons, raws)
        each = zip(*(fact.filter(is_reject).to_pylist() for fact in facts), strict=True)
        rejects = [Reject(at, "VALUE", why, raw, select.table) for at, why, raw in each]
        kept = kept.filter(compute.invert(is_reject))
    told = [compute.any(flag).as_py() is True for flag in flags]
    return Packed(select.table, kept.cast(schema)), rejects, told


def _numbered(before: int, count: int) -> pa.Array:
    import numpy as np
    from pyarrow import compute

    # Not by `pa.array` or `pa.scalar`, which import pandas first where that is installed.
    buffer = pa.py_buffer(np.arange(before + 1, before + count + 1, dtype=np.int64))
    numbers = pa.Array.from_buffers(pa.int64(), count, [None, buffer]).cast(pa.string())
    return compute.binary_replace_slice(numbers, start=0, stop=0, replacement="row ")


def pack_batch(batch: Batch) -> Packed:
    """The rows of a batch as an Arrow table.

    Raises:
        ValueError: a required value is missing, or a value is not of the type of its column.
    """
    return Packed(batch.table, arrow_table(batch.table, batch.columns))


def stream_of(packed: Packed) -> memoryview:
    """The rows as an Arrow IPC stream, for another process."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, packed.content.schema) as writer:
        writer.write_table(packed.content)
    return memoryview(stream.getvalue())


def packed_in(stream: memoryview, table: Table) -> Packed:
    """Read what `stream_of` wrote, by a process that hostile bytes may have taken over.

    Raises:
        ValueError, OSError: it is no stream, or its rows are none of the table.
    """
    with pa.ipc.open_stream(stream) as reader:
        packed = Packed(table, reader.read_all())
    _check(packed)
    return packed


def _check(packed: Packed) -> None:
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
