"""Intake: from the files that were handed over to exhibits in a case, each whole or not at all."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Literal

from casework import importers
from casework.archives import Unpacking
from casework.case import CaseWriter, Item, Receipt
from casework.errors import CaseworkError
from casework.importers import Importer, Options, Source
from casework.importers._source import storable
from casework.importers.table_file import file_format, named_table
from casework.intake._confined import Confined, is_binary
from casework.intake._search import CRASH_FIX, Handed, Search, crash
from casework.intake._shares import can_share, read_shared
from casework.records import Exhibit
from casework.tables import ALL as TABLES

__all__ = ["Confined", "Outcome", "Progress", "Status", "load"]

Status = Literal["loaded", "already", "left", "failed"]
Progress = Callable[[str, int, int], None]
_AHEAD = 16
"""Items that are read before it is known whether the source is loaded already: rows, or batches."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source. `code`, `where` and `reason` say why one was left or failed."""

    path: str
    status: Status
    exhibit: Exhibit | None = None
    code: str = ""
    reason: str = ""
    where: str = ""


def load(
    case: Path | str,
    paths: Sequence[Path | str],
    *,
    options: Options | None = None,
    format_name: str | None = None,
    progress: Progress | None = None,
    confined: Confined | None = None,
) -> list[Outcome]:
    """Load files, folders and archives into a case; one outcome for each source, in order.

    A path that does not exist, or that cannot be read, is a failed outcome like any other: the
    rest is loaded.

    Args:
        case: the case file; it must exist.
        paths: what to load. Folders are walked, archives opened.
        options: what is said about the sources (`--as`, `--map`, `--timezone`).
        format_name: name of the importer to use for all of them.
        progress: called with the name of a source, bytes done and bytes in all.
        confined: the reader of sources that are not text, for many loads one after the other: to
            start one takes half a second, and without it each load does.

    Raises:
        CaseworkError: the case cannot be written.
        UsageError: the options name what there is not; nothing was opened then.
    """
    options = options or Options()
    chosen = importers.get(format_name) if format_name else None
    importers.check_options(options, chosen)
    shared = nullcontext(confined) if confined else Confined()
    with CaseWriter(Path(case)) as writer, Unpacking() as unpacking, shared as reader:
        search = Search(unpacking)
        handed = [one for path in paths for one in search.find(path)]
        sizes = _sizes(handed)
        total, done = sum(sizes), 0
        outcomes = []
        for one, size in zip(handed, sizes, strict=True):
            if progress:
                progress(one.source.name, done, total)
            outcomes.append(_load_one(writer, one, chosen, options, reader))
            done += size
        if progress:
            progress("", done, total)
    return outcomes


def _load_one(
    writer: CaseWriter,
    handed: Handed,
    chosen: Importer | None,
    options: Options,
    confined: Confined,
) -> Outcome:
    source = handed.source
    try:
        if source.refusal:
            raise source.refusal
        apart = not source.files and is_binary(source)
        importer = chosen or _importer_of(handed, options, confined if apart else None)
        if importer is None:
            return _left(handed)
        before = _state(source)
        with ThreadPoolExecutor(1) as beside:  # the digest takes as long as to look at every byte
            digesting = beside.submit(_receipt, source, importer)
            if apart:
                items = confined.read(source, importer, options)
            elif can_share(source, importer):
                items = read_shared(source, importer)
            else:
                items = _ahead(importer.read(source, options), digesting)
        receipt = digesting.result()
        if same := writer.loaded_as(receipt.sha256):
            return Outcome(source.name, "already", reason=f"the same bytes as {same}")
        items = _while_unchanged(source, before, items)
        exhibit = writer.load(receipt, items, _given(options, chosen))
        return Outcome(source.name, "loaded", exhibit)
    except CaseworkError as error:
        reason = f"{error.what}; {error.fix}"
        return Outcome(source.name, "failed", None, error.code, reason, error.where)
    except OSError as error:
        reason = f"{error.strerror or error}; see that it can be read"
        return Outcome(source.name, "failed", None, "UNREADABLE", reason)
    except Exception as error:  # a parser tripped over hostile input: one line, the rest goes on
        if os.environ.get("CASEWORK_DEBUG"):
            raise
        reason = f"{crash(error)}; {CRASH_FIX}"
        return Outcome(source.name, "failed", None, "IMPORT_CRASHED", reason)


