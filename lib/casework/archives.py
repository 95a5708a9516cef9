"""Archives that were handed over: every member checked by name and size, then laid out to read."""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from casework.errors import CaseworkError
from casework.importers._zip import open_archive

_MAX_TOTAL = 8 << 30
_MAX_MEMBERS = 200_000


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or a tar archive, compressed or not, by its content."""
    with path.open("rb") as file:
        if file.read(4).startswith(b"PK\x03\x04"):
            return zipfile.is_zipfile(path)
    try:
        return tarfile.is_tarfile(path)
    except (OSError, EOFError):
        return False


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[Path]:
    """Lay the members of an archive out in a folder of their own, which goes with the context.

    Raises:
        CaseworkError: the archive is broken or hostile; the code says how.
    """
    with TemporaryDirectory(prefix="casework-") as temporary:
        folder = Path(temporary)
        if zipfile.is_zipfile(path):
            _unpack_zip(path, name, folder)
        else:
            _unpack_tar(path, name, folder)
        yield folder


def _unpack_zip(path: Path, name: str, folder: Path) -> None:
    with open_archive(path, name) as archive:
        for member in archive.members:
            if member.name.endswith("/"):
                continue
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                archive.stream(member, file)


def _unpack_tar(path: Path, name: str, folder: Path) -> None:
    """Unpack regular files only, through the filter that refuses paths and links leading out."""
    total = 0
    try:
        with tarfile.open(path) as archive:
            for number, member in enumerate(archive):
                total += member.size
                if number >= _MAX_MEMBERS or total > _MAX_TOTAL:
                    raise _refused("TAR_TOO_LARGE", "too many members or bytes", name)
                if member.isfile():
                    archive.extract(member, folder, filter="data")
                elif not member.isdir():
                    raise _refused("TAR_NOT_A_FILE", f"{member.name!r} is no plain file", name)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _refused("TAR_UNREADABLE", str(error).splitlines()[0], name) from None


def _refused(code: str, what: str, name: str) -> CaseworkError:
    return CaseworkError(code, what, "unpack it by hand and look at what it holds", where=name)
