"""Table files that DuckDB cannot read in place: taken apart here, staged as Parquet.

JSON and JSON Lines are decoded record by record, so that the good ones are kept and every locator
is exact. Values are staged as text, and the text of each record as it stands beside them.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers._expressions import LOCATOR, RAW, RESERVED
from casework.importers._records import Record, records
from casework.importers._source import Source

_CHUNK = 50_000
_CHUNK_CHARACTERS = 64 << 20
_MAX_COLUMNS = 2_000


Staging = Generator[Reject, None, list[str]]
"""Yields the rows that are none as they come; returns Parquet files with the good ones in order."""


def stage_json(source: Source, folder: str) -> Staging:
    """Stage the records of a JSON array, or of JSON Lines; what cannot be one is a reject.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    return stage(source, folder, records(source), [])


def stage_arrow(source: Source, folder: str) -> str:
    """Stage an Arrow IPC file or stream.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    path = f"{folder}/staged.parquet"
    is_file = source.head().startswith(b"ARROW1")
    try:
        with source.open() as file:
            reader = pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)
            count = reader.num_record_batches if is_file else None
            batches = (
                (reader.get_batch(i) for i in range(count)) if count is not None else iter(reader)
            )
            with pa.parquet.ParquetWriter(path, reader.schema) as writer:
                for batch in batches:
                    batch.validate(full=True)  # damaged offsets lead out of the memory
                    writer.write_batch(batch)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source, (str(error) or "damaged").splitlines()[0]) from None
    return path


def stage(
    source: Source, folder: str, records: Iterable[Record | Reject], names: list[str]
) -> Staging:
    """Write records as Parquet, a file for each chunk, so that memory stays flat.

    Raises:
        CaseworkError: SOURCE_UNREADABLE, the columns are too many or bear unusable names.
    """
    paths: list[str] = []
    rest = iter(records)
    known = dict.fromkeys(names)
    while (chunk := (yield from _chunk(rest, known))) or not paths:
        check_names(source, list(known))
        columns = dict.fromkeys(names)
        for record in chunk:
            columns.update(dict.fromkeys(record.values))
        arrays = {
            LOCATOR.strip('"'): pa.array([record.locator for record in chunk], pa.string()),
            RAW.strip('"'): pa.array([record.raw for record in chunk], pa.string()),
        }
        for name in columns:
            texts = [_text(record.values.get(name)) for record in chunk]
            arrays[name] = pa.array(texts, pa.string())
        paths.append(f"{folder}/staged-{len(paths):06}.parquet")
        pa.parquet.write_table(pa.table(arrays), paths[-1])
    return paths


def _chunk(
    records: Iterator[Record | Reject], known: dict[str, None]
) -> Generator[Reject, None, list[Record]]:
    """The next records, so many or as many as hold so much text; what is none is yielded.

    A record whose own names no table can have is none; the names of the others are put to those
    that are known.
    """
    found: list[Record] = []
    characters = 0
    while len(found) < _CHUNK and characters < _CHUNK_CHARACTERS:
        record = next(records, None)
        if record is None:
            break
        if isinstance(record, Reject):
            yield record
            continue
        if not record.values.keys() <= known.keys():
            if fault := _fault_of(list(record.values)):
                yield Reject(record.locator, "NAMES", fault, record.raw or "")
                continue
            known.update(dict.fromkeys(record.values))
        found.append(record)
        texts = (value for value in record.values.values() if isinstance(value, str))
        characters += len(record.raw) if record.raw is not None else sum(map(len, texts))
    return found


def check_names(source: Source, names: list[str]) -> None:
    """Refuse more columns than can be read, and names that cannot be told apart or are own ones.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    if fault := _fault_of(names):
        raise unreadable(source, fault)


def _fault_of(names: list[str]) -> str | None:
    """Why no table can have columns of these names; None where it can."""
    if len(names) > _MAX_COLUMNS:
        return f"more than {_MAX_COLUMNS:,} columns"
    if "" in names:
        return "a column has no name"
    folded = [name.lower() for name in names]
    if len(set(folded)) < len(folded):
        twice = next(name for name in names if folded.count(name.lower()) > 1)
        return f"two columns are named {twice!r}, but for case"
    if any(name.startswith(RESERVED) for name in folded):
        return f"no column may begin with {RESERVED!r}"
    return None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return msgspec.json.encode(value).decode("utf-8")


def unreadable(source: Source, what: str) -> CaseworkError:
    """Build the error for a source that cannot be read as a whole."""
    return CaseworkError("SOURCE_UNREADABLE", what, "see that the file is whole", where=source.name)
