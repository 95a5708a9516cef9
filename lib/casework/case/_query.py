"""A named evidence query: one SELECT, in DuckDB's dialect, that an auditor can run as it stands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from typing import Any

_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")
_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_][a-z0-9_]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT over the evidence tables, with `$named` parameters only.

    `uses` are queries that this one reads by their id, as if they were tables. `text()` puts
    them in front as WITH clauses, so that the text can be pasted into any DuckDB client. `sql`
    itself must not begin with WITH.
    """

    id: str
    sql: str
    caption: str = ""
    uses: tuple["Query", ...] = ()

    def parts(self) -> tuple["Query", ...]:
        """All queries that this one rests on, each once, before the ones that read it."""
        found: dict[str, Query] = {}
        self._gather(found)
        return tuple(found.values())

    def _gather(self, found: dict[str, "Query"]) -> None:
        for used in self.uses:
            if found.get(used.id) is not used:  # else its own parts are there already
                used._gather(found)
                found.setdefault(used.id, used)

    def text(self, held: frozenset[str] = frozenset()) -> str:
        """The whole statement. Parts whose ids are `held` are taken to be tables already."""
        parts = [part for part in self.parts() if part.id not in held]
        if not parts:
            return _clean(self.sql)
        clauses = ",\n".join(f"{part.id} AS (\n{_clean(part.sql)}\n)" for part in parts)
        return f"WITH {clauses}\n{_clean(self.sql)}"

    def parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the values that the whole statement names."""
        return _named(self.text(), values)

    def tables(self) -> tuple[str, ...]:
        """Names that the whole statement reads from, parts and evidence tables alike."""
        return tuple(sorted({name.lower() for name in _TABLE.findall(self.text())}))


@cache
def _clean(sql: str) -> str:
    """Without the indentation of the module that holds it; a few hundred texts, asked for often."""
    return cleandoc(sql)


def _named(sql: str, values: Mapping[str, Any]) -> dict[str, Any]:
    names = set(_PARAMETER.findall(sql))
    return {name: value for name, value in values.items() if name in names}
