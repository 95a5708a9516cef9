"""Parquet files as records, where a format is more than one table of evidence."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers._map_file import Field
from casework.importers._records import Record
from casework.importers._source import Source
from casework.tables import Table
from casework.tables._table import REAL, WHOLE

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = b"PAR1"
DURATION = "DURATION"
"""What a column of durations is called, which in Parquet is one of whole numbers."""
_BATCH_ROWS = 256  # a row may have a megabyte


def parquet_schema(path: Path) -> "pa.Schema":
    """What a file says of its columns; empty where it is damaged.

    Here as below it is opened by Python, since pyarrow takes no name that is not UTF-8.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with path.open("rb") as file:
            schema = parquet.read_schema(file)
            _ = schema.names  # decoded only now, where a damaged one is no UTF-8
            return schema
    except (pa.ArrowException, UnicodeError, OSError):
        return pa.schema([])


def parquet_names(source: Source) -> set[str]:
    """Names of the columns; none where the file is damaged."""
    return set(parquet_schema(source.path).names)


def durations(schema: "pa.Schema") -> set[str]:
    """Names of the columns that hold durations, which the writer notes beside the columns alone."""
    import pyarrow as pa

    return {field.name for field in schema if pa.types.is_duration(field.type)}


def refuse_durations(
    table: Table, fields: Mapping[str, Field], types: Mapping[str, str], source: Source
) -> None:
    """Refuse a duration, which DuckDB takes for a bare number, where no map says its unit.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    for name, entry in fields.items():
        if types[entry.source] == DURATION and entry.scale is None:
            is_number = table.type_of(name) in (REAL, WHOLE)
            raise CaseworkError(
                "SOURCE_UNREADABLE",
                f"{entry.source!r} holds durations, "
                + (f"whose unit is not that of {name}" if is_number else f"and {name} is none"),
                "write them as numbers, or give `scale` in a map" if is_number
                else f"rename it, or take {name} from another column in a map",
                where=source.name,
            )  # fmt: skip


def parquet_notes(source: Source) -> dict[str, str]:
    """What the writer of the file noted beside the columns; nothing where the file is damaged."""
    noted = parquet_schema(source.path).metadata or {}
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
            for key, value in noted.items()}  # fmt: skip


def parquet_records(source: Source) -> Iterator[Record | Reject]:
    """Yield the rows, located as `row 1` and so on; one that Python cannot hold is a `Reject`.

    Instants are cut to microseconds.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        with source.path.open("rb") as raw, parquet.ParquetFile(raw) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                yield from _rows(_in_microseconds(batch), number)
                number += batch.num_rows
    except (pa.ArrowException, UnicodeError, OSError) as error:
        what = str(error).splitlines()[0]
        fix = "see that the file is whole"
        raise CaseworkError("SOURCE_UNREADABLE", what, fix, where=source.name) from None


def _rows(batch: "pa.RecordBatch", before: int) -> Iterator[Record | Reject]:
    """The rows of a batch; where one of them cannot be read, each by itself."""
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError) as error:  # no UTF-8, or no day of a calendar
        if batch.num_rows > 1:
            for at in range(batch.num_rows):
                yield from _rows(batch.slice(at, 1), before + at)
        else:
            yield Reject(f"row {before + 1}", "VALUE", str(error).splitlines()[0], "")
        return
    for at, row in enumerate(rows, start=before + 1):
        yield Record(f"row {at}", row)


def _in_microseconds(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """Cut nanoseconds, which an instant of Python does not hold."""
    import pyarrow as pa

    fields = [field.with_type(_coarser(field.type)) for field in batch.schema]
    if pa.schema(fields) == batch.schema.remove_metadata():
        return batch
    return batch.cast(pa.schema(fields), safe=False)


def _coarser(type_: "pa.DataType") -> "pa.DataType":
    import pyarrow as pa

    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pa.timestamp("us", type_.tz)
    if pa.types.is_list(type_):
        return pa.list_(type_.value_field.with_type(_coarser(type_.value_type)))
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(_coarser(field.type)) for field in type_])
    return type_
