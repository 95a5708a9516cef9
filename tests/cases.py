"""What tests make their cases with: an empty one to copy, and one reader for all loads."""

import atexit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest

from casework.case import Case, CaseWriter, Item, Receipt
from casework.case._schema import VERSION
from casework.diagnoses import get
from casework.findings import Result
from casework.intake import Confined


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
