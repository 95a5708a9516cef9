"""A stream of JSON documents, cut into documents without holding the stream in memory.

JSON Lines has one document a line; a pretty-printed document takes many. Both are cut where a
line begins with `{` in its first column, which inside a document happens only where it is not
indented. A stream that begins with `[` is one document.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

LINE_BYTES = 16 * 2**20
DOCUMENT_BYTES = 128 * 2**20
_BLOCK_BYTES = 4 * 2**20
_SHOWN_BYTES = 4_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BOUNDARY = b"\n{"


class Chunk(NamedTuple):
    """Whole documents that follow each other, and the line on which the first one begins.

    `overlong` chunks hold only the beginning of one document that is longer than is read.
    """

    line: int
    data: bytes
    overlong: bool = False


class Document(NamedTuple):
    """One document, and the line on which it begins, counted from 1."""

    line: int
    data: bytes
    overlong: bool = False


def chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """Cut a stream into chunks of some megabytes, each of which can be read by itself.

    A line of more than 16 MiB, or a document of more than 128 MiB over several lines, comes as
    an overlong chunk and is passed over; so is all that follows it in a stream that is one array.
    """
    data = stream.read(_BLOCK_BYTES).removeprefix(_BYTE_ORDER_MARK)
    array = data.lstrip().startswith(b"[")
    line, searched = 1, 0
    while True:
        cut = 0 if array else data.rfind(_BOUNDARY, searched) + 1
        if cut:
            yield Chunk(line, data[:cut])
            line += data.count(b"\n", 0, cut)
            data = data[cut:]
        elif _is_overlong(data):
            yield Chunk(line, data[:_SHOWN_BYTES], overlong=True)
            line, data = (line, b"") if array else _pass_over(stream, line, data)
            if not data:
                return
        searched = max(0, len(data) - 1)
        block = stream.read(max(_BLOCK_BYTES, len(data)))
        if not block:
            yield Chunk(line, data, _is_overlong(data))
            return
        data += block


def documents(chunk: Chunk) -> Iterator[Document]:
    """Yield the documents of a chunk that are not blank."""
    data, line, start = chunk.data, chunk.line, 0
    while start < len(data):
        end = data.find(_BOUNDARY, start) + 1 or len(data)
        document = data[start:end]
        if document[:1].isspace():
            begun = document.lstrip()
            line += document.count(b"\n", 0, len(document) - len(begun))
            document = begun
        if document:
            yield Document(line, document, chunk.overlong or _is_overlong(document))
        line += document.count(b"\n")
        start = end


def lines(document: Document) -> Iterator[Document]:
    """Yield the lines of a document that are not blank, each as a document of its own."""
    for offset, line in enumerate(document.data.split(b"\n")):
        if line.strip():
            yield Document(document.line + offset, line, _is_overlong(line))


def _is_overlong(data: bytes) -> bool:
    first_line = data.find(b"\n", 0, LINE_BYTES + 1)
    return len(data) > (LINE_BYTES if first_line < 0 else DOCUMENT_BYTES)


def _pass_over(stream: BinaryIO, line: int, data: bytes) -> tuple[int, bytes]:
    """Read on to where the next document begins; return its line and what was read of it."""
    while (found := data.find(_BOUNDARY)) < 0:
        line += data.count(b"\n", 0, len(data) - 1)
        block = stream.read(_BLOCK_BYTES)
        if not block:
            return line, b""
        data = data[-1:] + block
    return line + data.count(b"\n", 0, found + 1), data[found + 1 :]
