"""What a case remembers about itself: exhibits, rejects, custody. Plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One source as received. `rows_read = rows_kept + rows_rejected + rows_duplicate`, always.

    A source that is a folder of many small files (an MLflow store) is one exhibit: its `sha256`
    is the digest of the `sha256sum` listing of its files, sorted by path, and each file is
    listed in the table `exhibit_files`. `fields` names for each field of the source the columns
    that it fills, and `left_out` counts the values of the fields that the case holds nowhere.
    """

    id: str
    path: str
    sha256: str
    bytes: int
    format: str
    importer: str
    loaded_at: datetime
    rows_read: int
    rows_kept: int
    rows_rejected: int
    rows_duplicate: int
    tables: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RejectGroup:
    """Rejects of one exhibit that share a code: how many, and the first of them."""

    exhibit_id: str
    code: str
    count: int
    first_locator: str
    first_reason: str


@dataclass(frozen=True, slots=True)
class TableFill:
    """How full an evidence table is: rows, and the first and last instant where it has time."""

    table: str
    rows: int
    first: datetime | None
    last: datetime | None
    exhibits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """How the model behind each request of an exhibit is known; the counts add up to `requests`.

    `copied` are requests whose response model repeats the name that was called, in an exhibit
    where every request does: an instrumentation that copies it says nothing.
    """

    exhibit_id: str
    requests: int
    digest: int
    response_model: int
    copied: int
    nothing: int


@dataclass(frozen=True, slots=True)
class Concern:
    """Something about the evidence that must be known before it is relied on.

    `kind` is `counts`, `orphans`, `retries`, `backwards`, `future`, `ancient`, `silence`,
    `current_only`, `impossible`, `recount`, `censored` or `too_early`; `rows` is how many rows it
    is about, of `of` in all.
    """

    kind: str
    exhibit_id: str
    table: str
    rows: int
    of: int
    what: str


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """Who did what to the case, when, with which version and parameters."""

    sequence: int
    occurred_at: datetime
    actor: str
    action: str
    tool: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The identity of a case. `id` is a `urn:uuid:`, given once when the case is made."""

    id: str
    title: str
    created_at: datetime
    schema_version: int
