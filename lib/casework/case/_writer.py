"""The one that writes to a case: loads, the custody log, results. There is one at a time."""

import getpass
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import duckdb

from casework import canonical
from casework.case._connection import connect_writing, first, in_utf8
from casework.case._items import Item, Receipt
from casework.case._loading import Loading
from casework.case._schema import VERSION, build, stored_version
from casework.case._transaction import transaction
from casework.errors import CaseworkError, UsageError
from casework.findings import Result
from casework.records import Exhibit


class CaseWriter:
    """Write access to a case file, as a context manager.

    Raises:
        CaseworkError: CASE_MISSING, CASE_LOCKED, NOT_A_CASE, CASE_NEWER, CASE_HOLDS_CODE.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise CaseworkError(
                "CASE_MISSING", "there is no such case", "make it with `casework new`",
                where=str(path),
            )  # fmt: skip
        self.path = path
        self._connection = connect_writing(path)
        try:
            if stored_version(self._connection, str(path)) < VERSION:
                self._migrate()
        except CaseworkError:
            self._connection.close()
            raise

    @classmethod
    def create(cls, path: Path, title: str) -> None:
        """Make an empty case.

        Raises:
            CaseworkError: CASE_EXISTS, CASE_NOT_WRITABLE, NOT_UNICODE, BAD_CLOCK.
        """
        in_utf8(f"{path}{title}", "the path or the title")
        if path.exists():
            raise CaseworkError(
                "CASE_EXISTS", "there is such a file already", "choose another name",
                where=str(path),
            )  # fmt: skip
        created = now()
        try:
            connection = connect_writing(path)
        except CaseworkError as error:
            raise CaseworkError(
                "CASE_NOT_WRITABLE", error.what, "choose a folder that is there and can be "
                "written to", where=str(path),
            ) from None  # fmt: skip
        facts = {
            "id": f"urn:uuid:{uuid4()}",
            "title": title or path.stem,
            "created_at": canonical.instant(created),
            "schema_version": str(VERSION),
        }
        try:
            with transaction(connection, path):
                build(connection)
                connection.executemany("INSERT INTO case_info VALUES (?, ?)", list(facts.items()))
                _log(connection, "new", {"title": facts["title"], "id": facts["id"]})
        except BaseException:
            connection.close()
            for file in (path, path.with_name(f"{path.name}.wal")):
                file.unlink(missing_ok=True)  # it would be no case, and in the way of the next
            raise
        connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the case."""
        self._connection.close()

    def loaded_as(self, sha256: str) -> str | None:
        """Path under which these bytes were loaded before, if they were."""
        row = first(
            self._connection, "SELECT path FROM exhibits WHERE sha256 = $sha", {"sha": sha256}
        )
        return str(row[0]) if row else None

    def load(
        self, receipt: Receipt, items: Iterable[Item], given: Mapping[str, Any] | None = None
    ) -> Exhibit:
        """Write all rows of one source, or none.

        Args:
            receipt: the source as it was received.
            items: what was read of it.
            given: what the person who loads said about it, for custody.

        Raises:
            CaseworkError: CASE_NOT_WRITABLE, EXHIBIT_CLASH, and whatever the importer raises;
                nothing of the source is then kept.
        """
        with transaction(self._connection, self.path):
            return self._load(receipt, items, given or {})

    def _load(self, receipt: Receipt, items: Iterable[Item], given: Mapping[str, Any]) -> Exhibit:
        self._refuse_clash(receipt)
        with Loading(self._connection, receipt.exhibit_id) as loading:
            loading.take(items)
            kept = loading.settle()
        exhibit = Exhibit(
            id=receipt.exhibit_id,
            path=receipt.path,
            sha256=receipt.sha256,
            bytes=receipt.bytes,
            format=receipt.format,
            importer=receipt.importer,
            loaded_at=now(),
            rows_read=loading.read,
            rows_kept=sum(kept.values()),
            rows_rejected=loading.count("rejects"),
            rows_duplicate=loading.count("duplicates"),
            tables=kept,
            notes=tuple(loading.notes),
            fields={name: sorted(columns) for name, columns in sorted(loading.fields.items())},
            left_out=dict(sorted(loading.left_out.items())),
        )
        self._store(exhibit, receipt, given)
        return exhibit

    def _refuse_clash(self, receipt: Receipt) -> None:
        """Refuse other bytes of the same id: who sends both can find such by trying."""
        row = first(
            self._connection,
            "SELECT path FROM exhibits WHERE exhibit_id = $id AND sha256 <> $sha",
            {"id": receipt.exhibit_id, "sha": receipt.sha256},
        )
        if row:
            raise CaseworkError(
                "EXHIBIT_CLASH", f"its SHA-256 begins as that of {row[0]}, which no chance does",
                "load it into a case of its own", where=receipt.path,
            )  # fmt: skip

    def _store(self, exhibit: Exhibit, receipt: Receipt, given: Mapping[str, Any]) -> None:
        facts = [_stored(getattr(exhibit, name)) for name in exhibit.__slots__]
        marks = ", ".join("?" * len(facts))
        self._connection.execute(f"INSERT INTO exhibits VALUES ({marks})", facts)
        if receipt.files:
            self._connection.executemany(
                "INSERT INTO exhibit_files VALUES (?, ?, ?, ?)",
                [(exhibit.id, *file) for file in receipt.files],
            )
        counts = {
            "exhibit": exhibit.id, "path": exhibit.path, "sha256": exhibit.sha256,
            "importer": exhibit.importer, "read": exhibit.rows_read, "kept": exhibit.rows_kept,
            "rejected": exhibit.rows_rejected, "duplicate": exhibit.rows_duplicate,
            **({"given": given} if given else {}),
        }  # fmt: skip
        _log(self._connection, "load", counts)

    def store(self, results: Iterable[Result], exhibits: int | None = None) -> None:
        """Keep the results of a run; each run is one custody entry.

        Args:
            results: what was concluded.
            exhibits: how many the case had when it was asked; None where that is not to be seen to.

        Raises:
            CaseworkError: CASE_CHANGED, others were loaded since; CASE_NOT_WRITABLE.
        """
        held = first(self._connection, "SELECT count(*) FROM exhibits")
        if exhibits is not None and held != (exhibits,):
            raise CaseworkError(
                "CASE_CHANGED", "evidence was loaded while it was diagnosed", "diagnose it again",
                where=str(self.path),
            )  # fmt: skip
        results = list(results)
        detail = {
            result.diagnosis: {
                "verdict": result.verdict,
                "given": {
                    name: parameter.value
                    for name, parameter in result.parameters.items()
                    if parameter.source == "given"
                },
            }
            for result in results
        }
        with transaction(self._connection, self.path):
            sequence = _log(self._connection, "diagnose", detail)
            self._connection.executemany(
                "INSERT INTO results VALUES (?, ?, ?, ?)",
                [(sequence, r.diagnosis, r.verdict, canonical.dumps(r)) for r in results],
            )

    def _migrate(self) -> None:
        with transaction(self._connection, self.path):
            build(self._connection)
            self._connection.execute("DELETE FROM case_info WHERE key = 'schema_version'")
            self._connection.execute(
                "INSERT INTO case_info VALUES ('schema_version', ?)", [VERSION]
            )
            _log(self._connection, "migrate", {"to": VERSION})


