"""The small files of MLflow's file store: a value each, or the history of a metric."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers._shape import mapping
from casework.importers._source import Source, storable
from casework.importers._yaml import parse_yaml

META = "meta.yaml"
_HEAD_BYTES = 64 * 1024
_FIELD_BYTES = 1 << 20
_LINE_BYTES = 4_096
_FIX = "load a copy of the store as MLflow wrote it"


def meta_keys(source: Source) -> set[bytes]:
    """The keys that the `meta.yaml` of a folder begins with; none where it has no such file."""
    try:
        with _opened(source.path / META, source) as file:
            head = file.read(_HEAD_BYTES)
    except (OSError, CaseworkError):
        return set()
    return set(re.findall(rb"^(\w+):", head, re.M))


def place_of(path: Path, source: Source) -> str:
    """Where a file stands in the folder, as text; keys are parts of it."""
    return storable(path.relative_to(source.path).as_posix())


class Files:
    """Reads files of one folder; those that cannot be read are rejects, one by one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rejects: list[Reject] = []

    def place(self, path: Path) -> str:
        """Where a file stands in the folder."""
        return place_of(path, self._source)

    def got(self, read: Callable[[Path], Any], path: Path) -> Any:
        """What a function reads of a file; None where it is refused."""
        try:
            return read(path)
        except CaseworkError as error:
            self.refuse(self.place(path), error.code, error.what)
            return None

    def entries(self, path: Path | None) -> dict[str, Any]:
        """The entries of a YAML file."""
        return dict(mapping(self.got(self._entries, path))) if path else {}

    def values(
        self, files: Mapping[str, Path], read: Callable[[Path], Any] | None = None
    ) -> dict[str, Any]:
        """What files hold, by their keys: their text, or what a function reads."""
        found = {key: self.got(read or self._words, path) for key, path in files.items()}
        return {key: value for key, value in found.items() if value is not None}

    def refuse(self, place: str, code: str, why: str, raw: str = "") -> None:
        """Take note of what cannot be read."""
        self._rejects.append(Reject(place, code, why, raw))

    def refused(self) -> Iterator[Reject]:
        """Yield what could not be read since the last time."""
        yield from self._rejects
        self._rejects = []

    def _entries(self, path: Path) -> Any:
        return parse_yaml(content(path, self._source), f"{self._source.name}/{self.place(path)}")

    def _words(self, path: Path) -> str:
        return words(path, self._source)


def content(path: Path, source: Source, most_bytes: int = _FIELD_BYTES) -> bytes:
    """Read a file of the folder itself, as a whole.

    Raises:
        CaseworkError: LINK where it lies elsewhere, FILE_TOO_LARGE, FILE_UNREADABLE.
    """
    with _opened(path, source) as file:
        try:
            data = file.read(most_bytes + 1)
        except OSError as error:
            raise _unreadable(error) from error
    if len(data) > most_bytes:
        raise CaseworkError("FILE_TOO_LARGE", f"more than {most_bytes:,} bytes", _FIX)
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
                while len(line) == _LINE_BYTES and not line.endswith(b"\n"):
                    line = file.readline(_LINE_BYTES)
        except OSError as error:
            raise _unreadable(error) from error


def _opened(path: Path, source: Source) -> BinaryIO:
    try:
        if not path.resolve().is_relative_to(source.path.resolve()):
            raise CaseworkError("LINK", "the file is a link out of the folder", _FIX)
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise CaseworkError("FILE_UNREADABLE", "it cannot be read: not a file", _FIX)
        return path.open("rb")
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> CaseworkError:
    return CaseworkError("FILE_UNREADABLE", f"it cannot be read: {error.strerror}", _FIX)
