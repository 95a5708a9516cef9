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


Place = tuple[str | None, str]
"""The trace of a span, where it is known, and the span."""


class _Held(NamedTuple):
    row: Row
    trace_id: str | None
    span_id: str | None


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
        self._rows: list[_Held] = []

    @property
    def traces(self) -> set[str]:
        """The traces that are waited for."""
        return {held.trace_id for held in self._rows if held.trace_id}

    @property
    def spans(self) -> set[Place]:
        """The calls whose requests are waited for."""
        return {(held.trace_id, held.span_id) for held in self._rows if held.span_id}

    def add(self, row: Row, trace_id: str | None, span_id: str | None = None) -> None:
        """Let a row wait for a request: that of the call `span_id`, where one is given."""
        self._rows.append(_Held(row, trace_id, span_id))

    def rows(
        self, calls: Mapping[str, str], requests: Mapping[Place, str] | None = None
    ) -> Iterator[Row]:
        """Yield the rows with their request, else the one of their trace, where there is just one.

        Args:
            calls: the request of each trace that has just one.
            requests: the request of each of `spans`.
        """
        for row, trace_id, span_id in self._rows:
            request = row.values.get("request_id") or calls.get(trace_id or "")
            if span_id and requests:
                request = requests[trace_id, span_id]
            yield row._replace(values={**row.values, "request_id": request})
        self._rows.clear()
