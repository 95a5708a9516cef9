"""Messages of a binary OTLP file, taken one by one without holding the file in memory.

The file exporter of the collector puts the length before every message, four bytes with the
highest first, where it writes protobuf or compresses; with its own compression each message is a
Zstandard frame by itself. A file without lengths is one message.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from casework.importers._json_stream import DOCUMENT_BYTES
from casework.importers._otlp import Fault
from casework.importers._source import NEVER_IN_TEXT

_LENGTH_BYTES = 4
_ZSTD = b"\x28\xb5\x2f\xfd"
_REPEATED_MESSAGE = b"\x0a"  # field 1 of all export requests: a tag, a length, and then a message
_SHOWN_BYTES = 4_000
_MAX_WINDOW = 1 << 27


class Message(NamedTuple):
    """One message, counted from 1, decompressed; or why there is none, with its beginning."""

    number: int
    data: bytes
    fault: Fault | None = None


def may_be_messages(head: bytes) -> bool:
    """Whether a file that begins so can hold messages; the sign of one is a line feed in text."""
    is_message = head.startswith(_REPEATED_MESSAGE) or _is_framed(head)
    return is_message and not NEVER_IN_TEXT.isdisjoint(head)


def messages(stream: BinaryIO, head: bytes) -> Iterator[Message]:
    """Yield the messages of a stream that are not empty.

    One of more than 128 MiB comes with a fault, and so does one that the end of the file cuts off.

    Args:
        stream: the file, decompressed.
        head: how it begins.
    """
    with io.BufferedReader(cast(io.RawIOBase, stream)) as reader:
        if not _is_framed(head):
            yield _whole(1, reader.read(DOCUMENT_BYTES + 1))
            return
        number = 0
        while said := reader.read(_LENGTH_BYTES):
            number += 1
            length = int.from_bytes(said, "big")
            if length > DOCUMENT_BYTES:
                yield _too_long(number, reader.read(_SHOWN_BYTES))
                _pass_over(reader, length - _SHOWN_BYTES)
                continue
            data = reader.read(length)
            if len(said) < _LENGTH_BYTES or len(data) < length:
                fault = Fault("PROTOBUF_CUT", "the file ends within the message")
                yield Message(number, data[:_SHOWN_BYTES], fault)
            elif data:
                yield _whole(number, data)


def _is_framed(head: bytes) -> bool:
    length, begun = int.from_bytes(head[:_LENGTH_BYTES], "big"), head[_LENGTH_BYTES:]
    is_message = begun.startswith((_REPEATED_MESSAGE, _ZSTD))
    return length <= DOCUMENT_BYTES and is_message and not head.startswith(_REPEATED_MESSAGE)


def _whole(number: int, data: bytes) -> Message:
    if data.startswith(_ZSTD):
        try:
            data = _decompressed(data)
        except Fault as fault:
            return Message(number, data[:_SHOWN_BYTES], fault)
    return _too_long(number, data) if len(data) > DOCUMENT_BYTES else Message(number, data)


def _too_long(number: int, data: bytes) -> Message:
    fault = Fault("PROTOBUF_TOO_LONG", "a message of more than 128 MiB")
    return Message(number, data[:_SHOWN_BYTES], fault)


def _decompressed(data: bytes) -> bytes:
    """Decompress a frame, or of a long one the first 128 MiB and one byte.

    Raises:
        Fault: COMPRESSION.
    """
    import zstandard

    try:
        size = zstandard.get_frame_parameters(data).content_size
        reader = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(data)
        found = reader.read(DOCUMENT_BYTES + 1)
    except zstandard.ZstdError as error:
        raise Fault("COMPRESSION", f"cannot be read: {error}") from error
    is_known = size != zstandard.CONTENTSIZE_UNKNOWN
    if is_known and len(found) < min(size, DOCUMENT_BYTES + 1):
        raise Fault("COMPRESSION", "the message ends within a Zstandard frame")
    return found


def _pass_over(reader: BinaryIO, length: int) -> None:
    while length > 0 and (read := reader.read(min(length, 1 << 20))):
        length -= len(read)
