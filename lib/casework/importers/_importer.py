"""What an importer is: it recognises a source by its content and yields evidence rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casework.case import Item
from casework.importers._source import Source
from casework.tables import Table


@dataclass(frozen=True, slots=True)
class Options:
    """What the person who loads says about a source.

    `table` is that of `--as`; `mapping` the parsed file of `--map`; `timezone` an IANA name for
    instants without a zone.
    """

    table: Table | None = None
    mapping: Mapping[str, Any] | None = None
    timezone: str | None = None

    @property
    def names_table(self) -> bool:
        """Whether the table is said, and not to be taken from the name of each file."""
        return self.table is not None or "table" in (self.mapping or {})


@dataclass(frozen=True, slots=True)
class Shares:
    """How several processes read one source together, to the same items as `read`.

    `fits` says whether they can; `read` yields, encoded, every `step`-th piece of the source from
    the `first` on; `join` makes items of all pieces in their order, and raises ValueError where one
    is not what `read` yields.
    """

    fits: Callable[[Source], bool]
    read: Callable[[Source, int, int], Iterator[memoryview]]
    join: Callable[[Iterable[memoryview]], Iterator[Item]]


@dataclass(frozen=True, slots=True)
class Importer:
    """One source format. The module docstring is its manual page.

    `recognises` looks at the content first and at the name second, quickly, and never raises.
    `read` yields items in the order of the source. It raises CaseworkError where the source as
    a whole cannot be read; a bad row is a `Reject` and never stops the others.
    An importer `of_folders` takes folders that are one export, and is asked for each folder. The
    folders within that match a pattern of `apart` are no part of it, and are searched themselves.
    """

    name: str
    doc: str
    tables: tuple[Table, ...]
    recognises: Callable[[Source], bool]
    read: Callable[[Source, Options], Iterator[Item]]
    of_folders: bool = False
    apart: tuple[str, ...] = ()
    shares: Shares | None = None

    @property
    def title(self) -> str:
        """The first line of the manual page."""
        return self.doc.strip().splitlines()[0].rstrip(".")
