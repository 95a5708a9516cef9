"""Where results of promptfoo stand, which version 2 says in a table alone.

A row of `table.body` is a test, a column of `table.head.prompts` a prompt with its provider.
Results of version 2 bear no numbers of them, and concurrent ones are in the order in which they
ended.
"""

from collections.abc import Mapping
from typing import Any

from casework.importers._shape import mapping, sequence, text, written


class Places:
    """Numbers of prompts and tests of an evaluation, by what its results say of themselves."""

    def __init__(self, held: Mapping[str, Any]) -> None:
        """Read `results` of an export."""
        table = mapping(held.get("table"))
        head = mapping(table.get("head"))
        self.prompts = [
            mapping(one) for one in sequence(held.get("prompts")) or sequence(head.get("prompts"))
        ]
        columns = [(text(one.get("provider")), text(one.get("label"))) for one in self.prompts]
        self._columns = {column: place for place, column in reversed(list(enumerate(columns)))}
        self._names = [text(name) or "" for name in sequence(head.get("vars"))]
        rows = [tuple(map(_cell, sequence(mapping(row).get("vars"))))
                for row in sequence(table.get("body"))]  # fmt: skip
        self._rows = {row: place for place, row in reversed(list(enumerate(rows)))}

    def prompt(self, result: Mapping[str, Any]) -> str | None:
        """Number of the prompt of a result; None where nothing says it."""
        said = text(result.get("promptIdx"))
        if said is not None:
            return said
        provider, label = mapping(result.get("provider")), mapping(result.get("prompt"))
        for name in ("label", "id"):
            place = self._columns.get((text(provider.get(name)), text(label.get("label"))))
            if place is not None:
                return str(place)
        return None

    def test(self, result: Mapping[str, Any]) -> str | None:
        """Number of the test of a result, the first of those with its variables."""
        said = text(result.get("testIdx"))
        if said is not None:
            return said
        given = mapping(result.get("vars"))
        row = tuple(_cell(given.get(name)) for name in self._names)
        place = self._rows.get(row)
        return None if place is None else str(place)


def _cell(value: Any) -> str | None:
    """A variable as the table shows it: text as it is, nothing as an empty text, else JSON."""
    return value if isinstance(value, str) else "" if value is None else written(value)
