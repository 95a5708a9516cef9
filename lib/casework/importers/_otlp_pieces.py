"""What is read of a source of OTLP, by the piece, so that several processes can read it together.

A piece is a run of documents. Whatever depends on the pieces before it is left to `Joined`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from casework.case import Batch, Fields, Item, Packed, Reject, pack_batch, packed_in, stream_of
from casework.importers._genai import COLUMNS, SLOT, tell
from casework.importers._otlp_events import Beside, Others
from casework.importers._otlp_requests import Part
from casework.importers._span_ids import SpanIds, shared_name
from casework.importers._span_ref import Place
from casework.tables import requests

_SHARED = "whose span id another trace has too, with `request_id` from both ids"
_REQUEST, _SPAN = SLOT["request_id"], SLOT["span_id"]


class Piece(NamedTuple):
    """What was read of a run of documents.

    `calls` are rows of `requests`, named by their spans; `named` those that have an id of their
    own, by position. `taken` are attributes with the columns that they fill, each told once.
    """

    calls: Batch | Packed | None
    named: dict[int, str]
    rejects: list[Reject]
    told: dict[str, int]
    beside: list[Beside]
    taken: list[tuple[str, str]]


class _Sent(msgspec.Struct, frozen=True, array_like=True):
    """A piece as it goes from one process to another; a reject without its table."""

    calls: memoryview
    named: dict[int, str]
    rejects: list[tuple[str, str, str, str]]
    told: dict[str, int]
    beside: list[Beside]
    taken: list[tuple[str, str]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Sent).decode


def piece_of(part: Part, taken: list[tuple[str, str]]) -> Piece:
    """Turn the rows of a part into columns."""
    rows = part.rows
    named = {at: row[_REQUEST] for at, row in enumerate(rows) if row[_REQUEST] is not None}
    calls = None
    if rows:
        columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        columns["request_id"] = columns["span_id"].copy()
        filled = {name: each for name, each in columns.items() if each.count(None) < len(rows)}
        calls = Batch(requests, filled)
    return Piece(calls, named, part.rejects, dict(part.told), part.beside, taken)


def sent(piece: Piece) -> memoryview:
    """Write a piece for another process."""
    calls = pack_batch(piece.calls) if isinstance(piece.calls, Batch) else piece.calls
    stream = stream_of(calls) if calls else memoryview(b"")
    rejects = [tuple(map(_storable, reject[:4])) for reject in piece.rejects]
    facts = (stream, piece.named, rejects, piece.told, piece.beside, piece.taken)
    return memoryview(_encode(facts))


def received(data: memoryview) -> Piece:
    """Read what `sent` wrote.

    Raises:
        ValueError: it is no piece.
    """
    found = _decode(data)
    calls = packed_in(found.calls, requests) if found.calls else None
    rejects = [Reject(*facts, requests) for facts in found.rejects]
    return Piece(calls, found.named, rejects, found.told, found.beside, found.taken)


class Joined:
    """The pieces of a source so far: span ids, requests with other ids, what is to be told."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self._taken: dict[str, set[str]] = {}
        self._ids = SpanIds()
        self._named: dict[str, str] = {}
        self._others = Others()

    def items(self, pieces: Iterable[Piece]) -> Iterator[Item]:
        """Yield the items of pieces in the order of the source."""
        for piece in pieces:
            yield from piece.rejects
            for beside in piece.beside:
                yield from self._others.rows(beside)
            if piece.calls:
                yield self._calls(piece.calls, piece.named)
            self.told += Counter(piece.told)
            for name, column in piece.taken:
                tell(self._taken, name, column)
        yield Fields({name: sorted(columns) for name, columns in self._taken.items()}, {})
        yield from self._others.numbers()
        waiting = self._others.waiting
        calls, requests_of = self._calls_of(waiting.traces), self._requests_of(waiting.spans)
        yield from self._others.rest(calls, requests_of)

    def _calls(self, calls: Batch | Packed, named: dict[int, str]) -> Batch | Packed:
        """Name the calls; a span id that another trace has too does not name a request."""
        spans, traces = _values(calls, "span_id"), _values(calls, "trace_id")
        shared = {at: shared_name(spans[at], traces[at]) for at in self._ids.shared(spans, traces)}
        names = {**shared, **named}
        if not names:
            return calls
        self.told[_SHARED] += len(shared.keys() - named.keys())
        self._named.update((shared.get(at, spans[at]), name) for at, name in named.items())
        ids = [names.get(at, span) for at, span in enumerate(spans)]
        if isinstance(calls, Batch):
            return Batch(requests, {**calls.columns, "request_id": ids})
        at = calls.content.column_names.index("request_id")
        type_ = calls.content.schema.field(at)
        return Packed(requests, calls.content.set_column(at, type_, [ids]))

    def _calls_of(self, traces: set[str]) -> dict[str, str]:
        """The request of each of these traces that has just one."""
        alone = self._ids.alone(sorted(traces)) if traces else {}
        return {trace: self._named.get(span, span) for trace, span in alone.items()}

    def _requests_of(self, asked: set[Place]) -> dict[Place, str]:
        """The request of each of these spans, whose trace may not be known."""
        known = sorted((trace, span) for trace, span in asked if trace)
        spans, traces = [span for _, span in known], [trace for trace, _ in known]
        shared = {known[at] for at in (self._ids.shared(spans, traces) if known else ())}
        found: dict[Place, str] = {}
        for trace, span in asked:
            name = shared_name(span, trace) if trace and (trace, span) in shared else span
            found[trace, span] = self._named.get(name, name)
        return found


def _values(calls: Batch | Packed, name: str) -> list[Any]:
    if isinstance(calls, Batch):
        return calls.columns[name]
    found: list[Any] = calls.content.column(name).to_pylist()
    return found


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
