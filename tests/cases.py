"""What tests make their cases with: an empty one to copy, and one reader for all loads."""

import atexit
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from casework.case import CaseWriter
from casework.intake import Confined


@cache
def empty_case() -> bytes:
    """The file of a case without evidence, made once: making one takes longer than most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "empty.duckdb")
        CaseWriter.create(path, "empty")
        return path.read_bytes()


@cache
def shared_reader() -> Confined:
    """The confined reader of all loads of this process: to start one takes half a second."""
    reader = Confined()
    atexit.register(reader.__exit__, None, None, None)
    return reader
