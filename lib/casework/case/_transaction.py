"""A transaction on a case: all of it or nothing, and a full disk is said to be one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from casework.case._connection import first_line, interrupted
from casework.errors import CaseworkError

_OF_THE_DISK = (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException)


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """Write all that is written within, or nothing of it.

    Raises:
        CaseworkError: CASE_NOT_WRITABLE.
    """
    try:
        connection.execute("BEGIN")
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        with suppress(duckdb.Error):  # what could not be committed is rolled back already
            connection.execute("ROLLBACK")
        if isinstance(error, _OF_THE_DISK):
            fix = "see that the disk has room, then try again"
            raise CaseworkError(
                "CASE_NOT_WRITABLE", first_line(error), fix, where=str(path)
            ) from None
        if isinstance(error, RuntimeError):
            raise interrupted(error) from None
        raise
