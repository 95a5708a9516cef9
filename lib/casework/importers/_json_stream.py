"""A stream of JSON documents, taken one by one without holding the stream in memory.

JSON Lines has one document a line; a pretty-printed document takes many. In both a document begins
where a line has `{` in its first column, which within a document happens only where it is not
indented. A stream that begins with `[` is one document.
"""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple, cast

LINE_BYTES = 16 * 2**20
DOCUMENT_BYTES = 128 * 2**20
_BUFFER_BYTES = 2**20
_RUN_BYTES = 4 * 2**20
_SHOWN_BYTES = 4_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Document(NamedTuple):
    """One document, and the line on which it begins, counted from 1.

    Of an overlong document only the beginning is there.
    """

    line: int
    data: bytes
    overlong: bool = False


def documents(stream: BinaryIO) -> Iterator[Document]:
    """Yield the documents of a stream that are not blank.

    A line of more than 16 MiB, or a document of more than 128 MiB over several lines, comes as
    an overlong document, and the rest of it is passed over.
    """
    parts: list[bytes] = []
    begun, size, overlong, is_array = 0, 0, False, False
    for number, (line, cut) in enumerate(bounded_lines(stream), start=1):
        if parts and line.startswith(b"{") and not is_array:
            yield Document(begun, b"".join(parts), overlong)
            parts = []
        if not parts:
            if line.isspace():
                continue
            is_array = not begun and line.lstrip().startswith(b"[")
            begun, size, overlong = number, 0, False
        size += len(line)
        overlong = overlong or cut or size > DOCUMENT_BYTES
        if not (overlong and parts):
            parts.append(line)
        elif len(parts) > 1:
            parts = [parts[0][:_SHOWN_BYTES]]
    if parts:
        yield Document(begun, b"".join(parts), overlong)


def runs(found: Iterable[Document]) -> Iterator[list[Document]]:
    """Yield documents in runs of about 4 MiB, each a piece of work by itself."""
    run: list[Document] = []
    size = 0
    for document in found:
        run.append(document)
        size += len(document.data)
        if size >= _RUN_BYTES:
            yield run
            run, size = [], 0
    if run:
        yield run


def lines(document: Document) -> list[Document]:
    """Return the lines of a document that are not blank, each as a document of its own."""
    return [
        Document(document.line + offset, line)
        for offset, line in enumerate(document.data.split(b"\n"))
        if line.strip()
    ]


def bounded_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of a stream, and whether a line was cut because it is too long."""
    with io.BufferedReader(cast(io.RawIOBase, stream), _BUFFER_BYTES) as reader:
        most = LINE_BYTES + 1 + len(_BYTE_ORDER_MARK)
        line = reader.readline(most).removeprefix(_BYTE_ORDER_MARK)
        while line:
            cut = len(line) > LINE_BYTES and not line.endswith(b"\n")
            if cut:
                line = line[:_SHOWN_BYTES]
                while (rest := reader.readline(LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
            yield line, cut
            line = reader.readline(LINE_BYTES + 1)
