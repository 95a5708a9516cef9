"""Spans and log records of OTLP, made into rows of `requests`; what else they hold is gathered."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from casework.case import Reject
from casework.importers import _genai_names as names
from casework.importers._configuration import hash_prompt
from casework.importers._genai import COLUMNS, SLOT, Attributes, Sorter, kind_of
from casework.importers._genai_texts import sort_events, texts
from casework.importers._messages import shortened
from casework.importers._otlp import AnyValue, Event, Fault, KeyValue, LogRecord, Span
from casework.importers._otlp_events import (
    Beside,
    Said,
    beside_record,
    beside_span,
    event_of,
    is_message,
    said_in,
    with_details,
)
from casework.importers._otlp_values import identify, instant, is_instant, parent

LEFT_OUT = "left out: "
RECORDS = "log records "
CUT_VALUES = "with attributes cut after 4,000 characters"
CUT_MESSAGES = "with messages that are no whole JSON, kept as they stand"
BACKWARDS = "ending before the beginning, without latency"
NO_END = "whose end is no instant in nanoseconds; a model call keeps it as an attribute"
UNDATED = "with events of no instant in nanoseconds, which take that of their span"
OTHER_RECORDS = RECORDS + "telling nothing of model calls, left out"
OF_OTHER_SPANS = RECORDS + "with messages of spans that are no model calls, left out"
REPEATED = RECORDS + "delivered before, with the same instant, left out"
MOST_COPIES = 10
COPIES = f"coming more than {MOST_COPIES} times, without messages of log records"
TOO_MANY = RECORDS + "with messages of more calls than are joined, left out; load the file in parts"

_TRACE, _SPAN, _PARENT = SLOT["trace_id"], SLOT["span_id"], SLOT["parent_span_id"]
_BEGUN, _ENDED = SLOT["occurred_at"], SLOT["ended_at"]
_LATENCY, _STATUS, _OPERATION = SLOT["latency_ms"], SLOT["status"], SLOT["operation"]
_INPUT, _OUTPUT = SLOT["input_text"], SLOT["output_text"]
_PROMPT_HASH, _ATTRIBUTES, _LOCATOR = SLOT["prompt_hash"], SLOT["attributes"], SLOT["locator"]

_NS_PER_US, _NS_PER_MS = 1_000, 1_000_000
_WHOLE_ATTRIBUTES = 4_000
_HASHES_KEPT = 5_000

_encode = msgspec.json.Encoder().encode


@dataclass
class Part:
    """What was read of a source: rows by `COLUMNS`, rejects, and how often what is to be told.

    `beside` is what is no row of `requests`; `joined` the spans that took messages of log records.
    """

    rows: list[list[Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    beside: list[Beside] = field(default_factory=list)
    joined: set[bytes] = field(default_factory=set)

    def add(self, other: "Part") -> None:
        """Add what was read after it."""
        self.rows += other.rows
        self.rejects += other.rejects
        self.beside += other.beside
        self.joined |= other.joined
        if other.told:
            self.told += other.told


def dated(span: Span, told: Counter[str]) -> Span:
    """The span without an end and instants of events that are none; its beginning it must have."""
    if not is_instant(span.end_time_unix_nano):
        told[NO_END] += 1
        end = KeyValue("endTimeUnixNano", AnyValue(string_value=str(span.end_time_unix_nano)))
        span = replace(span, end_time_unix_nano=0, attributes=[*span.attributes, end])
    events = [*map(_dated, span.events)]
    if events != span.events:
        told[UNDATED] += 1
        span = replace(span, events=events)
    return span


def _dated(event: Event) -> Event:
    if event.name not in names.TELLING_EVENTS or is_instant(event.time_unix_nano):
        return event
    return replace(event, time_unix_nano=0)


class Requests:
    """Makes rows of the spans of one source. What it remembers only saves work.

    Args:
        said: messages of log records, by trace and span.
    """

    def __init__(self, said: Mapping[bytes, list[Said]]) -> None:
        self._sorter = Sorter()
        self._said = said
        self._taken_by: dict[bytes, dict[str, int]] = {}
        self._hashes: dict[str, str | None] = {}

    @property
    def taken(self) -> dict[str, set[str]]:
        """The columns that each attribute of a model call fills."""
        return self._sorter.taken

    def take_span(self, span: Span, resource: bytes, place: str, part: Part) -> None:
        """Take a span into a part: as a row, if it is a model call, and what it holds beside.

        Raises:
            Fault: SPAN_ID, SPAN_TIME, SPAN_TYPE, JSON_DEPTH. The part is not to be used then.
        """
        said: Iterable[Said] = ()
        if self._said:
            ids = identify(span.trace_id, span.span_id)
            if ids in self._said:
                said = self._said_of(ids, span, resource, place, part)
                part.joined.add(ids)
        if said or span.events:
            span = with_details(span, said)
        found = self._sorter.sort(span.attributes, resource)
        tells = span.events and any(event.name in names.TELLING_EVENTS for event in span.events)
        if found.has_more or tells:
            part.beside.append(beside_span(span, place, found.is_model_call, found.has_more))
        if found.is_model_call:
            part.rows.append(self._row(span, found, place, part.told))
            return
        part.told[OF_OTHER_SPANS] += len([*said])
        if not (found.has_more and part.beside[-1].is_used):
            part.told[LEFT_OUT + kind_of(found)] += 1

    def take_record(self, record: LogRecord, place: str, part: Part) -> None:
        """Take a log record into a part. Its messages were taken beforehand.

        Raises:
            Fault: SPAN_ID, SPAN_TIME, SPAN_TYPE, JSON_DEPTH.
        """
        event = event_of(record)
        if event.name in names.TELLING_EVENTS:
            part.beside.append(beside_record(record, event, place))
        elif not is_message(event.name):
            part.told[OTHER_RECORDS] += 1
        elif said_in(record, b"", place).ids not in self._said:
            part.told[TOO_MANY] += 1

    def take_said(self, said: list[Said], part: Part) -> None:
        """Take messages whose span is not in the source, as the model call that they tell of.

        It began when the first of them that has an instant was said.

        Raises:
            Fault: SPAN_TIME, SPAN_TYPE, JSON_DEPTH.
        """
        first = next((one for one in said if one.instant), said[0])
        ids = first.ids.hex()
        span = with_details(Span(ids[:32], ids[32:], "", first.event.name,
                                 first.event.time_unix_nano, attributes=first.attributes),
                            said)  # fmt: skip
        found = self._sorter.sort(span.attributes, first.resource)
        if found.row[_OPERATION] in names.OTHER_OPERATIONS:
            part.told[OF_OTHER_SPANS] += len(said)
            return
        row = self._row(span, found, first.place, part.told)
        if row[_STATUS] == "ok":  # of which messages say nothing
            row[_STATUS] = None
        part.rows.append(row)

    def _said_of(
        self, ids: bytes, span: Span, resource: bytes, place: str, part: Part
    ) -> list[Said]:
        """The messages of a span; copies of it beyond ten take none, or they could fill a disk.

        A copy that differs from none of the ten lacks nothing: its row is a duplicate.
        """
        copies = self._taken_by.setdefault(ids, {})
        content = hash((_encode(span), resource))
        if place not in copies and len(copies) >= MOST_COPIES:
            part.told[COPIES] += content not in copies.values()
            return []
        copies[place] = content
        return self._said[ids]

    def _row(self, span: Span, found: Attributes, place: str, told: Counter[str]) -> list[Any]:
        row = found.row
        row[_LOCATOR] = place
        ids = identify(span.trace_id, span.span_id).hex()
        row[_TRACE] = ids[:32]
        row[_SPAN] = ids[32:]
        row[_PARENT] = parent(span.parent_span_id)
        begun = instant(span.start_time_unix_nano, "startTimeUnixNano")
        if begun is None:
            raise Fault("SPAN_TIME", "startTimeUnixNano is missing")
        row[_BEGUN] = begun // _NS_PER_US
        ended = instant(span.end_time_unix_nano, "endTimeUnixNano")
        if ended is not None:
            row[_ENDED] = ended // _NS_PER_US
            if ended >= begun:
                row[_LATENCY] = (ended - begun) / _NS_PER_MS
            else:
                told[BACKWARDS] += 1
        if found.said or span.events:
            self._take_texts(span, found, told)
        code = span.status.code
        row[_STATUS] = (
            "error" if found.rest.get("error.type") else names.STATUSES.get(code) or str(code)
        )
        row[_ATTRIBUTES] = _attributes(span, found.rest, told)
        return row

    def _take_texts(self, span: Span, found: Attributes, told: Counter[str]) -> None:
        row = found.row
        events = sort_events(span.events) if span.events else None
        said = texts(found.said, events)
        if said.input is not None:
            _replace(found, _INPUT, said.input)
        if said.output is not None:
            _replace(found, _OUTPUT, said.output)
        if said.system and row[_PROMPT_HASH] is None:
            row[_PROMPT_HASH] = self._hashes.get(said.system) or self._hash(said.system)
        if events and events.others:
            found.rest["span.events"] = events.others
        if not said.is_whole:
            told[CUT_MESSAGES] += 1

    def _hash(self, system: str) -> str | None:
        if len(self._hashes) >= _HASHES_KEPT:
            self._hashes.clear()
        self._hashes[system] = digest = hash_prompt([system])
        return digest


def _replace(found: Attributes, slot: int, text: str) -> None:
    """Fill a column from the format; an own field of its name stays an attribute."""
    if found.row[slot] is not None:
        found.rest[COLUMNS[slot]] = found.row[slot]
    found.row[slot] = text


def _attributes(span: Span, rest: dict[str, Any], told: Counter[str]) -> str:
    """Write what no column takes as JSON, with long values cut."""
    rest["span.name"] = span.name
    if span.status.message:
        rest["status.message"] = span.status.message
    text = _encode(rest).decode()
    if len(text) <= _WHOLE_ATTRIBUTES:
        return text
    cut = {name: _cut(value) for name, value in rest.items()}
    if cut != rest:
        told[CUT_VALUES] += 1
    return _encode(cut).decode()


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else _encode(value).decode()
    short = shortened(text)
    return value if short is text else short
