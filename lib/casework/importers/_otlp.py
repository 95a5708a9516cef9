"""What OTLP says: requests of spans and of log records, with their resources and values.

One set of structs for all ways to write it: JSON is decoded into them, protobuf converted.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

RESOURCE_SPANS = "resourceSpans"
RESOURCE_LOGS = "resourceLogs"
RESOURCE_METRICS = "resourceMetrics"
BATCHES = "batches"  # what Tempo and Grafana call `resourceSpans`
NO_RESOURCE = msgspec.Raw(b"{}")


class Fault(Exception):
    """Why a document or a span cannot be used: a code and a reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class AnyValue(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One value; with all fields unset it is empty. Integers may come as text."""

    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: "ArrayValue | None" = None
    kvlist_value: "KeyValueList | None" = None
    bytes_value: str | None = None


class KeyValue(msgspec.Struct, frozen=True, gc=False):
    """An attribute."""

    key: str
    value: AnyValue


class ArrayValue(msgspec.Struct, frozen=True, gc=False):
    """A list of values."""

    values: list[AnyValue] = []


class KeyValueList(msgspec.Struct, frozen=True, gc=False):
    """An object."""

    values: list[KeyValue] = []


class Event(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Something that happened within a span."""

    name: str = ""
    attributes: list[KeyValue] = []
    time_unix_nano: int | str = 0


class Status(msgspec.Struct, frozen=True, gc=False):
    """How a span ended: code 0 or unset, 1 or ok, 2 or error."""

    message: str = ""
    code: int | str = 0


_UNSET = Status()


class Span(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One span. Instants are nanoseconds since 1970, ids are hex or base64."""

    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[KeyValue] = []
    events: list[Event] = []
    status: Status = _UNSET


class Resource(msgspec.Struct, frozen=True, gc=False):
    """What spans and log records come from."""

    attributes: list[KeyValue] = []


class ScopeSpans(msgspec.Struct, frozen=True, gc=False):
    """Spans of one instrumentation."""

    spans: list[Span]


class ResourceSpans(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Spans of one resource, which stays undecoded: requests repeat the same few resources."""

    scope_spans: list[ScopeSpans]
    resource: msgspec.Raw = NO_RESOURCE


class LogRecord(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One log record; one that has a name is an event."""

    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    event_name: str = ""
    body: AnyValue | None = None
    attributes: list[KeyValue] = []
    trace_id: str = ""
    span_id: str = ""


class ScopeLogs(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Log records of one instrumentation."""

    log_records: list[LogRecord]


class ResourceLogs(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Log records of one resource, which stays undecoded."""

    scope_logs: list[ScopeLogs]
    resource: msgspec.Raw = NO_RESOURCE


class Request(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An export request of spans, metrics or logs."""

    resource_spans: list[ResourceSpans] | None = None
    resource_logs: list[ResourceLogs] | None = None
    resource_metrics: list[msgspec.Raw] | None = None


class Found(NamedTuple):
    """What stands at a JSON pointer of a request.

    `content` is None for metrics. `resource` is the text of the resource that it belongs to; `raw`
    the text of what stands there, where it is not to be had from the content.
    """

    pointer: str
    content: Span | LogRecord | Fault | None
    resource: bytes = b"{}"
    raw: str = ""


decode_request = msgspec.json.Decoder(Request).decode
decode_resource = msgspec.json.Decoder(Resource).decode


def log_records(request: Request) -> Iterator[Found]:
    """Yield the log records of a request."""
    for group_at, group in enumerate(request.resource_logs or ()):
        resource = bytes(group.resource)
        for scope_at, scope in enumerate(group.scope_logs):
            place = f"/{RESOURCE_LOGS}/{group_at}/scopeLogs/{scope_at}/logRecords/"
            for at, record in enumerate(scope.log_records):
                yield Found(f"{place}{at}", record, resource)


def one_by_one(request: Request) -> Iterator[Found]:
    """Yield what a request holds, each with its place."""
    for group_at, group in enumerate(request.resource_spans or ()):
        resource = bytes(group.resource)
        for scope_at, scope in enumerate(group.scope_spans):
            place = f"/{RESOURCE_SPANS}/{group_at}/scopeSpans/{scope_at}/spans/"
            for at, span in enumerate(scope.spans):
                yield Found(f"{place}{at}", span, resource)
    yield from log_records(request)
    for at, _ in enumerate(request.resource_metrics or ()):
        yield Found(f"/{RESOURCE_METRICS}/{at}", None)
