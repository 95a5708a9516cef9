"""Parquet files as records, where a format is more than one table of evidence."""

from collections.abc import Iterator

from casework.errors import CaseworkError
from casework.importers._records import Record
from casework.importers._source import Source

PARQUET = b"PAR1"
_BATCH_ROWS = 256  # a row may have a megabyte


def parquet_names(source: Source) -> set[str]:
    """Names of the columns; none where the file is damaged."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return set(parquet.read_schema(source.path).names)
    except (pa.ArrowException, OSError):
        return set()


def parquet_notes(source: Source) -> dict[str, str]:
    """What the writer of the file noted beside the columns; nothing where the file is damaged."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        noted = parquet.read_schema(source.path).metadata or {}
    except (pa.ArrowException, OSError):
        return {}
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
            for key, value in noted.items()}  # fmt: skip


def parquet_records(source: Source) -> Iterator[Record]:
    """Yield the rows, located as `row 1` and so on.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(source.path) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield Record(f"row {number}", row)
    except (pa.ArrowException, OSError) as error:
        what = str(error).splitlines()[0]
        fix = "see that the file is whole"
        raise CaseworkError("SOURCE_UNREADABLE", what, fix, where=source.name) from None
