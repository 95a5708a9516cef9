"""What tests of importers share: a case with the rows of one source, asked in plain SQL."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
from tests.cases import empty_case

from casework.case import CaseWriter, Receipt, literal
from casework.errors import CaseworkError
from casework.importers import ALL, get
from casework.importers._importer import Importer, Options
from casework.importers._source import Source
from casework.records import Exhibit


def source_of(path: Path) -> Source:
    """The source that intake would make of a file or a folder."""
    if path.is_dir():
        files = tuple(sorted(file for file in path.rglob("*") if not file.is_dir()))
        return Source(path, path.name, files)
    return Source(path, path.name)


def as_jsonl(path: Path, *values: Any) -> Path:
    """Write values as a file of JSON Lines."""
    path.write_text("\n".join(map(json.dumps, values)) + "\n")
    return path


def load(
    case: Path, importer: Importer, *paths: Path, options: Options | None = None
) -> list[Exhibit]:
    """Load sources into a case, which is made if need be."""
    if not case.exists():
        case.write_bytes(empty_case())
    exhibits = []
    with CaseWriter(case) as writer:
        for path in paths:
            receipt = Receipt(
                path=str(path),
                sha256=sha256(str(path).encode()).hexdigest(),
                bytes=0,
                format=importer.name,
                importer=importer.name,
            )
            items = importer.read(source_of(path), options or Options())
            exhibits.append(writer.load(receipt, items))
    for exhibit in exhibits:
        told = exhibit.rows_kept + exhibit.rows_rejected + exhibit.rows_duplicate
        assert exhibit.rows_read == told
    return exhibits


def takers_of(path: Path) -> list[str]:
    """The importers of single files that recognise this one."""
    source = source_of(path)
    return [one.name for one in ALL if not one.of_folders and one.recognises(source)]


def load_whole(case: Path, importer: str, path: Path) -> Exhibit:
    """Load a file that just this importer recognises, and of which every row is kept."""
    assert takers_of(path) == [importer]
    (exhibit,) = load(case, get(importer), path)
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0
    return exhibit


def refusal_of(do: Callable[[], object]) -> str:
    """The code of the error with which something is refused; empty where it is done."""
    try:
        do()
    except CaseworkError as error:
        return error.code
    return ""


def rows(case: Path, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Ask the case."""
    database = _database()
    database.execute(f"ATTACH {literal(str(case))} AS asked (READ_ONLY)")
    try:
        database.execute("USE asked")
        return database.execute(sql, list(parameters)).fetchall()
    finally:
        database.execute("USE memory")
        database.execute("DETACH asked")


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for all cases that are asked: to start one takes longer than most questions."""
    return duckdb.connect(":memory:")


class Loaded:
    """The rows that an importer makes of a text or of JSON, and what it tells of the rest."""

    def __init__(self, folder: Path, importer: str, content: Any, name: str = "x.json") -> None:
        path = folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        self.case = folder / "case.duckdb"
        self.takers = takers_of(path)
        (self.exhibit,) = load(self.case, get(importer), path)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.case, sql)

    @property
    def rejects(self) -> list[tuple[str, str]]:
        return self.rows("SELECT locator, reason FROM rejects ORDER BY rowid")
