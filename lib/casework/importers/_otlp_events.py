"""Events of OTLP, of spans and of log records, and what spans hold beside a model call."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from casework.case import Item, Reject, Row
from casework.importers import _genai_names as names
from casework.importers._embeddings import embeddings
from casework.importers._fields import FieldLog
from casework.importers._flags import Flags
from casework.importers._flattened import flatten
from casework.importers._judges import Judges
from casework.importers._marks import Marks
from casework.importers._otlp import AnyValue, Event, KeyValue, LogRecord, Span
from casework.importers._otlp_values import identify, instant, optional_ids, plain
from casework.importers._retrievals import documents, has_documents
from casework.importers._span_ref import Place, SpanRef, Waiting
from casework.tables import eval_samples

_EVENT_NAME = "event.name"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_US = 1_000
_NO_TIME = (0, "0", "")
_EMPTY = AnyValue()
# How many parts of the id of a judge's run stand before the name of the judge.
_NAMED_AT = {"openinference": 2, "opentelemetry": 1}


class Telling(NamedTuple):
    """An event that is a row of another table than `requests`: its place, instant and fields."""

    place: str
    name: str
    when: datetime | None
    fields: dict[str, Any]


class Said(NamedTuple):
    """A log record with messages: the ids of its span, its place, and what it comes from.

    `attributes` are those of the record; the event has the fields of its body too. `repeats` is
    how often the same record came again.
    """

    ids: bytes
    place: str
    event: Event
    attributes: list[KeyValue]
    resource: bytes
    repeats: int = 0

    @property
    def instant(self) -> int:
        """When it was said, in nanoseconds since 1970; 0 where that is not recorded."""
        return int(self.event.time_unix_nano or 0)


class Beside(NamedTuple):
    """What a span, or a log record, holds beside a model call. Attributes have dotted names."""

    place: str
    span: SpanRef
    attributes: dict[str, Any]
    events: list[Telling]

    @property
    def is_used(self) -> bool:
        """Whether a span that is no model call lists documents or embeddings."""
        flat = self.attributes
        return has_documents(flat) or any(embeddings(FieldLog(None), self.span, flat, ""))


def beside_span(span: Span, place: str, is_call: bool, has_more: bool) -> Beside:
    """Gather what a span holds beside a model call.

    Raises:
        Fault: SPAN_ID, SPAN_TIME, SPAN_TYPE, JSON_DEPTH.
    """
    ids = identify(span.trace_id, span.span_id).hex()
    begun = moment(span.start_time_unix_nano, "startTimeUnixNano")
    ended = moment(span.end_time_unix_nano, "endTimeUnixNano")
    ref = SpanRef(ids[:32], ids[32:], begun, ended or begun, is_call)
    events = [
        Telling(f"{place}/events/{at}", event.name, moment(event.time_unix_nano, "timeUnixNano"),
                _fields(event.attributes))
        for at, event in enumerate(span.events) if event.name in names.TELLING_EVENTS
    ]  # fmt: skip
    return Beside(place, ref, flatten(_fields(span.attributes)) if has_more else {}, events)


def beside_record(record: LogRecord, event: Event, place: str) -> Beside:
    """Gather what a log record tells beside a model call.

    Raises:
        Fault: SPAN_ID, SPAN_TIME, SPAN_TYPE, JSON_DEPTH.
    """
    when = moment(event.time_unix_nano, "timeUnixNano")
    trace_id, span_id = optional_ids(record.trace_id, record.span_id)
    ref = SpanRef(trace_id, span_id, when, when, is_call=span_id is not None)
    return Beside(place, ref, {}, [Telling(place, event.name, when, _fields(event.attributes))])


def event_of(record: LogRecord) -> Event:
    """Take a log record as the event that it is; without a name where it is none.

    Before events had bodies of attributes alone, the body held the message: its fields join the
    attributes.
    """
    name = record.event_name or next(
        (pair.value.string_value or "" for pair in record.attributes if pair.key == _EVENT_NAME), ""
    )
    body = record.body or _EMPTY
    said = _spoken(record.attributes)
    if body.kvlist_value is not None:
        said += _spoken(body.kvlist_value.values)
    elif body.string_value:
        said.append(KeyValue(names.EVENT_BODY, body))
    is_dated = record.time_unix_nano not in _NO_TIME
    when = record.time_unix_nano if is_dated else record.observed_time_unix_nano
    return Event(name, said, when)


def said_in(record: LogRecord, resource: bytes, place: str) -> Said:
    """Take the messages of a log record.

    Raises:
        Fault: SPAN_ID, it belongs to no span; SPAN_TIME, SPAN_TYPE, JSON_DEPTH.
    """
    event = event_of(record)
    ids = identify(record.trace_id, record.span_id)
    moment(event.time_unix_nano, "timeUnixNano")
    _fields(event.attributes)
    return Said(ids, place, event, _spoken(record.attributes), resource)


def with_details(span: Span, said: Iterable[Said]) -> Span:
    """The span with messages of log records among its events, and attributes that its events know.

    The event `gen_ai.client.inference.operation.details` repeats the attributes of its span, and
    has those that the span lacks. Of a message that is both an event and a record one is taken.
    """
    own = {_content(event) for event in span.events} if said else set()
    events = [
        *span.events,
        *(one.event for one in said if not own or _content(one.event) not in own),
    ]
    known = {pair.key for pair in span.attributes}
    more = [
        pair
        for event in events
        if event.name == names.DETAILS_EVENT
        for pair in _spoken(event.attributes)
        if pair.key not in known
    ]
    if not more and len(events) == len(span.events):
        return span
    return msgspec.structs.replace(span, events=events, attributes=[*span.attributes, *more])


def is_message(name: str) -> bool:
    """Whether an event of this name holds what was said in a model call."""
    head, tail = names.MESSAGE_EVENT
    is_part = name == names.CHOICE_EVENT or name in names.DETAILS_EVENTS
    return is_part or (name.startswith(head) and name.endswith(tail))


def moment(nanoseconds: int | str, name: str) -> datetime | None:
    """Read nanoseconds since 1970, cut to microseconds; None where there are none.

    Raises:
        Fault: SPAN_TIME, it is no number of nanoseconds, or later than a calendar goes.
    """
    found = instant(nanoseconds, name)
    return None if found is None else _EPOCH + timedelta(microseconds=found // _NS_PER_US)


class Others:
    """Rows of the tables other than `requests`, of one source. `waiting` are those to be joined."""

    def __init__(self) -> None:
        self._log = FieldLog(None)
        self._flags = Flags(self._log)
        self._marks = Marks(self._log)
        self.waiting = Waiting()
        self._judges = {harness: Judges(harness) for harness in _NAMED_AT}

    def rows(self, found: Beside) -> Iterator[Row | Reject]:
        """Yield the rows that need not wait for the rest of the source."""
        span, flat, place = found.span, found.attributes, found.place
        yield from embeddings(self._log, span, flat, place)
        for row in documents(self._log, span, flat, place):
            self.waiting.add(row, span.trace_id)
        for row in self._marks.annotations(span, flat, place):
            yield from self._mark(row, span.trace_id)
        for event in found.events:
            ref = span._replace(begun=event.when or span.begun)
            if event.name == names.EVALUATION_EVENT:
                for row in self._marks.evaluation(ref, event.fields, event.place):
                    yield from self._mark(row, span.trace_id)
            else:
                self._flags.take(ref, event.fields, event.place)

    def numbers(self) -> Iterator[Row]:
        """Yield the marks that waited for the other numbers of their name; thumbs go on waiting."""
        for row, trace_id in self._marks.rest():
            yield from self._mark(row, trace_id)

    def rest(self, calls: Mapping[str, str], requests_of: Mapping[Place, str]) -> Iterator[Item]:
        """Yield the rows that waited, the runs of judges, and what is to be told.

        Args:
            calls: the request of each trace that has just one.
            requests_of: the request of each span that is waited for.
        """
        yield from self.waiting.rows(calls, requests_of)
        for judges in self._judges.values():
            yield from judges.rows()
        yield from self._flags.items()
        yield from self._log.items()

    def _mark(self, row: Row, trace_id: str | None) -> Iterator[Row]:
        """A sample names the run of its judge; a thumb waits for its request."""
        if row.table is eval_samples:
            run = str(row.values["run_id"])
            harness = run.partition(":")[0]
            yield self._judges[harness].saw(row, run.split(":", _NAMED_AT[harness])[-1])
        else:
            self.waiting.add(row, trace_id, row.values["request_id"])


def _spoken(pairs: Iterable[KeyValue]) -> list[KeyValue]:
    """Attributes without those that have no value, which say nothing."""
    return [pair for pair in pairs if pair.value != _EMPTY]


def _content(event: Event) -> bytes:
    """What an event says, without its instant."""
    fields = {pair.key: pair.value for pair in _spoken(event.attributes) if pair.key != _EVENT_NAME}
    return msgspec.json.encode([event.name, sorted(fields.items(), key=itemgetter(0))])


def _fields(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: plain(pair.value) for pair in pairs}