def _ahead(items: Iterator[Item], digesting: Future[Receipt]) -> Iterator[Item]:
    """Read the first items while the digest is computed; what fails, fails when its turn comes."""
    first: list[Item] = []
    failed: Exception | None = None
    try:
        while len(first) < _AHEAD and not digesting.done():
            first.append(next(items))
    except StopIteration:
        pass
    except Exception as error:
        failed = error
    return _resumed(first, failed, items)


def _resumed(first: list[Item], failed: Exception | None, items: Iterator[Item]) -> Iterator[Item]:
    yield from first
    if failed:
        raise failed
    yield from items


def _given(options: Options, chosen: Importer | None) -> dict[str, Any]:
    """What was said about a source, under the names of the command line."""
    said = {
        "as": options.table.name if options.table else None,
        "format": chosen.name if chosen else None,
        "map": options.mapping,
        "timezone": options.timezone,
    }
    return {name: value for name, value in said.items() if value is not None}


def _importer_of(handed: Handed, options: Options, confined: Confined | None) -> Importer | None:
    source = handed.source
    is_folder = bool(source.files)
    # Files met in a folder must look like tables; one that is named is taken at its word.
    if options.names_table and not is_folder and (handed.named or file_format(source)):
        return importers.table_file
    if confined:
        return confined.importer_of(source)
    for importer in importers.ALL:
        if importer.of_folders == is_folder and importer.recognises(source):
            return importer
    return None


def _left(handed: Handed) -> Outcome:
    source = handed.source
    if source.breaks:
        raise CaseworkError("SOURCE_UNREADABLE", "its compression is broken off or damaged",
                            "see that the file is whole", where=source.name)  # fmt: skip
    kind = file_format(source)
    code = "UNKNOWN_FORMAT"
    if kind and not named_table(source):
        code = "WHICH_TABLE"
        what = "JSON of a shape that no importer knows" if kind == "json" else f"a {kind} file"
        names = f" with one of: {', '.join(table.name for table in TABLES)}" if handed.named else ""
        reason = f"{what} whose name names no table; load it with --as TABLE{names}"
    elif opaque := _opaque(source):
        code, reason = opaque
    elif not source.path.stat().st_size:
        reason = "it is empty; nothing can be loaded from it"
    else:
        reason = "not a format that casework reads; see `casework formats`"
    status: Status = "failed" if handed.named else "left"
    return Outcome(source.name, status, None, code, reason)


def _opaque(source: Source) -> tuple[str, str] | None:
    """Code and reason of a file that could run code when it is opened, and so is not."""
    head = source.head()
    if head[8:12] == b"DUCK":
        what = "a DuckDB file may hold macros and views that change what queries say"
        return "DUCKDB_FILE", f"{what}; export its tables as Parquet"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        what = "a pickled object runs code when it is opened, and was not"
        return "ARTIFACT_OPAQUE", f"{what}; its SHA-256 is {_digest(source.path)}"
    return None


def _receipt(source: Source, importer: Importer) -> Receipt:
    found = [
        (str(path.relative_to(source.path)), _digest(path), path.stat().st_size)
        for path in source.files
    ]
    if source.files:
        listing = "".join(f"{digest}  {path}\n" for path, digest, _ in sorted(found))
        whole = sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
    else:
        whole = _digest(source.path)
    kind = importer.name
    if importer is importers.table_file:
        kind = file_format(source) or kind
    files = tuple((storable(path), digest, size) for path, digest, size in found)
    return Receipt(source.name, whole, _size(source), kind, importer.name, files)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _size(source: Source) -> int:
    return sum(path.stat().st_size for path in (source.files or (source.path,)))


def _sizes(handed: Sequence[Handed]) -> list[int]:
    """Bytes of each source, for the progress; none of what cannot be read, which is told later."""
    sizes = [0] * len(handed)
    for place, one in enumerate(handed):
        with suppress(OSError):
            sizes[place] = 0 if one.source.refusal else _size(one.source)
    return sizes


def _state(source: Source) -> list[tuple[int, int]]:
    found = (path.stat() for path in (source.files or (source.path,)))
    return [(one.st_size, one.st_mtime_ns) for one in found]


def _while_unchanged(
    source: Source, before: list[tuple[int, int]], items: Iterator[Item]
) -> Iterator[Item]:
    """The items, unless the source changed meanwhile: then its digest is not that of the rows."""
    yield from items
    if _state(source) != before:
        raise CaseworkError(
            "SOURCE_CHANGED",
            "it changed while it was read",
            "load a copy that nobody writes to",
            where=source.name,
        )
