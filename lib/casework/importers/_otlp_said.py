"""Messages that stand in log records, gathered before the spans of the same source are read.

A log record may stand before or after its span. To join the two whichever comes first, a source
with log records is read twice, and their messages are held in memory meanwhile.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from operator import attrgetter
from typing import BinaryIO

import msgspec

from casework.importers._json_stream import Document, documents, lines
from casework.importers._otlp import Fault, Found, LogRecord, Request, decode_request, log_records
from casework.importers._otlp_events import Said, event_of, is_message, said_in
from casework.importers._otlp_frames import Message, messages
from casework.importers._otlp_protobuf import decode_message, is_of_spans
from casework.importers._otlp_tree import elements, one_by_one
from casework.importers._source import Source

MOST_CALLS = 200_000
_CHUNK = 1 << 20
_MARK = b'ecords"'  # of logRecords and log_records, which one search finds


def said_in_logs(source: Source, is_binary: bool) -> dict[bytes, list[Said]]:
    """Return the messages of log records by the ids of their span, of 200,000 spans at most.

    Those of a span are in the order of their instants. A record that comes again with the same
    instant, as a batch does that is delivered twice, is one message.

    What cannot be read is passed over: the reader of the source rejects it.

    Raises:
        OSError, EOFError, zlib.error, zstandard.ZstdError: the compression is broken.
    """
    said: dict[bytes, list[Said]] = {}
    if not (is_binary or speaks_of_records(source)):
        return said
    with source.open() as file:
        each = messages(file, source.head()) if is_binary else ()
        for at, found in _of_messages(each) if is_binary else _of_documents(file):
            record = found.content
            if not (isinstance(record, LogRecord) and is_message(event_of(record).name)):
                continue
            with suppress(Fault):
                one = said_in(record, found.resource, at + found.pointer)
                if one.ids in said or len(said) < MOST_CALLS:
                    said.setdefault(one.ids, []).append(one)
    return {ids: _in_order(of_span) for ids, of_span in said.items()}


def _in_order(said: list[Said]) -> list[Said]:
    first: dict[bytes | str, Said] = {}
    for one in sorted(said, key=attrgetter("instant")):
        key = msgspec.json.encode(one.event) if one.instant else one.place
        known = first.get(key)
        first[key] = known._replace(repeats=known.repeats + 1) if known else one
    return [*first.values()]


def speaks_of_records(source: Source) -> bool:
    """Whether log records are spoken of anywhere, which is quick to tell."""
    end = b""
    with source.open() as file:
        while chunk := file.read(_CHUNK):
            if _MARK in chunk or _MARK in end + chunk[: len(_MARK)]:
                return True
            end = chunk[-len(_MARK) :]
    return False


def _of_messages(each: Iterable[Message]) -> Iterator[tuple[str, Found]]:
    for message in each:
        at = f"message {message.number}"
        if message.fault:
            continue
        if message.data.startswith(b"{"):
            with suppress(Fault):
                yield from ((at, found) for found in _of_json(message.data))
        elif not is_of_spans(message.data):
            yield from ((at, found) for found in _of_protobuf(message))


def _of_protobuf(message: Message) -> Iterator[Found]:
    with suppress(Fault):
        yield from log_records(decode_message(message.data))


def _of_documents(file: BinaryIO) -> Iterator[tuple[str, Found]]:
    for document in documents(file):
        if _MARK in document.data and not document.overlong:
            yield from _of_document(document)


def _of_document(document: Document) -> Iterator[tuple[str, Found]]:
    at = f"line {document.line}"
    try:
        for pointer, request in elements(document.data):
            with suppress(*((Fault,) if pointer else ())):
                yield from ((at + pointer, found) for found in _of_json(request))
    except Fault:
        each = lines(document)
        for line in each if len(each) > 1 else ():
            yield from _of_document(line)


def _of_json(data: bytes) -> Iterator[Found]:
    """The log records of a request.

    Raises:
        Fault: it is no JSON.
    """
    try:
        request = decode_request(data)
    except (ValueError, RecursionError):
        request = Request()
    if request.resource_logs is None:
        yield from one_by_one(data)
    else:
        yield from log_records(request)
