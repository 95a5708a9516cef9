"""Table files that DuckDB cannot read in place: taken apart here, staged as Parquet.

JSON and JSON Lines are decoded record by record, so that the good ones are kept and every locator
is exact. Values are staged as text, and the text of each record as it stands beside them.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers._expressions import LOCATOR, RAW, RESERVED
from casework.importers._json_document import MAX_BYTES, document, is_too_deep
from casework.importers._json_stream import Document, documents, lines
from casework.importers._source import Source

_CHUNK = 50_000
_MAX_COLUMNS = 2_000
_MAX_DEPTH = 64
_SHOWN_BYTES = 16_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KEY = re.compile(rb'"\s*:')

_decode = msgspec.json.Decoder().decode
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Record(NamedTuple):
    """A good record: where it is, its values, and its text as it stands, if there is one."""

    locator: str
    values: dict[str, Any]
    raw: str | None = None


class Staged(NamedTuple):
    """Parquet files that hold the good rows in order, and the rows that are none."""

    paths: list[str]
    rejects: list[Reject]


def stage_json(source: Source, folder: str) -> Staged:
    """Stage the records of a JSON array, or of JSON Lines; what is no object becomes a reject.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    rejects: list[Reject] = []
    is_array = source.head().removeprefix(_BYTE_ORDER_MARK).lstrip()[:1] == b"["
    records = _array(source, rejects) if is_array else _stream(source, rejects)
    return Staged(stage(source, folder, records, []), rejects)


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
                    writer.write_batch(batch)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source, (str(error) or "damaged").splitlines()[0]) from None
    return path


def stage(source: Source, folder: str, records: Iterable[Record], names: list[str]) -> list[str]:
    """Write records as Parquet, a file for each chunk, so that memory stays flat.

    Raises:
        CaseworkError: SOURCE_UNREADABLE, the columns are too many or bear unusable names.
    """
    paths: list[str] = []
    rest = iter(records)
    known = dict.fromkeys(names)
    while (chunk := list(islice(rest, _CHUNK))) or not paths:
        columns = dict.fromkeys(names)
        for record in chunk:
            columns.update(dict.fromkeys(record.values))
        known.update(columns)
        _check_names(source, list(known))
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


def _check_names(source: Source, names: list[str]) -> None:
    if len(names) > _MAX_COLUMNS:
        raise unreadable(source, f"more than {_MAX_COLUMNS:,} columns")
    folded = [name.lower() for name in names]
    if len(set(folded)) < len(folded):
        twice = next(name for name in names if folded.count(name.lower()) > 1)
        raise unreadable(source, f"two columns are named {twice!r}, but for case")
    if any(name.startswith(RESERVED) for name in folded):
        raise unreadable(source, f"no column may begin with {RESERVED!r}")


def _stream(source: Source, rejects: list[Reject]) -> Iterator[Record]:
    with source.open() as file:
        for found in documents(file):
            yield from _records(found, rejects)


def _records(found: Document, rejects: list[Reject]) -> Iterator[Record]:
    """The record of a document; where it is not one, the lines of it that are."""
    record = _record(f"line {found.line}", found.data, found.overlong)
    if isinstance(record, Record):
        yield record
        return
    parts = (
        []
        if found.overlong
        else [_record(f"line {line.line}", line.data, line.overlong) for line in lines(found)]
    )
    if not any(isinstance(part, Record) for part in parts):
        rejects.append(record)  # a document over many lines that is torn is one fault, not many
        return
    for part in parts:
        if isinstance(part, Record):
            yield part
        else:
            rejects.append(part)


def _array(source: Source, rejects: list[Reject]) -> Iterator[Record]:
    with source.open() as file:
        data = file.read(MAX_BYTES + 1).removeprefix(_BYTE_ORDER_MARK)
    if len(data) > MAX_BYTES:
        raise unreadable(source, f"an array of more than {MAX_BYTES >> 20} MiB; use JSON Lines")
    try:
        elements = _split(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise unreadable(source, str(error)) from None
    for index, element in enumerate(elements):
        record = _record(f"/{index}", bytes(element), overlong=False)
        if isinstance(record, Record):
            yield record
        else:
            rejects.append(record)


def _record(locator: str, data: bytes, overlong: bool) -> Record | Reject:
    data = data.strip()
    if overlong:
        return Reject(locator, "JSON_TOO_LONG", "longer than is read", _shown(data))
    if data.count(b"[") + data.count(b"{") > _MAX_DEPTH and is_too_deep(data):
        reason = f"nested deeper than {_MAX_DEPTH} levels"
        return Reject(locator, "JSON_DEPTH", reason, _shown(data))
    try:
        values = _decode(data)
        if not isinstance(values, dict):
            return Reject(locator, "JSON", "not an object", _shown(data))
        if _may_repeat_a_key(data, values):
            document(data, "").value()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Reject(locator, "JSON", str(error), _shown(data))
    except CaseworkError as error:
        return Reject(locator, error.code, error.what, _shown(data))
    return Record(locator, values, data.decode("utf-8"))


def _may_repeat_a_key(data: bytes, values: dict[str, Any]) -> bool:
    """Whether the text has more keys than the values that came of it, which is quick to tell."""
    most = len(_KEY.findall(data))
    return most > len(values) and most > _keys(values)


def _keys(value: dict[str, Any] | list[Any]) -> int:
    own, inner = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    return own + sum(_keys(one) for one in inner if isinstance(one, dict | list))


def _shown(data: bytes) -> str:
    return data[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")


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
