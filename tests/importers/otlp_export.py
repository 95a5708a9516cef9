"""Exports that the OpenTelemetry SDK makes: spans of the real tracer, encoded by its exporter."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, Status, StatusCode, set_span_in_context

START = 1_762_000_000_123_456_789
SECOND = 10**9
RESOURCE = {
    "service.name": "checkout",
    "service.version": "1.9.2",
    "deployment.environment.name": "production",
    "cloud.region": "eu-west-1",
    "service.instance.id": "pod-17",
    "telemetry.sdk.name": "opentelemetry",
}
Json = dict[str, Any]
Event = tuple[str, Mapping[str, Any]]


class Tracer:
    """Makes spans with the SDK. A span takes one second, and is the child of the one before."""

    def __init__(self, resource: Mapping[str, Any] = RESOURCE) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource(dict(resource)))
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._tracer = provider.get_tracer("tests", "1.0")
        self._context: Any = None
        self._count = 0

    def call(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Event] = (),
        error: str = "",
        name: str = "chat",
    ) -> ReadableSpan:
        """Make one span."""
        start = START + self._count * SECOND
        self._count += 1
        span = self._tracer.start_span(
            name, context=self._context, attributes=dict(attributes), start_time=start
        )
        for event_name, event_attributes in events:
            span.add_event(event_name, dict(event_attributes), timestamp=start + 1)
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(end_time=start + SECOND)
        self._context = set_span_in_context(span)
        return self.spans[-1]

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """What the SDK says of the spans."""
        return self._exporter.get_finished_spans()

    def request(self) -> Json:
        """The export request, as the collector writes it: camelCase, ids in hex."""
        return hexed(self.protobuf_json())

    def protobuf_json(self, **options: Any) -> Json:
        """The export request as protobuf's own JSON, in which ids are base64."""
        found: Json = MessageToDict(encode_spans(self.spans), **options)
        return found


class Logger:
    """Makes log records with the SDK, a second after each other."""

    def __init__(self, resource: Mapping[str, Any] = RESOURCE) -> None:
        self._exporter = InMemoryLogRecordExporter()
        provider = LoggerProvider(resource=Resource(dict(resource)))
        provider.add_log_record_processor(SimpleLogRecordProcessor(self._exporter))
        self._logger = provider.get_logger("tests", "1.0")
        self._count = 0

    def emit(
        self,
        name: str,
        attributes: Mapping[str, Any] | None = None,
        body: Any = None,
        of: ReadableSpan | None = None,
    ) -> None:
        """Make one record, of a span if one is given."""
        context = of.get_span_context() if of else None
        when = START + self._count * SECOND
        self._count += 1
        self._logger.emit(LogRecord(
            timestamp=when, observed_timestamp=when, event_name=name or None, body=body,
            attributes=dict(attributes or {}),
            context=set_span_in_context(NonRecordingSpan(context)) if context else None,
        ))  # fmt: skip

    def message(self) -> Any:
        """The export request as a message of protobuf."""
        return encode_logs(self._exporter.get_finished_logs())

    def request(self) -> Json:
        """The export request, as the collector writes it."""
        return hexed(MessageToDict(self.message()))


def hexed(request: Json) -> Json:
    """The ids of a request in hex."""

    def convert(key: str, value: Any) -> Any:
        return (
            base64.b64decode(value).hex() if key in ("traceId", "spanId", "parentSpanId") else value
        )

    converted = walk(request, convert)
    assert isinstance(converted, dict)
    return converted


def walk(value: Any, convert: Callable[[str, Any], Any], key: str = "") -> Any:
    """A copy in which every value that is no container went through `convert` with its key."""
    if isinstance(value, dict):
        return {name: walk(item, convert, name) for name, item in value.items()}
    if isinstance(value, list):
        return [walk(item, convert, key) for item in value]
    return convert(key, value)


def attribute(key: str, value: Any) -> Json:
    """One attribute on the wire."""
    return {"key": key, "value": wire(value)}


def wire(value: Any) -> Json:
    """A value on the wire."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [wire(item) for item in value]}}
    if isinstance(value, dict):
        pairs = [attribute(name, item) for name, item in value.items()]
        return {"kvlistValue": {"values": pairs}}
    return {"stringValue": value}


def span(number: int = 1, **changes: Any) -> Json:
    """One span on the wire: a chat of one second. A change to None takes a field away."""
    made = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "parentSpanId": "",
        "name": "chat gpt-x",
        "kind": 3,
        "startTimeUnixNano": str(START + number * SECOND),
        "endTimeUnixNano": str(START + (number + 1) * SECOND),
        "attributes": chat(),
        "status": {},
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def chat(**more: Any) -> list[Json]:
    """Attributes of a chat; two underscores in a name stand for a dot."""
    named = {name.replace("__", "."): value for name, value in more.items()}
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-x", **named}
    return [attribute(name, value) for name, value in attributes.items()]


def request(*spans: Json, resource: Mapping[str, Any] = RESOURCE) -> Json:
    """An export request of spans of one resource."""
    attributes = [attribute(name, value) for name, value in resource.items()]
    scope = {"scope": {"name": "tests"}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [scope]}]}


def jsonl(*requests: Any) -> bytes:
    """Requests as JSON Lines."""
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in requests)
