"""Records of Langfuse as its exports write them: names of the database, and CSV.

A blob storage export has the names of the database, `trace_id` for `traceId`. A CSV export has
JSON in its cells: objects, lists, and in older versions instants with the quotes of a JSON string.
"""

import re
from collections.abc import Mapping
from typing import Any

from casework.importers._json_document import decoded
from casework.importers._thumbs import as_number

_OF_DATABASE = (
    {"trace_id", "start_time", "parent_observation_id", "type"},
    {"trace_id", "observation_id", "data_type", "source"},
    {"user_id", "session_id", "release", "bookmarked", "timestamp"},
)
_NUMBERS = ("value", "latency")
_UNDERSCORE = re.compile(r"_([a-z])")


def renamed(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record under the names of the API, where it has those of the database."""
    if not any(names <= record.keys() for names in _OF_DATABASE):
        return record
    return {_UNDERSCORE.sub(lambda found: found[1].upper(), name): value
            for name, value in record.items()}  # fmt: skip


def from_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a CSV export with the JSON of its cells read."""
    found = {name: _read(value) for name, value in row.items()}
    for name in _NUMBERS:
        if (number := as_number(found.get(name))) is not None:
            found[name] = number
    return found


def _read(cell: Any) -> Any:
    if isinstance(cell, str) and cell[:1] in ("{", "[", '"'):
        try:
            return decoded(cell)
        except ValueError:
            return cell
    return cell
