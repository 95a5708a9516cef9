"""Table files that DuckDB cannot read in place: taken apart here, staged as Parquet.

JSON and JSON Lines are decoded record by record, and CSV files with torn lines row by row, so
that the rest is kept and every locator is exact. Values are staged as text, nested ones as JSON.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from casework.case import Reject, literal
from casework.errors import CaseworkError
from casework.importers._expressions import LOCATOR
from casework.importers._source import Source

_CHUNK = 50_000
_LINE_BYTES = 16 * 1024 * 1024
_DELIMITERS = (",", "\t", ";", "|")

_MAX_COLUMNS = 2_000

Record = tuple[str, dict[str, Any]]


class Staged(NamedTuple):
    """Parquet files that hold the good rows in order, and the rows that are none."""

    paths: list[str]
    rejects: list[Reject]


def csv_relation(source: Source) -> tuple[str, list[str]]:
    """FROM clause that reads a CSV file strictly, all columns as text; and their names."""
    header, delimiter = _csv_header(source)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    compression = source.compression or "none"
    relation = (
        f"read_csv($path, auto_detect = false, header = true, delim = {literal(delimiter)}, "
        f"quote = '\"', escape = '\"', compression = '{compression}', columns = {{{columns}}}, "
        "strict_mode = true, null_padding = false, max_line_size = 16777216)"
    )
    return relation, header


def stage_csv(source: Source, folder: str) -> Staged:
    """Stage the whole rows of a CSV file; torn ones become rejects."""
    header, delimiter = _csv_header(source)
    rejects: list[Reject] = []
    paths = _stage(source, folder, _csv_records(source, header, delimiter, rejects), header)
    return Staged(paths, rejects)


def stage_json(source: Source, folder: str) -> Staged:
    """Stage the records of a JSON array, or of JSON Lines; what is no object becomes a reject."""
    rejects: list[Reject] = []
    first = source.head().lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    records = _array(source) if first == b"[" else _lines(source, rejects)
    return Staged(_stage(source, folder, records, []), rejects)


def stage_arrow(source: Source, folder: str) -> str:
    """Stage an Arrow IPC file or stream.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    path = f"{folder}/staged.parquet"
    try:
        with source.open() as file:
            data = file.read()
        is_file = data.startswith(b"ARROW1")
        reader = pa.ipc.open_file(data) if is_file else pa.ipc.open_stream(data)
        table = reader.read_all()
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(source, str(error).splitlines()[0]) from None
    pa.parquet.write_table(table, path)
    return path


def _csv_header(source: Source) -> tuple[list[str], str]:
    try:
        text = source.head().decode("utf-8-sig", "ignore")
    except UnicodeDecodeError as error:
        raise _unreadable(source, f"not UTF-8 at byte {error.start}") from None
    line = next(iter(text.splitlines()), "")
    delimiter = max(_DELIMITERS, key=line.count)
    header = next(csv.reader([line], delimiter=delimiter), [])
    if not header or any(not name.strip() for name in header):
        raise _unreadable(source, "the first line does not name all columns")
    if len({name.lower() for name in header}) < len(header):
        raise _unreadable(source, "two columns have one name")
    return header, delimiter


def _csv_records(
    source: Source, header: list[str], delimiter: str, rejects: list[Reject]
) -> Iterator[Record]:
    with source.open() as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        next(rows)
        number = 0
        while True:
            number += 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                rejects.append(Reject(f"row {number}", "TORN", str(error), ""))
                continue
            joined = delimiter.join(row)
            if len(row) != len(header):
                reason = f"{len(row)} values for {len(header)} columns"
                rejects.append(Reject(f"row {number}", "TORN", reason, joined))
            elif any("\udc80" <= character <= "\udcff" for character in joined):
                rejects.append(Reject(f"row {number}", "ENCODING", "not UTF-8", joined))
            else:
                yield (
                    f"row {number}",
                    {name: value or None for name, value in zip(header, row, strict=True)},
                )


def _lines(source: Source, rejects: list[Reject]) -> Iterator[Record]:
    decode = msgspec.json.Decoder().decode
    with source.open() as file:
        number = 0
        while line := file.readline(_LINE_BYTES):
            number += 1
            if not line.strip():
                continue
            locator, raw = f"line {number}", line.decode("utf-8", "backslashreplace")
            if len(line) == _LINE_BYTES and not line.endswith(b"\n"):
                rejects.append(Reject(locator, "JSON_TOO_LONG", "longer than 16 MiB", raw[:200]))
                while line and not line.endswith(b"\n"):
                    line = file.readline(_LINE_BYTES)
                continue
            try:
                record = decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                rejects.append(Reject(locator, "JSON", str(error), raw.strip()))
                continue
            if isinstance(record, dict):
                yield locator, record
            else:
                rejects.append(Reject(locator, "JSON", "not an object", raw.strip()))


def _array(source: Source) -> Iterator[Record]:
    with source.open() as file:
        data = file.read()
    try:
        records = msgspec.json.decode(data, type=list[dict[str, Any]])
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise _unreadable(source, str(error)) from None
    yield from ((f"/{index}", record) for index, record in enumerate(records))


def _stage(source: Source, folder: str, records: Iterator[Record], names: list[str]) -> list[str]:
    """Write records as Parquet, a file for each chunk, so that memory stays flat."""
    paths: list[str] = []
    while (chunk := list(islice(records, _CHUNK))) or not paths:
        columns = dict.fromkeys(names)
        for _, record in chunk:
            columns.update(dict.fromkeys(record))
        if len(columns) > _MAX_COLUMNS:
            raise _unreadable(source, f"more than {_MAX_COLUMNS:,} columns")
        arrays = {LOCATOR.strip('"'): pa.array([locator for locator, _ in chunk], pa.string())}
        for name in columns:
            texts = [_text(record.get(name)) for _, record in chunk]
            arrays[name] = pa.array(texts, pa.string())
        paths.append(f"{folder}/staged-{len(paths):06}.parquet")
        pa.parquet.write_table(pa.table(arrays), paths[-1])
    return paths


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return msgspec.json.encode(value).decode("utf-8")


def _unreadable(source: Source, what: str) -> CaseworkError:
    return CaseworkError("SOURCE_UNREADABLE", what, "see that the file is whole", where=source.name)
