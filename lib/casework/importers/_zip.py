"""Zip archives from strangers: every control before the first byte, every byte counted after.

Nothing is unpacked by the archive's own names; members are read one by one. Python's `zipfile`
reads the directory only: it knows no Zstandard (method 93) before Python 3.14, checks no overlaps,
and silently takes the last of two members of one name.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from stat import S_ISLNK
from typing import BinaryIO, Self, cast

from casework.errors import CaseworkError
from casework.importers._zip_time import modified

MAX_MEMBERS = 200_000
MAX_MEMBER = 512 << 20
MAX_TOTAL = 8 << 30
MAX_RATIO = 200
_MAX_WINDOW = 1 << 27

_STORED, _DEFLATED, _ZSTANDARD = 0, 8, 93
# Sizes from which the ratio counts. Zstandard sees far enough back to pack the log of a long
# conversation, which repeats itself at every turn, to a three-hundredth.
_RATIO_FROM = {_STORED: 0, _DEFLATED: 1 << 20, _ZSTANDARD: 64 << 20}
_ENCRYPTED = 0x1
_UTF8 = 0x800
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_CHUNK = 1 << 16

# What the standard library lets through from a damaged directory.
_DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    RuntimeError,
    EOFError,
    LookupError,
    OverflowError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the archive: name, size unpacked, where it lies packed, when it was changed."""

    name: str
    bytes: int
    packed_bytes: int
    offset: int
    method: int
    crc: int
    modified: datetime | None


