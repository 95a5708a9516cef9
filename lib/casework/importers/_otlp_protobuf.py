"""OTLP messages of protobuf, as the structs that OTLP/JSON is decoded into.

A message does not say what it is: export requests of spans, of logs and of metrics, and what they
hold, have the same shape on the outside. Of spans, log records and metrics, only spans have a
fixed number where a span has its beginning, and only log records where those have their instants.
"""

import base64
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from casework.importers._otlp import (
    AnyValue,
    ArrayValue,
    Event,
    Fault,
    KeyValue,
    KeyValueList,
    LogRecord,
    Request,
    Resource,
    ResourceLogs,
    ResourceSpans,
    ScopeLogs,
    ScopeSpans,
    Span,
    Status,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.metrics.v1 import metrics_pb2
    from opentelemetry.proto.resource.v1 import resource_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

_Kind = TypeVar("_Kind", bound="Message")
_METRICS = msgspec.Raw(b"{}")
_WHOLE_IDS = (8, 16)


def decode_message(data: bytes) -> Request:
    """Read a request of spans, logs or metrics, or the spans or logs of one resource.

    Raises:
        Fault: PROTOBUF, it is none of them.
    """
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.metrics.v1 import metrics_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

    traces = _parsed(trace_pb2.TracesData, data)
    if traces and _has_spans(traces.resource_spans):
        return Request(resource_spans=[_spans(group) for group in traces.resource_spans])
    logs = _parsed(logs_pb2.LogsData, data)
    if logs and _has_records(logs.resource_logs):
        return Request(resource_logs=[_logs(group) for group in logs.resource_logs])
    spans = _parsed(trace_pb2.ResourceSpans, data)
    if spans and _has_spans([spans]):
        return Request(resource_spans=[_spans(spans)])
    records = _parsed(logs_pb2.ResourceLogs, data)
    if records and _has_records([records]):
        return Request(resource_logs=[_logs(records)])
    metrics = _parsed(metrics_pb2.MetricsData, data)
    if metrics and _has_metrics(metrics.resource_metrics):
        return Request(resource_metrics=[_METRICS] * len(metrics.resource_metrics))
    raise Fault("PROTOBUF", "no OTLP message of spans or log records")


def is_of_spans(data: bytes) -> bool:
    """Whether a message is a request of spans."""
    from opentelemetry.proto.trace.v1 import trace_pb2

    traces = _parsed(trace_pb2.TracesData, data)
    return traces is not None and _has_spans(traces.resource_spans)


def _parsed(kind: type[_Kind], data: bytes) -> _Kind | None:
    from google.protobuf.message import DecodeError

    try:
        message: _Kind = kind.FromString(data)
    except DecodeError:
        return None
    return message


def _has_spans(groups: "Iterable[trace_pb2.ResourceSpans]") -> bool:
    return any(
        span.start_time_unix_nano or span.end_time_unix_nano
        for group in groups
        for scope in group.scope_spans
        for span in scope.spans
    )


def _has_records(groups: "Iterable[logs_pb2.ResourceLogs]") -> bool:
    return any(
        record.time_unix_nano or record.observed_time_unix_nano
        for group in groups
        for scope in group.scope_logs
        for record in scope.log_records
    )


def _has_metrics(groups: "Iterable[metrics_pb2.ResourceMetrics]") -> bool:
    return any(
        metric.WhichOneof("data")
        for group in groups
        for scope in group.scope_metrics
        for metric in scope.metrics
    )


def _spans(group: "trace_pb2.ResourceSpans") -> ResourceSpans:
    scopes = [ScopeSpans([_span(span) for span in scope.spans]) for scope in group.scope_spans]
    return ResourceSpans(scopes, _resource(group.resource))


def _span(span: "trace_pb2.Span") -> Span:
    return Span(
        trace_id=_id(span.trace_id),
        span_id=_id(span.span_id),
        parent_span_id=_id(span.parent_span_id),
        name=span.name,
        start_time_unix_nano=span.start_time_unix_nano,
        end_time_unix_nano=span.end_time_unix_nano,
        attributes=_pairs(span.attributes),
        events=[
            Event(event.name, _pairs(event.attributes), event.time_unix_nano)
            for event in span.events
        ],
        status=Status(span.status.message, span.status.code),
    )


def _logs(group: "logs_pb2.ResourceLogs") -> ResourceLogs:
    scopes = [ScopeLogs([_record(one) for one in scope.log_records]) for scope in group.scope_logs]
    return ResourceLogs(scopes, _resource(group.resource))


def _record(record: "logs_pb2.LogRecord") -> LogRecord:
    return LogRecord(
        time_unix_nano=record.time_unix_nano,
        observed_time_unix_nano=record.observed_time_unix_nano,
        event_name=record.event_name,
        body=_value(record.body),
        attributes=_pairs(record.attributes),
        trace_id=_id(record.trace_id),
        span_id=_id(record.span_id),
    )


def _resource(resource: "resource_pb2.Resource") -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(Resource(_pairs(resource.attributes))))


def _pairs(pairs: "Iterable[common_pb2.KeyValue]") -> list[KeyValue]:
    """Attributes; without those that have no value, which say nothing."""
    found = [(pair.key, _value(pair.value)) for pair in pairs]
    return [KeyValue(key, value) for key, value in found if value is not None]


def _value(value: "common_pb2.AnyValue") -> AnyValue | None:
    match value.WhichOneof("value"):
        case "string_value":
            return AnyValue(string_value=value.string_value)
        case "int_value":
            return AnyValue(int_value=value.int_value)
        case "double_value":
            return AnyValue(double_value=_double(value.double_value))
        case "bool_value":
            return AnyValue(bool_value=value.bool_value)
        case "array_value":
            members = [_value(member) or AnyValue() for member in value.array_value.values]
            return AnyValue(array_value=ArrayValue(members))
        case "kvlist_value":
            return AnyValue(kvlist_value=KeyValueList(_pairs(value.kvlist_value.values)))
        case "bytes_value":
            return AnyValue(bytes_value=base64.b64encode(value.bytes_value).decode())
    return None


def _double(number: float) -> float | str:
    """NaN and the infinities as the JSON of protobuf writes them."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _id(raw: bytes) -> str:
    """An id as OTLP/JSON writes it; one of another length so that it cannot be taken for whole."""
    return raw.hex() if len(raw) in _WHOLE_IDS else base64.b64encode(raw).decode()
