"""SQLite databases from strangers, read and never written."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from casework.case import Note
from casework.errors import CaseworkError
from casework.importers._source import Source, storable

MAGIC = b"SQLite format 3\x00"
_MOST_BYTES = 64 << 20


@contextmanager
def open_database(source: Source) -> Iterator[sqlite3.Connection]:
    """Open a database for reading, as it lies there: no journal is replayed, no code of it runs.

    Bytes of a text that are no UTF-8 come as escapes, as `backslashreplace` does.

    Raises:
        CaseworkError: DATABASE, it is none or damaged, now or while it is read.
    """
    try:
        with closing(_connect(source.path)) as connection:
            yield connection
    except (sqlite3.Error, UnicodeError) as error:
        if "too big" in str(error):
            what = f"a value of the database is larger than {_MOST_BYTES >> 20} MiB"
            fix = "take the row with that value out of a copy, and load the copy"
            raise CaseworkError("DATABASE", what, fix, where=source.name) from error
        what = f"not a readable SQLite database: {error}"
        raise CaseworkError("DATABASE", what, "copy it while nobody writes to it, with its -wal "
                            "file checkpointed", where=source.name) from error  # fmt: skip


def unread_journal(source: Source) -> Iterator[Note]:
    """Say that a `-wal` file lies beside a database: what stands only there is not read."""
    journal = source.path.with_name(f"{source.path.name}-wal")
    if journal.is_file() and journal.stat().st_size:
        yield Note(f"rows that stand only in {storable(journal.name)} were not read: checkpoint "
                   "the database (PRAGMA wal_checkpoint) and load it again")  # fmt: skip


def columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Columns of each table."""
    names = [str(row[0]) for row in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'")]  # fmt: skip
    return {
        name: {str(row[0]) for row in
               connection.execute("SELECT name FROM pragma_table_info(?)", [name])}
        for name in names
    }  # fmt: skip


def table_names(source: Source) -> set[str]:
    """Names of the tables; none where the source is no database."""
    if not source.head().startswith(MAGIC) or source.compression:
        return set()
    try:
        with closing(_connect(source.path)) as connection:
            listed = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            return {str(row[0]) for row in listed}
    except (sqlite3.Error, UnicodeDecodeError):
        return set()


def rows(
    connection: sqlite3.Connection, table: str, order: str = "rowid"
) -> Iterator[dict[str, Any]]:
    """Rows of a table as objects, with their `rowid`. Names are ours, never of the source."""
    yield from select(connection, f"SELECT rowid AS rowid, * FROM {table} ORDER BY {order}")


def select(connection: sqlite3.Connection, sql: str) -> Iterator[dict[str, Any]]:
    """Rows of a query as objects. Its text is ours; of two columns of one name the last counts."""
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _connect(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True)
    connection.text_factory = _text
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    _skip_what_would_run(connection)
    return connection


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _skip_what_would_run(connection: sqlite3.Connection) -> None:
    """Leave out of the schema what calls functions that SQLite does not trust.

    To SQLite before 3.41 `json_extract` is one, with which Phoenix makes indexes. With this pragma
    entries that cannot be used are passed over; it writes nothing, the file is open for reading.
    """
    try:
        connection.execute("SELECT 1 FROM sqlite_schema")
    except sqlite3.DatabaseError as error:
        if "unsafe use of" in str(error):
            connection.execute("PRAGMA writable_schema = ON")
