"""From the fields of a source to the columns of a table, by declaration, with an account of each.

An importer declares a `Form` for each kind of record that its source holds, and fills rows by it.
What a form does not name is kept in `attributes`, or left out where it says so; what is left out is
counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casework import canonical, words
from casework.case import Fields, Item, Note
from casework.importers._convert import convert, is_no_text
from casework.importers._instants import Instants, is_never
from casework.tables import ATTRIBUTES, Column, Table
from casework.tables._table import TEXT

MOST_PAIRS = 200_000
"""Rows that one record may make of each of its outputs with each of its inputs."""
_MOST_NAMES = 2_000
_OTHERS = "(others)"
_MOST_KINDS, _LONGEST_KIND = 50, 60
OF_ACCOUNTS = {"account_id": ("account_id",), "tier": ("tier",)}
"""Columns that own fields of a mark fill, of a person's as of a judge's."""
_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Form:
    """How records of one kind fill rows of one table.

    A path leads into a record with dots, `usage.input`; a key that holds dots itself is found
    too. Of several paths the first that is there, and can be read as the type of the column,
    counts; the others stay in `attributes`.

    Attributes:
        table: the evidence table.
        of: what the record is called in the account of fields, such as `observation`.
        columns: for each column the paths that fill it.
        uses: for each column that the importer makes itself the paths that it makes it from.
        own: paths of objects whose entries fill the column of their name, where no path does.
        left_out: paths that the case does not hold.
        keeps: whether what it does not name is kept in `attributes`; else it is left out.
    """

    table: Table
    of: str
    columns: Mapping[str, tuple[str, ...]]
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    keeps: bool = True


class FieldLog:
    """Fills rows from the records of one source, and remembers where each field went."""

    def __init__(self, timezone: str | None) -> None:
        self.instants = Instants(timezone)
        self._taken: dict[str, set[str]] = {}
        self._left_out: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()
        self._columns: dict[str, dict[str, Column]] = {}

    def fill(self, form: Form, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a row, `attributes` among them.

        Columns in `uses` are for the importer to set. A required column that is missing is for
        the loader to reject.
        """
        gone: set[str] = set()
        values = self._declared(form, record, gone)
        for column, paths in form.uses.items():
            for path in paths:
                if find(record, path) not in _EMPTY:
                    gone.add(path)
                    self.took(form, path, column)
        for path in form.own:
            self._own(form, record, path, values, gone)
        for path in form.left_out:
            if path not in gone and find(record, path) not in _EMPTY:
                gone.add(path)
                self._left_out[self._name(form, path, self._left_out)] += 1
        rest = _without(record, gone)
        for name in rest:
            if form.keeps:
                self.took(form, name, ATTRIBUTES)
            else:
                self._left_out[self._name(form, name, self._left_out)] += 1
        if rest and form.keeps:
            values[ATTRIBUTES] = canonical.plain(rest)
        return values

    def took(self, form: Form, path: str, column: str) -> None:
        """Note that a field fills a column."""
        name = self._name(form, path, self._taken)
        self._taken.setdefault(name, set()).add(f"{form.table.name}.{column}")

    def leave(self, name: str, count: int = 1) -> None:
        """Note that values of the source, as named, are held nowhere in the case."""
        if count:
            self._left_out[_bounded(name, self._left_out)] += count

    def leave_told(self, name: str, count: int, one: str = "") -> Iterator[Note]:
        """As `leave`, and say so; `one` names a single one, where more than its noun differs."""
        self.leave(name, count)
        if count:
            told = words.several(count, one, name) if one else words.count(count, name)
            yield Note(f"left out: {told}")

    def items(self) -> Iterator[Item]:
        """Give the account of all fields, and what a reader should know of them."""
        yield Fields(
            {name: sorted(columns) for name, columns in self._taken.items()}, dict(self._left_out)
        )
        yield from self.instants.notes()
        for name, count in sorted(self._unreadable.items()):
            one = f"value of {name} cannot be read, and is kept as an attribute"
            more = f"values of {name} cannot be read, and are kept as attributes"
            yield Note(words.several(count, one, more))

    def _declared(self, form: Form, record: Mapping[str, Any], gone: set[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for column, paths in form.columns.items():
            for path in paths:
                if self._fills(form, column, path, find(record, path), values, gone):
                    break
        return values

    def _own(
        self,
        form: Form,
        record: Mapping[str, Any],
        path: str,
        values: dict[str, Any],
        gone: set[str],
    ) -> None:
        inner = record if path == "" else find(record, path)
        if not isinstance(inner, Mapping):
            return
        native = {*form.uses, *values, ATTRIBUTES}
        for name, value in inner.items():
            if name in self._of(form.table) and name not in native:
                full = f"{path}.{name}" if path else name
                self._fills(form, name, full, value, values, gone)

    def _fills(
        self,
        form: Form,
        column: str,
        path: str,
        value: Any,
        values: dict[str, Any],
        gone: set[str],
    ) -> bool:
        kind = self._of(form.table)[column]
        if value in _EMPTY or (kind.is_open_end and is_never(value)):
            return False
        if kind.type == TEXT and is_no_text(value):
            gone.add(path)
            return False
        try:
            values[column] = convert(value, kind, self.instants)
        except ValueError:
            self._unreadable[self._name(form, path, self._unreadable)] += 1
            return False
        gone.add(path)
        self.took(form, path, column)
        return True

    def _of(self, table: Table) -> dict[str, Column]:
        if table.name not in self._columns:
            self._columns[table.name] = {column.name: column for column in table.columns}
        return self._columns[table.name]

    @staticmethod
    def _name(form: Form, path: str, known: Mapping[str, Any]) -> str:
        """The name of a field in the account."""
        return _bounded(f"{form.of}.{path}" if form.of else path, known)


def tally(kinds: Counter[str], name: str) -> None:
    """Count a record by the kind that its source names; kinds may be many and their names long."""
    name = name[:_LONGEST_KIND]
    kinds[name if name in kinds or len(kinds) < _MOST_KINDS else _OTHERS] += 1


def _bounded(name: str, known: Mapping[str, Any]) -> str:
    """The name, or that of all others: a source may invent names without end."""
    return name if name in known or len(known) < _MOST_NAMES else _OTHERS


def find(record: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path of a record, or None."""
    if path in record:
        return record[path]
    head, dot, rest = path.partition(".")
    while dot:
        inner = record.get(head)
        if isinstance(inner, Mapping) and (value := find(inner, rest)) is not None:
            return value
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def _without(record: Mapping[str, Any], gone: set[str]) -> dict[str, Any]:
    """Copy a record without the paths that are gone, and without what is empty."""
    rest: dict[str, Any] = {}
    for key, value in record.items():
        if key in gone or value in _EMPTY:
            continue
        deeper = {path[len(key) + 1 :] for path in gone if path.startswith(f"{key}.")}
        if deeper and isinstance(value, Mapping):
            value = _without(value, deeper)
            if not value:
                continue
        rest[key] = value
    return rest