class Archive:
    """An archive that passed the controls, as a context manager. Made by `open_archive`."""

    def __init__(self, file: BinaryIO, where: str, members: tuple[Member, ...]) -> None:
        self.members = members
        self._file = file
        self._where = where

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, member: Member, cap: int = MAX_MEMBER) -> bytes:
        """Return the bytes of a member of at most `cap` bytes.

        Raises:
            CaseworkError: ZIP_MEMBER_TOO_LARGE, ZIP_BROKEN.
        """
        if member.bytes > cap:
            raise refusal("ZIP_MEMBER_TOO_LARGE", f"holds {member.bytes:,} bytes", self._at(member))
        return b"".join(self.chunks(member))

    def stream(self, member: Member, out_file: BinaryIO) -> int:
        """Write the bytes of a member to an open file; return how many.

        Raises:
            CaseworkError: ZIP_MEMBER_TOO_LARGE, ZIP_BROKEN.
        """
        return sum(out_file.write(chunk) for chunk in self.chunks(member))

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of a member, never more than the directory declares.

        Raises:
            CaseworkError: ZIP_MEMBER_TOO_LARGE, ZIP_BROKEN.
        """
        count = crc = 0
        for chunk in self._unpacked(member):
            count += len(chunk)
            if count > member.bytes:
                what = f"holds more bytes than the {member.bytes:,} that it declares"
                raise refusal("ZIP_MEMBER_TOO_LARGE", what, self._at(member))
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if (count, crc) != (member.bytes, member.crc):
            raise refusal("ZIP_BROKEN", "its bytes do not match their checksum", self._at(member))

    def _unpacked(self, member: Member) -> Iterator[bytes]:
        import zstandard

        packed = _Packed(self._file, member.offset, member.packed_bytes)
        try:
            if member.method == _STORED:
                yield from iter(packed.read, b"")
            elif member.method == _DEFLATED:
                yield from _inflate(packed)
            else:
                decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
                # A large member is several frames: Inspect starts a new one every 200 MiB.
                reader = decompressor.stream_reader(cast(BinaryIO, packed), read_across_frames=True)
                yield from iter(lambda: reader.read(_CHUNK), b"")
        except (zlib.error, zstandard.ZstdError) as error:
            raise refusal("ZIP_BROKEN", f"cannot be unpacked: {error}", self._at(member)) from error

    def _at(self, member: Member) -> str:
        return f"{self._where}:{member.name}"


def open_archive(path: Path, name: str = "", *, repeatable: str | None = None) -> Archive:
    """Open a zip archive after checking every name, size and place in its directory.

    Args:
        path: the file.
        name: how it is cited in errors.
        repeatable: a prefix of names that may be repeated, where a format appends a newer copy
            of a member under the same name, and makes names of ids, which hold any text; by
            default none may. An archive with such names is read by member and not laid out.

    Raises:
        CaseworkError: ZIP_BROKEN, ZIP_TOO_MANY_MEMBERS, ZIP_UNSAFE_NAME, ZIP_DUPLICATE_NAME,
            ZIP_ENCRYPTED, ZIP_SYMLINK, ZIP_METHOD, ZIP_MEMBER_TOO_LARGE, ZIP_RATIO,
            ZIP_TOTAL_TOO_LARGE, ZIP_OVERLAP.
    """
    where = name or path.name
    file = path.open("rb")
    try:
        try:
            with zipfile.ZipFile(file) as directory:
                infos, end = directory.infolist(), directory.start_dir
        except _DAMAGE as error:
            raise refusal("ZIP_BROKEN", f"no readable zip archive: {error}", where) from error
        _check_names(infos, where, repeatable)
        _check_sizes(infos, where)
        members = [_locate(file, info, where) for info in infos]
        _check_overlap(members, infos, end, where)
    except BaseException:
        file.close()
        raise
    return Archive(file, where, tuple(m for m in members if not m.name.endswith("/")))


def archive_names(path: Path) -> frozenset[str]:
    """Names in the directory of an archive, unchecked; none where there is no archive."""
    try:
        with zipfile.ZipFile(path) as directory:
            return frozenset(directory.namelist())
    except (OSError, *_DAMAGE):
        return frozenset()


def refusal(code: str, what: str, where: str) -> CaseworkError:
    """Build the error for an archive that is not read."""
    fix = "nothing was read; ask for an archive made anew from the files"
    return CaseworkError(code, what, fix, where=where)


def _check_names(infos: list[zipfile.ZipInfo], where: str, repeatable: str | None) -> None:
    if len(infos) > MAX_MEMBERS:
        raise refusal("ZIP_TOO_MANY_MEMBERS", f"{len(infos):,} members", where)
    for info in infos:
        for name in (info.orig_filename, info.filename):
            is_of_id = repeatable is not None and name.startswith(repeatable)
            if "\0" in name or not (is_of_id or _is_plain(name)):
                what = f"the member name {name!r} is no plain path within the archive"
                raise refusal("ZIP_UNSAFE_NAME", what, where)
        if S_ISLNK(info.external_attr >> 16):
            raise refusal("ZIP_SYMLINK", f"{info.filename!r} is a link", where)
    files = [info.filename for info in infos if not info.is_dir()]
    keys = sorted((_parts(name), name) for name in files)
    for (parts, name), (following, other) in pairwise(keys):
        if parts != following[: len(parts)]:
            continue
        if not (repeatable and parts == following and name.startswith(repeatable)):
            what = f"{name!r} and {other!r} are one name"
            raise refusal("ZIP_DUPLICATE_NAME", what, where)


def _parts(name: str) -> tuple[str, ...]:
    """The path of a member as any system has it; names that differ in case only are one on some.

    In their order a file comes right before whatever takes it for a folder.
    """
    return tuple(part for part in name.casefold().split("/") if part not in ("", "."))


def _is_plain(name: str) -> bool:
    """Whether a name leads to one place below a folder, on any system."""
    return (
        name[:1] not in ("", "/")
        and name[1:2] != ":"
        and "\\" not in name
        and ".." not in name.split("/")
    )


def _check_sizes(infos: list[zipfile.ZipInfo], where: str) -> None:
    total = 0
    for info in infos:
        at = f"{where}:{info.filename}"
        size, packed = info.file_size, info.compress_size
        if info.flag_bits & _ENCRYPTED:
            raise refusal("ZIP_ENCRYPTED", "the member is encrypted", at)
        if info.compress_type not in _RATIO_FROM:
            raise refusal("ZIP_METHOD", f"unknown compression method {info.compress_type}", at)
        if size > MAX_MEMBER:
            raise refusal("ZIP_MEMBER_TOO_LARGE", f"declares {size:,} bytes", at)
        if size > max(_RATIO_FROM[info.compress_type], MAX_RATIO * max(1, packed)):
            raise refusal("ZIP_RATIO", f"would become {size:,} bytes, from {packed:,}", at)
        total += size
        if total > MAX_TOTAL:
            raise refusal("ZIP_TOTAL_TOO_LARGE", f"more than {MAX_TOTAL:,} bytes in all", where)


def _locate(file: BinaryIO, info: zipfile.ZipInfo, where: str) -> Member:
    """Find the packed bytes of a member behind its local header, which must name it too."""
    at = f"{where}:{info.filename}"
    try:
        file.seek(info.header_offset)
        fields = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    except (ValueError, OSError, struct.error) as error:
        raise refusal("ZIP_BROKEN", "the member is not where the directory says", at) from error
    magic, name_length, extra_length = fields[0], fields[9], fields[10]
    raw_name = file.read(name_length)
    name = raw_name.decode("utf-8" if fields[2] & _UTF8 else "cp437", "replace")
    if magic != b"PK\x03\x04" or name != info.orig_filename:
        raise refusal("ZIP_BROKEN", "the member is not where the directory says", at)
    offset = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    return Member(
        name=info.filename,
        bytes=info.file_size,
        packed_bytes=info.compress_size,
        offset=offset,
        method=info.compress_type,
        crc=info.CRC,
        modified=modified(info),
    )


def _check_overlap(
    members: list[Member], infos: list[zipfile.ZipInfo], end: int, where: str
) -> None:
    """One run of bytes used by two members is how a small archive becomes an endless one."""
    spans = sorted(
        (info.header_offset, member.offset + member.packed_bytes, member.name)
        for info, member in zip(infos, members, strict=True)
    )
    starts = [*(start for start, _, _ in spans[1:]), end]
    for (_, stop, name), following in zip(spans, starts, strict=False):
        if stop > following:
            raise refusal("ZIP_OVERLAP", f"{name!r} shares bytes with another member", where)


class _Packed:
    """The packed bytes of one member, as a file of their own."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file, self._position, self._end = file, offset, offset + size

    def read(self, size: int = _CHUNK) -> bytes:
        self._file.seek(self._position)
        chunk = self._file.read(min(size, self._end - self._position))
        self._position += len(chunk)
        return chunk


def _inflate(packed: _Packed) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    while chunk := packed.read():
        while chunk:
            yield inflater.decompress(chunk, _CHUNK)
            chunk = inflater.unconsumed_tail
    yield inflater.flush()
