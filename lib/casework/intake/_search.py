"""Finding the sources at what was handed over: folders walked, archives opened, links judged."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casework import importers
from casework.archives import Unpacking, is_archive
from casework.errors import CaseworkError
from casework.importers import Source
from casework.importers._source import storable

CRASH_FIX = "report it with what CASEWORK_DEBUG=1 shows"
_DEEPEST = 3
"""How many archives may lie in one another; there are some that hold themselves."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A source as it was found: named by the person who loads, or met in a folder."""

    source: Source
    named: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the search is: the folder that links must not leave, and how many archives deep."""

    root: Path
    named: bool
    depth: int = 0


def crash(error: Exception) -> str:
    """What of an error that nobody foresaw is told in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


class Search:
    """Finds sources, and lays archives out in folders that last as long as `unpacking` does."""

    def __init__(self, unpacking: Unpacking) -> None:
        self._unpacking = unpacking

    def find(self, path: Path | str) -> Iterator[Handed]:
        """Yield all sources at a path, in the order of their names.

        What cannot be opened, or must not be, comes as a source with its refusal.
        """
        found = Path(path)
        place = _Place(Path(os.path.realpath(found)), named=True)
        yield from self._at(found, storable(str(path)), place)

    def _at(self, path: Path, name: str, place: _Place) -> Iterator[Handed]:
        try:
            if not path.exists():
                yield _refused(path, name, place, "NO_SUCH_FILE", "there is no such file",
                               "check the path")  # fmt: skip
            elif path.is_dir():
                yield from self._walk(path, name, place)
            elif not path.is_file():
                yield _refused(path, name, place, "NOT_A_FILE", "neither a file nor a folder",
                               "save what it gives to a file")  # fmt: skip
            elif _is_unknown_archive(path, name):
                yield from self._open(path, name, place)
            else:
                yield Handed(Source(path, name), place.named)
        except OSError as error:
            what = error.strerror or str(error)
            yield _refused(path, name, place, "UNREADABLE", what, "see that it can be read")
        except Exception as error:  # hostile input tripped over itself: the rest goes on
            if os.environ.get("CASEWORK_DEBUG"):
                raise
            yield _refused(path, name, place, "IMPORT_CRASHED", crash(error), CRASH_FIX)

    def _open(self, path: Path, name: str, place: _Place) -> Iterator[Handed]:
        if place.depth >= _DEEPEST:
            yield _refused(path, name, place, "ARCHIVE_DEPTH", "an archive in an archive in an "
                           "archive", "unpack it by hand")  # fmt: skip
            return
        try:
            folder = self._unpacking.lay_out(path, name)
        except CaseworkError as error:
            yield Handed(Source(path, name, refusal=error), place.named)
            return
        inside = _Place(Path(os.path.realpath(folder)), named=False, depth=place.depth + 1)
        is_empty = True
        for one in self._walk(folder, f"{name}!", inside):
            is_empty = False
            yield one
        if is_empty:
            yield _refused(path, name, place, "ARCHIVE_EMPTY", "an archive without a file",
                           "ask whether one is missing")  # fmt: skip

    def _walk(self, folder: Path, name: str, place: _Place) -> Iterator[Handed]:
        inner = _Place(place.root, named=False, depth=place.depth)
        if found := _as_export(folder, name, place.root):
            whole, apart = found
            yield Handed(whole, named=False)
            for path in sorted(set(_files(folder, apart)) - set(whole.files)):
                if not _stays_inside(path, place.root):
                    yield _leads_out(path, _inside(path, folder, name), inner)
            for path in apart:
                yield from self._at(path, _inside(path, folder, name), inner)
            return
        for entry in sorted(folder.iterdir()):
            inside = f"{name.rstrip('/')}/{storable(entry.name)}"
            if entry.is_symlink() and not _stays_inside(entry, place.root):
                yield _leads_out(entry, inside, inner)
            elif entry.is_symlink() and entry.is_dir():
                continue  # what it leads to is walked in its own place
            else:
                yield from self._at(entry, inside, inner)


def _as_export(folder: Path, name: str, root: Path) -> tuple[Source, list[Path]] | None:
    """The folder as one source, where it is one export of a tool, and the folders apart from it."""
    takers = [importer for importer in importers.ALL if importer.of_folders]
    bare = Source(folder, name)
    for taker in (taker for taker in takers if taker.recognises(bare)):
        apart = [path for pattern in taker.apart for path in sorted(folder.glob(pattern))
                 if path.is_dir() and not _is_linked(path, folder)]  # fmt: skip
        files = tuple(
            path for path in _files(folder, apart) if path.is_file() and _stays_inside(path, root)
        )
        if files:
            return Source(folder, name, files=files), apart
    return None


def _is_linked(path: Path, folder: Path) -> bool:
    """Whether one of the folders that lead from a folder to a path is a link."""
    return os.path.realpath(path) != os.path.join(
        os.path.realpath(folder), *path.relative_to(folder).parts
    )


def _inside(path: Path, folder: Path, name: str) -> str:
    return f"{name}/{storable(str(path.relative_to(folder)))}"


def _files(folder: Path, apart: Sequence[Path] = ()) -> Iterator[Path]:
    """The files of a folder, and the links to folders or to nowhere, which are not followed.

    Raises:
        OSError: a folder in it cannot be read.
    """
    left = set(apart)
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        linked = [one for one in folders if Path(parent, one).is_symlink()]
        folders[:] = sorted(one for one in folders if Path(parent, one) not in left)
        paths = (Path(parent, name) for name in sorted([*names, *linked]))
        yield from (p for p in paths if p.is_file() or p.is_dir() or not p.exists())


def _refuse(error: OSError) -> None:
    raise error


def _stays_inside(path: Path, root: Path) -> bool:
    """Whether a path, followed to its end, is there and lies in the root."""
    end = Path(os.path.realpath(path))
    return end.exists() and end.is_relative_to(root)


def _is_unknown_archive(path: Path, name: str) -> bool:
    """Whether a file is an archive that no importer reads as it is."""
    source = Source(path, name)
    return is_archive(path) and not any(taker.recognises(source) for taker in importers.ALL)


def _leads_out(path: Path, name: str, place: _Place) -> Handed:
    what = "a link that leads out of what was handed over, or nowhere"
    return _refused(path, name, place, "LINK", what, "copy the file itself")


def _refused(path: Path, name: str, place: _Place, code: str, what: str, fix: str) -> Handed:
    error = CaseworkError(code, what, fix, where=name)
    return Handed(Source(path, name, refusal=error), place.named)
