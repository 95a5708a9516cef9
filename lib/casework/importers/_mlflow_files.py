"""The small files of MLflow's file store: a value each, or the history of a metric."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from casework.errors import CaseworkError
from casework.importers._source import Source

META = "meta.yaml"
_HEAD_BYTES = 64 * 1024
_FIELD_BYTES = 1 << 20
_LINE_BYTES = 4_096
_FIX = "load a copy of the store as MLflow wrote it"


def meta_keys(source: Source) -> set[bytes]:
    """The keys that the `meta.yaml` of a folder begins with; none where there is none."""
    try:
        with (source.path / META).open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return set()
    return set(re.findall(rb"^(\w+):", head, re.M))


def content(path: Path, source: Source) -> bytes:
    """Read a small file of the folder itself.

    Raises:
        CaseworkError: LINK where it lies elsewhere, FILE_TOO_LARGE, FILE_UNREADABLE.
    """
    with _opened(path, source) as file:
        try:
            data = file.read(_FIELD_BYTES + 1)
        except OSError as error:
            raise _unreadable(error) from error
    if len(data) > _FIELD_BYTES:
        raise CaseworkError("FILE_TOO_LARGE", f"more than {_FIELD_BYTES} bytes", _FIX)
    return data


def words(path: Path, source: Source) -> str:
    """Read a small file of text.

    Raises:
        CaseworkError: as `content`; FILE_ENCODING.
    """
    try:
        return content(path, source).decode()
    except UnicodeDecodeError as error:
        raise CaseworkError("FILE_ENCODING", f"not UTF-8: {error.reason}", _FIX) from error


def lines(path: Path, source: Source) -> Iterator[str]:
    """Yield the lines of a file of any length; of a line the first 4 KiB.

    Raises:
        CaseworkError: LINK, FILE_UNREADABLE.
    """
    with _opened(path, source) as file:
        try:
            while line := file.readline(_LINE_BYTES):
                yield line.decode("utf-8", "replace").rstrip("\r\n")
        except OSError as error:
            raise _unreadable(error) from error


def _opened(path: Path, source: Source) -> BinaryIO:
    try:
        if not path.resolve().is_relative_to(source.path.resolve()):
            raise CaseworkError("LINK", "the file is a link out of the folder", _FIX)
        return path.open("rb")
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> CaseworkError:
    return CaseworkError("FILE_UNREADABLE", f"it cannot be read: {error.strerror}", _FIX)
