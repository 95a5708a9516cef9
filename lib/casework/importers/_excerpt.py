"""The place in a source file that a locator names, shown as it stands there."""

import csv
import io
import json
from collections.abc import Iterator
from functools import lru_cache
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Any

from casework import canonical
from casework.errors import CaseworkError
from casework.importers._csv_text import _first_line, _Remembered
from casework.importers._json_stream import documents
from casework.importers._kubernetes import MAX_YAML
from casework.importers._source import Source
from casework.importers._yaml import yaml_documents
from casework.records import Exhibit

LONGEST = 4_000
"""Characters of an excerpt; a line of a trace can hold megabytes."""
_LARGEST = 512 << 20
_FAULTS = (CaseworkError, OSError, ValueError, LookupError, TypeError, RecursionError, csv.Error)


def excerpt(exhibit: Exhibit, locator: str, beside: Path) -> str:
    """Return what stands at a locator of an exhibit, cut after 4,000 characters.

    Of a JSON document that takes several lines all are shown, at the line on which it begins. What
    a pointer names in YAML is shown as JSON.

    The file is looked for at the path under which it was loaded, then from the folder `beside`.
    Only bytes whose SHA-256 is that of the exhibit are shown.

    Raises:
        CaseworkError: SOURCE_ABSENT, SOURCE_CHANGED, or NO_EXCERPT where the format or the
            locator has no text to show.
    """
    source = Source(_find(exhibit, beside), exhibit.path)
    place, slash, pointer = locator.partition("/")
    kind, _, number = place.partition(" ")
    try:
        if kind == "line" and number.isdigit():
            line = _line(source, int(number))
            if slash:
                return _cut(_at(_document(source, int(number), line), pointer))
            return _cut(_to_its_end(source, int(number), line))
        if kind == "row" and number.isdigit() and exhibit.format in _ROWS:
            return _cut(_ROWS[exhibit.format](source, int(number)))
        if kind == "document" and number.isdigit():
            document = _of_yaml(source)[int(number) - 1]
            return _cut(_at(document, pointer) if slash else _indented(document))
        if slash and not place:
            return _cut(_at(_only_document(source), pointer))
    except _FAULTS as error:
        raise _none(exhibit, locator) from error
    raise _none(exhibit, locator)


def _none(exhibit: Exhibit, locator: str) -> CaseworkError:
    return CaseworkError(
        "NO_EXCERPT",
        f"{exhibit.format} has no text to show at {locator}",
        "open the source with a tool that reads its format",
        where=exhibit.path,
    )


def _find(exhibit: Exhibit, beside: Path) -> Path:
    places = (Path(exhibit.path), beside / exhibit.path)
    if any(place.is_dir() for place in places):
        raise _none(exhibit, "one place: it is a folder")
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise CaseworkError(
            "SOURCE_ABSENT",
            "the source does not lie where it was loaded from",
            "put it back there, or compare its SHA-256 with another copy",
            where=exhibit.path,
        )
    size, changed = path.stat().st_size, path.stat().st_mtime_ns
    if size != exhibit.bytes or _digest(path, size, changed) != exhibit.sha256:
        raise CaseworkError(
            "SOURCE_CHANGED",
            "the file is not the one that was loaded: its SHA-256 differs",
            "find the file with the SHA-256 of the exhibit",
            where=exhibit.path,
        )
    return path


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    """SHA-256 of a file, computed once for each state of it."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _line(source: Source, number: int) -> str:
    with source.open() as file:
        line = next(islice(file, number - 1, None), None)
    if line is None:
        raise LookupError("there are fewer lines")
    return line.decode("utf-8", "backslashreplace").rstrip()


def _to_its_end(source: Source, number: int, line: str) -> str:
    """A line, with those after it where a JSON document begins on it and goes on."""
    if not line.removeprefix("\ufeff").startswith("{"):
        return line
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        with source.open() as file:
            found = next((one for one in documents(file) if one.line >= number), None)
        if found and found.line == number and not found.overlong:
            return found.data.decode("utf-8", "backslashreplace").rstrip()
    return line


def _csv_row(source: Source, number: int) -> str:
    """The lines of a row, counted as the reader of torn files does; the header is row 0."""
    header, delimiter = _first_line(source)
    with source.open() as raw:
        lines = _Remembered(
            io.TextIOWrapper(raw, encoding="utf-8-sig", errors="backslashreplace", newline="")
        )
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        place = 0
        while place <= number:
            lines.taken.clear()
            row = _next(rows)
            place += bool(row) or len(header) == 1
    return "".join(lines.taken).rstrip("\r\n")


def _next(rows: Iterator[list[str]]) -> list[str]:
    try:
        return next(rows)
    except csv.Error:
        return ["torn"]
    except StopIteration:
        raise LookupError("there are fewer rows") from None


def _parquet_row(source: Source, number: int) -> str:
    """A row as JSON; the first is row 1."""
    from pyarrow.parquet import ParquetFile

    rest = number - 1
    with source.path.open("rb") as raw, ParquetFile(raw) as file:
        for group in range(file.num_row_groups):
            held = file.metadata.row_group(group).num_rows
            if rest < held:
                row = file.read_row_group(group).slice(rest, 1).to_pylist()[0]
                return _indented(canonical.plain(row))
            rest -= held
    raise LookupError(number)


_ROWS = {"csv": _csv_row, "parquet": _parquet_row}


def _only_document(source: Source) -> Any:
    """The one document of a file, JSON or YAML."""
    with source.open() as file:
        data = file.read(_LARGEST)
    try:
        return json.loads(data)
    except ValueError:
        (document,) = _of_yaml(source)
        return document


def _of_yaml(source: Source) -> Any:
    """The documents of a YAML file, with what JSON has no form for as text."""
    return canonical.plain(yaml_documents(source.read(MAX_YAML), source.name, MAX_YAML))


def _document(source: Source, number: int, line: str) -> Any:
    """The JSON document that begins on a line and may go on over others."""
    try:
        return json.loads(line)
    except ValueError:
        with source.open() as file:
            rest = b"".join(islice(file, number - 1, None))[:_LARGEST].decode("utf-8-sig")
        return json.JSONDecoder().raw_decode(rest.lstrip())[0]


def _at(value: Any, pointer: str) -> str:
    """What a JSON pointer without its first slash names, indented; RFC 6901."""
    for part in pointer.split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return _indented(value)


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cut(text: str) -> str:
    rest = len(text) - LONGEST
    return text if rest <= 0 else f"{text[:LONGEST]}… ({rest:,} characters more)"
