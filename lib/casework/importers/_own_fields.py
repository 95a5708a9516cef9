"""Own fields: a tag or metadata field whose name is a column of the table fills that column.

Only where the format has no field of its own for it. What cannot be read as the type of the
column stays where it was, and is told.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casework.case import Note
from casework.importers import _shape
from casework.importers._instants import Instants
from casework.tables import Column, Table
from casework.tables._table import FLAG, INSTANT, REAL, TEXT, WHOLE

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_WHOLE_LIMIT = 2**63


@dataclass
class OwnFields:
    """Takes own fields for the rows of one source, and remembers what could not be read."""

    instants: Instants
    _unreadable: dict[str, int] = field(default_factory=dict)

    def take(
        self, table: Table, fields: Mapping[str, Any], native: Collection[str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Split fields into values for columns of the table, and the rest.

        Args:
            table: the evidence table.
            fields: the tags or metadata.
            native: columns for which the format has a field of its own.
        """
        columns = {column.name: column for column in table.columns if column.name not in native}
        values: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, value in fields.items():
            if name not in columns or value is None or value == "":
                rest[name] = value
                continue
            try:
                values[name] = self._convert(value, columns[name])
            except ValueError:
                rest[name] = value
                self._unreadable[name] = self._unreadable.get(name, 0) + 1
        return values, rest

    def notes(self) -> Iterator[Note]:
        """Say which own fields could not be read as the type of their column."""
        for name, count in sorted(self._unreadable.items()):
            yield Note(f"{count} values of the own field {name!r} do not fit its column")

    def _convert(self, value: Any, column: Column) -> Any:
        if column.type == INSTANT:
            return self.instants.read(value)
        if column.type == "VARCHAR[]" and isinstance(value, list):
            return [str(item) for item in value]
        if isinstance(value, Mapping | list):
            raise ValueError("not a single value")
        read = {TEXT: _word, REAL: _real, WHOLE: _whole, FLAG: _flag}.get(column.type)
        if read is None:
            raise ValueError(f"no reader for {column.type}")
        found = read(value)
        if column.values and found not in column.values:
            raise ValueError(f"not one of {column.values}")
        return found


def _word(value: Any) -> str:
    return _shape.text(value) or str(value)


def _real(value: Any) -> float:
    found = _shape.number(float(value) if isinstance(value, str) else value)
    if found is None:
        raise ValueError("not a number")
    return found


def _whole(value: Any) -> int:
    found = _real(value)
    if found != int(found) or abs(found) >= _WHOLE_LIMIT:
        raise ValueError("not a whole number")
    return int(value) if isinstance(value, int) else int(found)


def _flag(value: Any) -> bool:
    try:
        return _FLAGS[str(value).strip().lower()]
    except KeyError as error:
        raise ValueError("neither true nor false") from error
