"""Own fields: a tag or metadata field whose name is a column of the table fills that column.

Only where the format has no field of its own for it. What cannot be read as the type of the
column stays where it was, and is told.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casework.case import Fields, Note
from casework.importers._convert import convert
from casework.importers._instants import Instants, is_never
from casework.tables import Table
from casework.words import several


@dataclass
class OwnFields:
    """Takes own fields for the rows of one source, and remembers what became of each."""

    instants: Instants
    _taken: dict[str, set[str]] = field(default_factory=dict)
    _unreadable: dict[str, int] = field(default_factory=dict)

    def take(
        self,
        table: Table,
        fields: Mapping[str, Any],
        native: Collection[str],
        of: str = "metadata",
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Split fields into values for columns of the table, and the rest.

        Args:
            table: the evidence table.
            fields: the tags or metadata.
            native: columns for which the format has a field of its own.
            of: where the fields stand, as in the account of fields.
        """
        columns = {column.name: column for column in table.columns if column.name not in native}
        values: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, value in fields.items():
            if name not in columns or value is None or value == "":
                rest[name] = value
                continue
            if columns[name].is_open_end and is_never(value):
                rest[name] = value
                continue
            try:
                values[name] = convert(value, columns[name], self.instants)
            except ValueError:
                rest[name] = value
                self._unreadable[name] = self._unreadable.get(name, 0) + 1
            else:
                self._taken.setdefault(f"{of}.{name}", set()).add(f"{table.name}.{name}")
        return values, rest

    def account(self) -> Fields:
        """Which own fields filled which columns."""
        return Fields({name: sorted(columns) for name, columns in self._taken.items()}, {})

    def notes(self) -> Iterator[Note]:
        """Say which own fields could not be read as the type of their column."""
        for name, count in sorted(self._unreadable.items()):
            one = f"value of the own field {name!r} does not fit its column"
            more = f"values of the own field {name!r} do not fit its column"
            yield Note(several(count, one, more))
