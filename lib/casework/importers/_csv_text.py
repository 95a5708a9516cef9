"""CSV and TSV: read by DuckDB where the file is whole, else taken apart row by row.

Delimiter and names come from the first record; quotes are doubled within quotes (RFC 4180). A
torn row is a reject, and the rest is kept.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from casework.case import Reject, literal
from casework.errors import CaseworkError
from casework.importers._map_file import is_timezone
from casework.importers._records import Record
from casework.importers._shape import mapping, parsed
from casework.importers._source import BROKEN_COMPRESSION, Source, storable
from casework.importers._staging import Staging, check_names, stage, unreadable
from casework.importers._zip import MAX_RATIO, MAX_TOTAL
from casework.words import count

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_DELIMITERS = (",", "\t", ";", "|")
_LINE_BYTES = 16 * 2**20
_HEADER_BYTES = 2**16
_CHUNK = 2**20
_SHOWN = 16_000


def plain(source: Source, folder: str) -> Source:
    """The source without its compression, under a name in the folder if need be.

    DuckDB reads compressed files itself, but takes one that is cut off or damaged for whole. It
    takes no path that is not UTF-8.

    Raises:
        CaseworkError: SOURCE_UNREADABLE, it grows beyond all measure.
    """
    path = Path(folder, "plain")
    if source.compression is None:
        if storable(str(source.path)) == str(source.path):
            return source
        path.symlink_to(source.path.absolute())
        return replace(source, path=path)
    most = max(MAX_TOTAL, MAX_RATIO * source.path.stat().st_size)
    with source.open() as packed, path.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            if file.tell() > most:
                raise unreadable(source, f"it holds more than {most:,} bytes")
            file.write(chunk)
    return replace(source, path=path)


def csv_relation(source: Source) -> tuple[str, list[str]]:
    """FROM clause that reads a CSV file strictly, all columns as text; and their names.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    header, delimiter = _header(source)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    relation = (
        f"read_csv($path, auto_detect = false, header = true, delim = {literal(delimiter)}, "
        f"quote = '\"', escape = '\"', compression = 'none', columns = {{{columns}}}, "
        f"strict_mode = true, null_padding = false, max_line_size = {_LINE_BYTES}, "
        "hive_partitioning = false)"
    )
    return relation, header


def stage_csv(source: Source, folder: str, header_rows: int = 1) -> Staging:
    """Stage the whole rows of a CSV file below its header; torn ones are rejects.

    The first row of the header has no number; those below it have one, and are no rows.
    """
    header, delimiter = _header(source, header_rows)
    found = _records(source, header, delimiter)
    above = {f"row {number}" for number in range(1, header_rows)}
    if above:
        found = (one for one in found if one.locator not in above)
    return stage(source, folder, found, header)


def csv_records(source: Source) -> Iterator[Record | Reject]:
    """Yield the rows of a CSV file with all values as text; a torn row is a reject.

    The first column may bear no name, as the index that pandas writes.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    header, delimiter = _first_line(source)
    if len(set(header)) < len(header):
        raise unreadable(source, "two columns have one name")
    try:
        for found in _records(source, header, delimiter):
            if isinstance(found, Record):
                found.values.pop("", None)
            yield found
    except BROKEN_COMPRESSION as error:
        raise unreadable(source, f"cannot be read: {error}") from error


def csv_names(source: Source) -> list[str]:
    """Names of the columns of a CSV file; none where it is no text."""
    try:
        return _first_line(source)[0]
    except CaseworkError:
        return []


def csv_below(source: Source) -> dict[str, str]:
    """What the second row of a header says of each column.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    header, delimiter = _header(source, header_rows=2)
    return dict(zip(header, _second_line(source, delimiter), strict=False))


def csv_zones(source: Source, header_rows: int) -> dict[str, str]:
    """The zone of the instants of a column, where a header of several rows names it.

    So Qualtrics writes, `{"ImportId":"endDate","timeZone":"America/Denver"}`.

    Raises:
        CaseworkError: SOURCE_UNREADABLE.
    """
    header, delimiter = _header(source, header_rows)
    told = ((name, mapping(parsed(text)).get("timeZone"))
            for row in _below(source, delimiter, header_rows - 1)
            for name, text in zip(header, row, strict=False))  # fmt: skip
    return {name: zone for name, zone in told if isinstance(zone, str) and is_timezone(zone)}


