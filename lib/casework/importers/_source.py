"""A source of evidence as it lies on disk: a file, or a folder that is one export."""

import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

from casework.errors import CaseworkError
from casework.importers._json_document import Document, first_entries
from casework.importers._json_stream import documents

_HEAD_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
BROKEN_COMPRESSION = (OSError, EOFError, ValueError, zlib.error)
"""What reading a file with broken compression raises."""
NEVER_IN_TEXT = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")
"""Characters that no text has."""
_CHUNK = 1 << 17
_PACKED = 1 << 10  # a KiB of Zstandard can hold 32 MiB, which come at once
_MAX_WINDOW = 1 << 27
_AS_DATED = " (as its archive dates it, else of the archive)"


def storable(path: str) -> str:
    """Write the bytes of a file name that are not UTF-8 as escapes, since no text can hold them."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Source:
    """One source. `name` is how it is shown and cited; `files` are the members of a folder.

    `refusal` is set where the source was found but must not be opened.
    """

    path: Path
    name: str
    files: tuple[Path, ...] = field(default=())
    refusal: CaseworkError | None = None

    @property
    def compression(self) -> str | None:
        """`gzip`, `zstd` or None, by the first bytes and not by the name."""
        with self.path.open("rb") as file:
            magic = file.read(4)
        if magic.startswith(_GZIP):
            return "gzip"
        return "zstd" if magic == _ZSTD else None

    def open(self) -> BinaryIO:
        """Open the bytes, decompressed. Reading what is cut off or damaged raises an error.

        It is one of `BROKEN_COMPRESSION`.
        """
        match self.compression:
            case "gzip":
                return cast(BinaryIO, gzip.open(self.path, "rb"))
            case "zstd":
                return cast(BinaryIO, io.BufferedReader(_Zstandard(self.path), _CHUNK))
            case _:
                return self.path.open("rb")

    def broken(self, error: Exception) -> CaseworkError:
        """What to say where reading its bytes raised one of `BROKEN_COMPRESSION`."""
        what, fix = f"cannot be read: {error}", "ask for the file again"
        return CaseworkError("COMPRESSION", what, fix, where=self.name)

    def read(self, most: int) -> bytes:
        """Its bytes, of one that has more than `most` so many and one more.

        Raises:
            CaseworkError: COMPRESSION.
        """
        try:
            with self.open() as file:
                return file.read(most + 1)
        except BROKEN_COMPRESSION as error:
            raise self.broken(error) from error

    def head(self) -> bytes:
        """The first 64 KiB, decompressed, or what comes before a break; empty for a folder."""
        return self._head

    @property
    def breaks(self) -> bool:
        """Whether the compression is broken within the head."""
        return self._beginning[1]

    @property
    def first_object(self) -> Mapping[str, Any]:
        """Entries of the first JSON object of the head: of a list the first, of lines the first.

        An entry whose value is cut off is None. Empty where there is no JSON object.
        """
        return self._first_object

    def first_objects(self) -> Iterator[Mapping[str, Any]]:
        """The JSON objects of the head, those of a list or of lines, as far as they go."""
        yield self.first_object
        head = self._head.decode("utf-8-sig", "replace")
        if not head.lstrip().startswith("["):
            yield from (first_entries(one.data) for one in documents(io.BytesIO(self._head)))
            return
        with suppress(CaseworkError):  # where the head ends
            yield from (one for _, one in Document(head, "").elements() if isinstance(one, Mapping))

    def within(self, key: str) -> Mapping[str, Any]:
        """Entries of the object under a key of the first object, or of the first in its list.

        There where the head is cut off within it: an export is recognised by how it begins.
        """
        value = self.first_object.get(key)
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, Mapping):
            return value
        begun = re.search(rb'"%s"\s*:\s*\[?\s*(?=\{)' % re.escape(key.encode()), self._head)
        is_cut = key in self.first_object and value is None and begun
        return first_entries(self._head[begun.end() :]) if begun and is_cut else {}

    @cached_property
    def _first_object(self) -> Mapping[str, Any]:
        for document in documents(io.BytesIO(self._head)):
            return first_entries(document.data.lstrip().removeprefix(b"["))
        return {}

    @property
    def _head(self) -> bytes:
        return self._beginning[0]

    @cached_property
    def _beginning(self) -> tuple[bytes, bool]:
        """The head, and whether it breaks off."""
        head = b""
        if self.path.is_dir():
            return head, False
        try:
            with self.open() as file:
                part_of = cast(io.BufferedReader, file).read1
                while len(head) < _HEAD_BYTES and (part := part_of(_HEAD_BYTES - len(head))):
                    head += part
        except BROKEN_COMPRESSION:
            return head, self.path.exists()
        return head, False

    @property
    def changed_at(self) -> datetime:
        """When the file was last written, as its folder or its archive says.

        The content was as it is at this instant, whatever was true before; a copy may be later.
        A member that its archive does not date has the date of the archive. ZIP archives seldom
        name a zone: their dates are read as UTC, and may be hours early or late.
        """
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    @property
    def changed_by(self) -> str:
        """What `changed_at` is, in words."""
        is_member = "!/" in self.name
        return f"the last change of the file{_AS_DATED if is_member else ''}"

    @property
    def bare_name(self) -> str:
        """File name without folders and without the suffix of its compression."""
        name = self.name.rsplit("/", 1)[-1]
        for suffix in (".gz", ".zst", ".zstd"):
            name = name.removesuffix(suffix)
        return name

    @property
    def folder(self) -> str:
        """The name of the folder that a file lies in, however its path was written."""
        shown = self.name.rpartition("/")[0].rpartition("/")[2]
        if shown in ("", ".", ".."):
            return storable(Path(os.path.abspath(self.path)).parent.name)
        return shown


class _Zstandard(io.RawIOBase):
    """The content of a Zstandard file of any number of frames.

    The readers of the library take a file that is cut off within a frame for one that ends there.
    """

    def __init__(self, path: Path) -> None:
        import zstandard

        self._file = path.open("rb")
        self._context = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        self._frame = self._context.decompressobj()
        self._packed, self._unpacked = b"", memoryview(b"")
        self._is_within = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._unpacked:
            self._packed = self._packed or self._file.read(_PACKED)
            if not self._packed:
                if self._is_within:
                    raise EOFError("the file ends within a Zstandard frame")
                return 0
            if self._frame.eof:
                self._frame = self._context.decompressobj()
            self._unpacked = memoryview(self._decompress())
            self._is_within = not self._frame.eof
            self._packed = self._frame.unused_data
        count = min(len(buffer), len(self._unpacked))
        buffer[:count] = self._unpacked[:count]
        self._unpacked = self._unpacked[count:]
        return count

    def _decompress(self) -> bytes:
        from zstandard import ZstdError

        try:
            return self._frame.decompress(self._packed)
        except ZstdError as error:
            raise OSError(str(error)) from None
