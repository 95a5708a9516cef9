"""What the loader and the confined reader say to each other: MessagePack, each with its length.

The reader has looked at hostile bytes. Nothing that it says is unpickled or run; what it hands
over is decoded into these types, or refused.
"""

import struct
from typing import Any, BinaryIO

import msgspec

_LENGTH = struct.Struct("<Q")
_MOST_BYTES = 1 << 30


class Ask(msgspec.Struct, frozen=True):
    """Recognise a source, or where an importer is named, read it with that.

    `share` is the first of its pieces to be read, and how many there are to the next.
    """

    path: bytes
    name: str
    importer: str | None = None
    table: str | None = None
    mapping: dict[str, Any] | None = None
    timezone: str | None = None
    share: tuple[int, int] | None = None


class Recognised(msgspec.Struct, frozen=True, tag=True):
    """The importer that knows a source, if one does."""

    importer: str | None


class Rows(msgspec.Struct, frozen=True, tag=True):
    """Rows of one table: locators, and values by column."""

    table: str
    locators: list[str]
    values: list[dict[str, Any]]


class Packed(msgspec.Struct, frozen=True, tag=True):
    """Rows of one table as an Arrow IPC stream."""

    table: str
    stream: memoryview


class Rejected(msgspec.Struct, frozen=True, tag=True):
    """A reject."""

    locator: str
    code: str
    reason: str
    raw: str
    table: str | None


class Piece(msgspec.Struct, frozen=True, tag=True):
    """A piece of a source, as the importer writes it for itself."""

    content: memoryview


class Told(msgspec.Struct, frozen=True, tag=True):
    """A note."""

    text: str


class Counted(msgspec.Struct, frozen=True, tag=True):
    """The account of fields."""

    taken: dict[str, list[str]]
    left_out: dict[str, int]


class Again(msgspec.Struct, frozen=True, tag=True):
    """What was said so far is void: it is said again, read in another way."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The source as a whole cannot be read."""

    code: str
    what: str
    fix: str
    where: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """All has been said."""


Answer = Recognised | Rows | Packed | Piece | Rejected | Told | Counted | Again | Failed | Done

_encode = msgspec.msgpack.Encoder().encode
_ask = msgspec.msgpack.Decoder(Ask).decode
_answer = msgspec.msgpack.Decoder(Answer).decode


def send(stream: BinaryIO, message: Ask | Answer) -> None:
    """Write a message."""
    data = _encode(message)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive_ask(stream: BinaryIO) -> Ask | None:
    """Read a question; None at the end."""
    data = _receive(stream)
    return None if data is None else _ask(data)


def receive_answer(stream: BinaryIO) -> Answer | None:
    """Read an answer; None at the end.

    Raises:
        ValueError: it is none.
    """
    data = _receive(stream)
    return None if data is None else _answer(data)


def _receive(stream: BinaryIO) -> bytes | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > _MOST_BYTES:
        raise ValueError("a message of more than 1 GiB")
    data = stream.read(length)
    return data if len(data) == length else None
