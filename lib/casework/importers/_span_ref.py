"""The span that a row comes from, and rows that point at the one model call of its trace."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from casework.case import Row


class SpanRef(NamedTuple):
    """Ids of a span, as text or None; when it began and ended; whether it is a model call."""

    trace_id: str | None
    span_id: str | None
    begun: Any
    ended: Any
    is_call: bool


class Calls:
    """The model calls of each trace, of which only whether it is one is remembered."""

    def __init__(self) -> None:
        self._of: dict[str, str | None] = {}

    def add(self, trace_id: str, request_id: str) -> None:
        """Remember a call."""
        if self._of.setdefault(trace_id, request_id) != request_id:
            self._of[trace_id] = None

    def alone(self) -> dict[str, str]:
        """The request of each trace that has just one."""
        return {trace: request for trace, request in self._of.items() if request}


class Waiting:
    """Rows that wait until all calls of their traces are known."""

    def __init__(self) -> None:
        self._rows: list[tuple[Row, str | None]] = []

    @property
    def traces(self) -> set[str]:
        """The traces that are waited for."""
        return {trace_id for _, trace_id in self._rows if trace_id}

    def add(self, row: Row, trace_id: str | None) -> None:
        """Let a row wait that may name no request."""
        self._rows.append((row, trace_id))

    def rows(self, calls: Mapping[str, str]) -> Iterator[Row]:
        """Yield the rows with the one call of their trace, where there is just one."""
        for row, trace_id in self._rows:
            request = row.values.get("request_id") or calls.get(trace_id or "")
            yield row._replace(values={**row.values, "request_id": request})
        self._rows.clear()