def _log(connection: duckdb.DuckDBPyConnection, action: str, detail: Mapping[str, Any]) -> int:
    """Write a custody entry; return its number."""
    from casework import __version__

    row = first(
        connection,
        """
        INSERT INTO custody
        SELECT coalesce(max(sequence), 0) + 1, $at, $actor, $action, $tool, $detail FROM custody
        RETURNING sequence
        """,
        {
            "at": now(),
            "actor": f"{_user()}@{platform.node()}",
            "action": action,
            "tool": f"casework {__version__}, duckdb {duckdb.__version__}",
            "detail": canonical.dumps(dict(detail)),
        },
    )
    return int(row[0]) if row else 0


def _stored(fact: Any) -> Any:
    if isinstance(fact, Mapping):
        return canonical.dumps(fact)
    return list(fact) if isinstance(fact, tuple) else fact


def _user() -> str:
    """The name of the user; in a container there may be a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def now() -> datetime:
    """The clock of the custody log: the machine's, or SOURCE_DATE_EPOCH where that is set.

    Raises:
        UsageError: BAD_CLOCK, that is no number of seconds of a year to 9999.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            "BAD_CLOCK", f"SOURCE_DATE_EPOCH is {epoch!r}", "give seconds since 1970, or unset it"
        ) from None
