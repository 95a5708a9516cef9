"""What an importer yields while it reads a source, and how a source is received."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from casework.tables import Table


class Row(NamedTuple):
    """One evidence row. `values` holds Python values of the types of the columns.

    Instants are aware datetimes or integers (microseconds since 1970, UTC); `attributes` is a
    mapping. Columns that are not named are NULL.
    """

    table: Table
    locator: str
    values: Mapping[str, Any]


class Batch(NamedTuple):
    """Many rows of one table by column, for formats that come by the million.

    All lists have one length; one of the columns is `locator`.
    """

    table: Table
    columns: Mapping[str, list[Any]]


class Packed(NamedTuple):
    """Many rows of one table as an Arrow table: columns of the evidence table, and `locator`."""

    table: Table
    content: pa.Table


class Select(NamedTuple):
    """Rows that DuckDB reads from the source itself.

    `kept` selects the columns of `columns` in order, the last of which is `locator`; `rejected`
    selects `locator`, `code`, `reason`, `raw` of the rows that `kept` leaves out; `total`
    gives the number of rows in the source. All take the parameters `params`.
    """

    table: Table
    columns: tuple[str, ...]
    kept: str
    rejected: str
    total: str
    params: Mapping[str, Any]


class Reject(NamedTuple):
    """A row of the source that cannot be used, with the reason."""

    locator: str
    code: str
    reason: str
    raw: str
    table: Table | None = None


class Note(NamedTuple):
    """Something about the source as a whole that a reader should know, such as fields left out."""

    text: str


class Fields(NamedTuple):
    """Where the fields of the source went. All that one source yields are taken together.

    `taken` names, for a field, the columns that it fills, as `requests.endpoint`; a field that
    is kept as it stands fills `requests.attributes`. `left_out` counts, by field, the values that
    the case holds nowhere.
    """

    taken: Mapping[str, Collection[str]]
    left_out: Mapping[str, int]


Item = Row | Batch | Packed | Select | Reject | Note | Fields


@dataclass(frozen=True, slots=True)
class Receipt:
    """A source as it was received, before its rows are read.

    `files` lists path, SHA-256 and size of each file of a source that is a folder.
    """

    path: str
    sha256: str
    bytes: int
    format: str
    importer: str
    files: tuple[tuple[str, str, int], ...] = field(default=())

    @property
    def exhibit_id(self) -> str:
        """Id of the exhibit: the same bytes have the same id everywhere."""
        return self.sha256[:16]
