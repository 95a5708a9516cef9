"""Intake: from the files that were handed over to exhibits in a case, each whole or not at all."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Literal

from casework import importers
from casework.archives import is_archive, unpacked
from casework.case import CaseWriter, Receipt
from casework.errors import CaseworkError, UsageError
from casework.importers import Importer, Options, Source
from casework.importers.table_file import file_format, named_table
from casework.records import Exhibit

Status = Literal["loaded", "already", "left", "failed"]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source. `code` and `reason` say why one was left or failed."""

    path: str
    status: Status
    exhibit: Exhibit | None = None
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Handed:
    """A source as it was found: named by the person who loads, or met in a folder."""

    source: Source
    named: bool


def load(
    case: Path | str,
    paths: Sequence[Path | str],
    *,
    options: Options | None = None,
    format_name: str | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Load files, folders and archives into a case; one outcome for each source, in order.

    Args:
        case: the case file; it must exist.
        paths: what to load. Folders are walked, archives opened.
        options: what is said about the sources (`--as`, `--map`, `--timezone`).
        format_name: name of the importer to use for all of them.
        progress: called with the name of a source, bytes done and bytes in all.

    Raises:
        CaseworkError: the case cannot be written, or a path does not exist.
    """
    options = options or Options()
    chosen = importers.get(format_name) if format_name else None
    if options.timezone:
        importers.check_timezone(options.timezone)
    with CaseWriter(Path(case)) as writer, ExitStack() as stack:
        handed = [h for path in paths for h in _find(Path(path), str(path), True, stack)]
        total = sum(_size(h.source) for h in handed)
        done = 0
        outcomes = []
        for one in handed:
            if progress:
                progress(one.source.name, done, total)
            outcomes.append(_load_one(writer, one, chosen, options))
            done += _size(one.source)
        if progress:
            progress("", done, total)
    return outcomes


def _find(path: Path, name: str, named: bool, stack: ExitStack) -> Iterator[Handed]:
    """All sources at a path, in the order of their names."""
    if not path.exists():
        raise CaseworkError("NO_SUCH_FILE", "there is no such file", "check the path", where=name)
    if path.is_dir():
        yield from _walk(path, name, stack)
    elif is_archive(path) and not any(i.recognises(Source(path, name)) for i in importers.ALL):
        try:
            folder = stack.enter_context(unpacked(path, name))
        except CaseworkError as error:
            yield Handed(Source(path, name, refusal=error), named)
            return
        yield from _walk(folder, f"{name}!", stack)
    else:
        yield Handed(Source(path, name), named)


def _walk(folder: Path, name: str, stack: ExitStack) -> Iterator[Handed]:
    whole = Source(folder, name, files=tuple(_files(folder)))
    if any(i.recognises(whole) for i in importers.ALL if i.of_folders):
        yield Handed(whole, named=False)
        return
    for entry in sorted(folder.iterdir()):
        inside = f"{name.rstrip('/')}/{entry.name}"
        if entry.is_symlink() and not _stays_inside(entry, folder):
            error = CaseworkError("LINK", "a link that leads out of its folder", "copy the file")
            yield Handed(Source(entry, inside, refusal=error), named=False)
        elif entry.is_dir():
            yield from _walk(entry, inside, stack)
        elif entry.is_file():
            yield from _find(entry, inside, False, stack)


def _files(folder: Path) -> Iterable[Path]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(root, name) for name in sorted(names))


def _stays_inside(link: Path, folder: Path) -> bool:
    return link.exists() and link.resolve().is_relative_to(folder.resolve())


def _load_one(
    writer: CaseWriter, handed: Handed, chosen: Importer | None, options: Options
) -> Outcome:
    source = handed.source
    try:
        if source.refusal:
            raise source.refusal
        importer = chosen or _importer_of(source, options)
        if importer is None:
            return _left(handed)
        receipt = _receipt(source, importer)
        if before := writer.loaded_as(receipt.sha256):
            return Outcome(source.name, "already", reason=f"the same bytes as {before}")
        return Outcome(source.name, "loaded", writer.load(receipt, importer.read(source, options)))
    except UsageError:
        raise
    except CaseworkError as error:
        return Outcome(source.name, "failed", code=error.code, reason=f"{error.what}; {error.fix}")
    except Exception as error:  # a parser tripped over hostile input: one line, the rest goes on
        what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return Outcome(source.name, "failed", code="IMPORT_CRASHED", reason=f"{what}; report it")


def _importer_of(source: Source, options: Options) -> Importer | None:
    if options.table or (options.mapping and "table" in options.mapping):
        return importers.table_file
    is_folder = bool(source.files)
    for importer in importers.ALL:
        if importer.of_folders == is_folder and importer.recognises(source):
            return importer
    return None


def _left(handed: Handed) -> Outcome:
    source = handed.source
    kind = file_format(source)
    if kind and not named_table(source) and kind != "json":
        reason = f"a {kind} file whose name is no table; load it with --as TABLE"
    elif kind == "json":
        reason = "JSON of a shape that no importer knows; load it with --as TABLE"
    elif not source.path.stat().st_size:
        reason = "empty"
    else:
        reason = "not a format that casework reads"
    status: Status = "failed" if handed.named else "left"
    return Outcome(source.name, status, code="UNKNOWN_FORMAT", reason=reason)


def _receipt(source: Source, importer: Importer) -> Receipt:
    files = tuple(
        (str(path.relative_to(source.path)), _digest(path), path.stat().st_size)
        for path in source.files
    )
    if source.files:
        listing = "".join(f"{digest}  {path}\n" for path, digest, _ in sorted(files))
        digest = sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
    else:
        digest = _digest(source.path)
    kind = importer.name
    if importer is importers.table_file:
        kind = file_format(source) or kind
    return Receipt(source.name, digest, _size(source), kind, importer.name, files)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _size(source: Source) -> int:
    return sum(path.lstat().st_size for path in (source.files or (source.path,)))
