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

    @property
    def characters(self) -> int:
        """How many characters its texts have, those in `attributes` among them."""
        return _characters(dict(self.values))


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
    """Rows that DuckDB reads from a source, in the order of the source; `pack` makes items of it.

    `query` gives the columns of `columns`, then `reason`, why a row cannot be used, and `raw`, the
    row as it stands; both are NULL where it can be used. Then come any number of truth values.
    Where `columns` has no `locator`, rows are located by their number, from 1.
    """

    table: Table
    columns: tuple[str, ...]
    query: str
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


class Again(NamedTuple):
    """What came of the source so far is void: it comes again, read in another way."""


Item = Row | Batch | Packed | Reject | Note | Fields | Again


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


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_characters, value.values()))
    if isinstance(value, list) and value and not isinstance(value[0], float):
        return sum(map(_characters, value))
    return 0
