"""JSON from strangers as records: one value a file, a list of objects, or an object a line."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers import _json_document
from casework.importers._json_document import MAX_DEPTH, Fault, has_constants, is_too_deep
from casework.importers._json_stream import Document, documents, lines
from casework.importers._source import BROKEN_COMPRESSION, Source

MAX_BYTES = 512 << 20
_SHOWN_BYTES = 16_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KEY = re.compile(rb'"\s*:')

_decode = msgspec.json.Decoder().decode
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Record(NamedTuple):
    """A good record: where it is, its values, and its text as it stands, if any."""

    locator: str
    values: dict[str, Any]
    raw: str | None = None


def read_document(source: Source) -> _json_document.Document:
    """Read a file that holds one JSON value, decompressed, of at most 512 MiB.

    Raises:
        CaseworkError: JSON_TOO_LONG, COMPRESSION, JSON_ENCODING, JSON_DEPTH.
    """
    return _json_document.document(_whole(source, "export it in parts"), source.name)


def read_object(source: Source) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        CaseworkError: those of `read_document`; JSON where it is no object.
    """
    value = read_document(source).value()
    if not isinstance(value, dict):
        fix = "ask for the file as the tool wrote it"
        raise CaseworkError("JSON", "not one object", fix, where=source.name)
    return value


def records(source: Source, *, constants: bool = False) -> Iterator[Record | Reject]:
    """Yield the objects of a JSON array, or of JSON Lines; what is no object is a `Reject`.

    Locators are `/3` in an array, and `line 3` otherwise. A pretty-printed object is one record.

    Args:
        source: the file.
        constants: whether NaN and Infinity are numbers, as evaluation tools write them; else an
            object that holds one is a reject.

    Raises:
        CaseworkError: COMPRESSION, JSON_TOO_LONG; JSON, an array that is torn.
    """
    is_array = source.head().removeprefix(_BYTE_ORDER_MARK).lstrip()[:1] == b"["
    if is_array:
        yield from _array(source, constants)
        return
    try:
        with source.open() as file:
            for found in documents(file):
                yield from _lines(found, constants)
    except BROKEN_COMPRESSION as error:
        raise source.broken(error) from error


def _lines(found: Document, constants: bool) -> Iterator[Record | Reject]:
    """The record of a document; where it is not one, its lines, if the first is one by itself.

    Lines within a torn document that takes many may be objects too, and are no records: but not two
    in a row, between which no comma is.
    """
    record = _record(f"line {found.line}", found.data, found.overlong, constants)
    if isinstance(record, Record) or found.overlong:
        yield record
        return
    parts = [
        _record(f"line {line.line}", line.data, line.overlong, constants) for line in lines(found)
    ]
    good = [isinstance(part, Record) for part in parts]
    opens_many = found.data.lstrip().startswith(b"{") and not good[0]
    if any(map(all, pairwise(good))) or (any(good) and not opens_many):
        yield from parts
    else:
        yield record  # a document over many lines that is torn is one fault, not many


def _array(source: Source, constants: bool) -> Iterator[Record | Reject]:
    data = _whole(source, "export it as JSON Lines").removeprefix(_BYTE_ORDER_MARK)
    try:
        for index, element in enumerate(_split(data)):
            yield _record(f"/{index}", bytes(element), overlong=False, constants=constants)
        return
    except (msgspec.DecodeError, RecursionError) as error:
        if not (constants and has_constants(data)):
            what, fix = str(error), "see that the file is whole"
            raise CaseworkError("JSON", what, fix, where=source.name) from None
    for locator, value in _json_document.document(data, source.name).elements():
        if isinstance(value, Fault):
            yield Reject(locator, value.error.code, value.error.what, value.raw)
        elif isinstance(value, dict):
            yield Record(locator, value, _text(value))
        else:
            yield Reject(locator, "JSON", "not an object", _text(value))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:_SHOWN_BYTES]


def _record(locator: str, data: bytes, overlong: bool, constants: bool) -> Record | Reject:
    data = data.strip()
    if overlong:
        return Reject(locator, "JSON_TOO_LONG", "longer than is read", _shown(data))
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and is_too_deep(data):
        reason = f"nested deeper than {MAX_DEPTH} levels"
        return Reject(locator, "JSON_DEPTH", reason, _shown(data))
    try:
        values = _values(data, constants)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Reject(locator, "JSON", str(error), _shown(data))
    except CaseworkError as error:
        return Reject(locator, error.code, error.what, _shown(data))
    if not isinstance(values, dict):
        return Reject(locator, "JSON", "not an object", _shown(data))
    return Record(locator, values, data.decode("utf-8"))


def _values(data: bytes, constants: bool) -> Any:
    try:
        values = _decode(data)
    except msgspec.DecodeError:
        if not (constants and has_constants(data)):
            raise
        return _json_document.document(data, "").value()
    if isinstance(values, dict) and _may_repeat_a_key(data, values):
        _json_document.document(data, "").value()
    return values


def _may_repeat_a_key(data: bytes, values: dict[str, Any]) -> bool:
    """Whether the text has more keys than the values that came of it, which is quick to tell."""
    most = len(_KEY.findall(data))
    return most > len(values) and most > _keys(values)


def _keys(value: dict[str, Any] | list[Any]) -> int:
    own, inner = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    return own + sum(_keys(one) for one in inner if isinstance(one, dict | list))


def _whole(source: Source, fix: str) -> bytes:
    data = source.read(MAX_BYTES)
    if len(data) > MAX_BYTES:
        what = f"one JSON value of more than {MAX_BYTES >> 20} MiB"
        raise CaseworkError("JSON_TOO_LONG", what, fix, where=source.name)
    return data


def _shown(data: bytes) -> str:
    return data[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
