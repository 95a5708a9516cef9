"""Archives that were handed over: every member checked by name and size, then laid out to read."""

import errno
import lzma
import os
import tarfile
import zipfile
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from casework.errors import CaseworkError
from casework.importers._zip import MAX_MEMBERS, MAX_RATIO, MAX_TOTAL, open_archive

_RATIO_MATTERS_FROM = 64 << 20

_ABOUT_THE_NEXT = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_MOST_ABOUT_THE_NEXT = 1 << 20
_CHUNK = 1 << 20
# Dates outside mean that none is known: an archive that is to be the same each time it is made
# bears the first that its format has, 1970 or 1980-01-01.
_DATES = (
    datetime(1980, 1, 2, tzinfo=UTC).timestamp(),
    datetime(2200, 1, 1, tzinfo=UTC).timestamp(),
)


class _Unwanted(Exception):
    """A header that is whole, and that is not read all the same; the text says why."""


# Headers about one another without end are read by recursion.
_HOSTILE = (_Unwanted, RecursionError)
# What the standard library lets through from a damaged archive; OSError includes those of gzip.
_DAMAGE = (tarfile.TarError, EOFError, ValueError, OSError, zlib.error, lzma.LZMAError)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or a tar archive, compressed or not, by its content.

    Zeros are none: they end a tar archive, but are what other files begin with.
    """
    if _is_zip(path):
        return True
    try:
        with tarfile.open(path, tarinfo=_Header) as archive:
            return archive.next() is not None
    except _HOSTILE:
        return True
    except _DAMAGE:
        return False


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04" and zipfile.is_zipfile(path)


class _Header(tarfile.TarInfo):
    """The header of a member, of which three are refused that the standard library lets through.

    A damaged one would end the archive in silence, and with it all members after it. One that
    says more about the next member than names take would be held in memory whole, and so would
    the map of a sparse file, which packs to a thousandth.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        """Read a header; see `tarfile.TarInfo.frombuf`."""
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf):  # else it is the end
                raise tarfile.ReadError(f"a damaged header: {error}") from None
            raise
        if header.type in _ABOUT_THE_NEXT and header.size > _MOST_ABOUT_THE_NEXT:
            raise _Unwanted(f"a name or an attribute of {header.size:,} bytes")
        if header.type == tarfile.GNUTYPE_SPARSE:
            header._refuse_map()
        return header

    def _refuse_map(self, *_: Any) -> None:
        raise _Unwanted("a sparse file")

    # the ways in which a pax header announces one
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_map


class Unpacking:
    """Lays archives out in folders that go with the context; 8 GiB for all of them together."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._left = MAX_TOTAL

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def lay_out(self, path: Path, name: str) -> Path:
        """Lay the members of an archive out in a folder of their own.

        Args:
            path: the archive.
            name: how it is cited in errors.

        Raises:
            CaseworkError: the archive is broken or hostile; the code says how.
        """
        temporary = TemporaryDirectory(prefix="casework-")
        folder = Path(temporary.name)
        try:
            unpack = _unpack_zip if _is_zip(path) else _unpack_tar
            self._left -= unpack(path, name, folder, self._left)
        except (*_HOSTILE, *_DAMAGE) as error:
            temporary.cleanup()
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise _no_room(error, name) from None
            what = f"cannot be unpacked: {error or type(error).__name__}"
            raise _refused("ARCHIVE_UNREADABLE", what, name) from None
        except CaseworkError:
            temporary.cleanup()
            raise
        self._stack.callback(temporary.cleanup)
        return folder


def _dated(seconds: float, archive: Path) -> float:
    """The date of a member, in seconds since 1970; that of the archive where it has none.

    What a file was loaded at is no date of it, and differs from one load to the next.
    """
    first, last = _DATES
    return seconds if first <= seconds < last else archive.stat().st_mtime


def _unpack_zip(path: Path, name: str, folder: Path, most: int) -> int:
    with open_archive(path, name) as archive:
        total = sum(member.bytes for member in archive.members)
        if total > most:
            raise _refused("ZIP_TOTAL_TOO_LARGE", f"{total} bytes, more than are left", name)
        for member in archive.members:
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                archive.stream(member, file)
            when = _dated(member.modified.timestamp() if member.modified else 0, path)
            os.utime(target, (when, when))
    return total


def _unpack_tar(path: Path, name: str, folder: Path, most: int) -> int:
    """Unpack regular files only, through the filter that refuses paths and links leading out."""
    most = min(most, max(_RATIO_MATTERS_FROM, MAX_RATIO * path.stat().st_size))
    total = 0
    seen: set[str] = set()
    with tarfile.open(path, tarinfo=_Header) as archive:
        for number, member in enumerate(archive):
            total += member.size
            if number >= MAX_MEMBERS or total > most:
                raise _refused("TAR_TOO_LARGE", "too many members or bytes", name)
            if member.isdir():
                continue
            if not member.isfile():
                raise _refused("TAR_NOT_A_FILE", f"{member.name!r} is no plain file", name)
            # Names that differ in case only are one file on some systems.
            key = os.path.normpath(member.name.lstrip(f"/{os.sep}")).casefold()
            if key in seen:
                raise _refused("TAR_DUPLICATE_NAME", f"two members are {member.name!r}", name)
            seen.add(key)
            member.mtime = _dated(member.mtime, path)
            archive.extract(member, folder, filter="data")
        _refuse_more(cast(BinaryIO, archive.fileobj), most, name)
    return total


def _refuse_more(file: BinaryIO, most: int, name: str) -> None:
    """Refuse whatever follows the end of a tar archive but zeros, such as a second archive."""
    while chunk := file.read(_CHUNK):
        most -= len(chunk)
        if any(chunk):
            raise _refused("ARCHIVE_UNREADABLE", "more follows its end", name)
        if most < 0:
            raise _refused("TAR_TOO_LARGE", "too many bytes after its end", name)


def _refused(code: str, what: str, name: str) -> CaseworkError:
    return CaseworkError(code, what, "unpack it by hand and look at what it holds", where=name)


def _no_room(error: OSError, name: str) -> CaseworkError:
    what = f"cannot be unpacked to {gettempdir()}: {error.strerror}"
    return CaseworkError("NO_ROOM", what, "see that the disk has room, or set TMPDIR", where=name)