def _header(source: Source, header_rows: int = 1) -> tuple[list[str], str]:
    header, delimiter = _first_line(source)
    if header_rows > 1:
        header = _named_by_two(header, _second_line(source, delimiter))
    if not header or not all(map(str.strip, header)):
        raise unreadable(source, "the first line does not name all columns")
    check_names(source, header)
    return header, delimiter


def _first_line(source: Source) -> tuple[list[str], str]:
    """The names in the first record, and what is between them."""
    head = source.head()
    if b"\0" in head.split(b"\n")[0]:
        raise unreadable(source, "not UTF-8 text, but perhaps UTF-16")
    text = head.decode("utf-8-sig", "backslashreplace")
    unquoted, *ended = re.split(r"[\r\n]", _QUOTED.sub("", text), maxsplit=1)
    if len(head) >= _HEADER_BYTES and not ended:
        raise unreadable(source, f"its first line has more than {_HEADER_BYTES >> 10} KiB")
    delimiter = max(_DELIMITERS, key=unquoted.count)
    return _stripped(_first_record(text, delimiter)), delimiter


def _stripped(names: list[str]) -> list[str]:
    """The names without blanks around them, but for those that would then be the same."""
    counts = Counter(name.strip().lower() for name in names)
    return [name.strip() if counts[name.strip().lower()] == 1 else name for name in names]


def _second_line(source: Source, delimiter: str) -> list[str]:
    return next(iter(_below(source, delimiter, 1)), [])


def _below(source: Source, delimiter: str, most: int) -> list[list[str]]:
    """So many records below the first, as far as the head goes."""
    text = source.head().decode("utf-8-sig", "backslashreplace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        is_one = len(next(reader, [])) == 1
        return list(islice((row for row in reader if row or is_one), most))  # a blank is no row
    except csv.Error:
        return []


def _named_by_two(first: list[str], second: list[str]) -> list[str]:
    """Names of columns of which a question has several, and its name in the first of them alone.

    Such a column is named by the question and what stands below; of equal names the later ones
    have their number.
    """
    question = ""
    names: dict[str, str] = {}
    for position, name in enumerate(first):
        below = second[position].strip() if position < len(second) else ""
        if name.strip():
            full = question = name.strip()
        else:
            full = " / ".join(filter(None, (question, below)))
        while not full or full.lower() in names:
            full = f"{full} (column {position + 1})".strip()
        names[full.lower()] = full
    return list(names.values())


def _first_record(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _records(source: Source, header: list[str], delimiter: str) -> Iterator[Record | Reject]:
    csv.field_size_limit(_LINE_BYTES)
    with source.open() as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        lines = _Remembered(text)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            next(rows)
        except (StopIteration, csv.Error):
            raise unreadable(source, "the first line does not name all columns") from None
        number = 0
        while True:
            lines.taken.clear()
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield _torn(number, str(error), lines)
                continue
            if not row and len(header) > 1:
                continue  # a blank line
            number += 1
            row = row or [""]
            if len(row) != len(header):
                what = f"{count(len(row), 'values')} for {count(len(header), 'columns')}"
                yield _torn(number, what, lines)
            elif not _is_utf_8(row):
                yield _torn(number, "not UTF-8", lines)._replace(code="ENCODING")
            else:
                values = {name: value or None for name, value in zip(header, row, strict=True)}
                yield Record(f"row {number}", values)


def _is_utf_8(row: list[str]) -> bool:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True


def _torn(number: int, what: str, lines: "_Remembered") -> Reject:
    raw = "".join(lines.taken)[:_SHOWN].rstrip("\r\n")
    return Reject(f"row {number}", "TORN", what, raw)


class _Remembered:
    """The lines of a text, and those that were taken since `taken` was last cleared."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self.taken.append(line)
        return line
