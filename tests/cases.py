"""What tests make their cases with: an empty one to copy, and one reader for all loads."""

import atexit
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy.typing as npt
import pytest

from casework.case import Batch, Case, CaseWriter, Item, Receipt
from casework.case._connection import _HARDENING
from casework.case._schema import VERSION
from casework.diagnoses import get
from casework.findings import Result
from casework.intake import Confined
from casework.tables import Table
from casework.tables import get as table_named
from casework.tables._table import ATTRIBUTES, INSTANT, TEXT, VECTOR

Columns = Mapping[str, Sequence[Any] | npt.NDArray[Any]]


def _instant(said: Any) -> datetime:
    """An instant as text or of numpy; without a zone it is UTC, as for a file."""
    read = datetime.fromisoformat(str(said))
    return read if read.tzinfo else read.replace(tzinfo=UTC)


# What else there is goes to Arrow as it stands, which refuses what is not of the type.
_READ: dict[str, Callable[[Any], Any]] = {
    INSTANT: _instant,
    TEXT: str,
    VECTOR: lambda parts: [float(part) for part in parts],  # one that lacks a part is a reject
}


@cache
def empty_case() -> bytes:
    """The file of a case without evidence, made once: making one takes longer than most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "empty.duckdb")
        CaseWriter.create(path, "empty")
        return path.read_bytes()


def also(*more: tuple[Any, ...]) -> Iterator[Any]:
    """Parameters that tell the same story as those beside them; `make test-slow` runs these."""
    return (pytest.param(*one, marks=pytest.mark.slow) for one in more)


@contextmanager
def no_look_into_the_file() -> Iterator[None]:
    """Open cases without a look for code in them, two thirds of what it takes to open one.

    For tests of what is done with evidence, whose cases are copies of `empty_case`; those of
    `tests/case` show that a case is looked into.
    """
    with (
        patch("casework.case._reader.stored_version", return_value=VERSION),
        patch("casework.case._writer.stored_version", return_value=VERSION),
    ):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Open cases with one thread of DuckDB each: for small cases more cost time."""
    with patch("casework.case._connection._HARDENING", (*_HARDENING, "SET threads = 1")):
        yield


def all_threads() -> AbstractContextManager[Any]:
    """Open cases as users do, even within `one_thread`."""
    return patch("casework.case._connection._HARDENING", _HARDENING)


@cache
def shared_reader() -> Confined:
    """The confined reader of all loads of this process: to start one takes half a second."""
    reader = Confined()
    atexit.register(reader.__exit__, None, None, None)
    return reader


def diagnose_rows(
    folder: Path, name: str, rows: Sequence[Item], more: Sequence[Item] = (), **settings: Any
) -> Result:
    """Diagnose a case that holds exactly these rows, and more of another exhibit."""
    path = folder / "case.duckdb"
    path.write_bytes(empty_case())
    with CaseWriter(path) as writer:
        writer.load(Receipt("rows", "ab" * 32, 1, "rows", "test"), rows)
        if more:
            writer.load(Receipt("more", "ef" * 32, 1, "rows", "test"), more)
    with Case(path) as case:
        return get(name)(case, **settings)


def load_tables(path: Path, **tables: Columns) -> None:
    """Load tables, each an exhibit, as if they came as JSON Lines: in a third of the time."""
    with CaseWriter(path) as writer:
        for name, columns in tables.items():
            digest = sha256(name.encode()).hexdigest()
            receipt = Receipt(f"{name}.jsonl", digest, 1, "json", "table_file")
            writer.load(receipt, [_batch(table_named(name), columns)])


def _batch(table: Table, given: Columns) -> Batch:
    """The rows of a table; columns of no name of its own go where `table_file` puts them."""
    columns = {name: _values(table, name, given[name]) for name in given
               if name in table.column_names}  # fmt: skip
    rest = {name: given[name] for name in sorted(given.keys() - columns.keys())}
    if rest:
        rows = [{name: value for name, value in zip(rest, row, strict=True) if value is not None}
                for row in zip(*rest.values(), strict=True)]  # fmt: skip
        columns[table.covariates or ATTRIBUTES] = rows if table.covariates else _texts(rows)
    count = len(next(iter(given.values())))
    return Batch(table, {**columns, "locator": [f"line {n}" for n in range(1, count + 1)]})


def _texts(rows: list[dict[str, Any]]) -> list[str]:
    """As DuckDB writes JSON."""
    return [json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows]


def _values(table: Table, name: str, said: Iterable[Any]) -> list[Any]:
    column = table.column(name)
    read = _READ.get(column.type, lambda value: value)
    missing = (None,) if column.may_be_empty else (None, "")
    return [None if value in missing else read(value) for value in said]
