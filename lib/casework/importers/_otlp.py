"""OTLP/JSON as it is written: requests of resource spans, scope spans and spans.

A request is decoded at once into structs of the camelCase spelling. One that does not fit is
decoded a second time, span by span, with the other spelling that proto3 JSON allows
(`resource_spans`), nulls as unset, and a reason for every span that still does not fit.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

RESOURCE_SPANS = "resourceSpans"
OTHER_SIGNALS = ("resourceMetrics", "resourceLogs")
_NO_RESOURCE = msgspec.Raw(b"{}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_CONSTANT = re.compile(rb"[:\[,]\s*-?(?:NaN|Infinity)")
_SNAKE = re.compile(r"_([a-z])")


class Fault(Exception):
    """Why a document or a span cannot be used: a code and a reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class AnyValue(msgspec.Struct, gc=False, rename="camel"):
    """One value; with all fields unset it is empty. Integers may come as text."""

    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: "ArrayValue | None" = None
    kvlist_value: "KeyValueList | None" = None
    bytes_value: str | None = None


_EMPTY = AnyValue()


class KeyValue(msgspec.Struct, gc=False):
    """An attribute."""

    key: str
    value: AnyValue = _EMPTY


class ArrayValue(msgspec.Struct, gc=False):
    """A list of values."""

    values: list[AnyValue] = []


class KeyValueList(msgspec.Struct, gc=False):
    """An object."""

    values: list[KeyValue] = []


class Event(msgspec.Struct, gc=False):
    """Something that happened within a span."""

    name: str = ""
    attributes: list[KeyValue] = []


class Status(msgspec.Struct, gc=False):
    """How a span ended: code 0 or unset, 1 or ok, 2 or error."""

    message: str = ""
    code: int | str = 0


_UNSET = Status()


class Span(msgspec.Struct, gc=False, rename="camel"):
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


class Resource(msgspec.Struct, gc=False):
    """What spans come from."""

    attributes: list[KeyValue] = []


class ScopeSpans(msgspec.Struct, gc=False):
    """Spans of one instrumentation."""

    spans: list[Span]


class ResourceSpans(msgspec.Struct, gc=False, rename="camel"):
    """Spans of one resource, which stays undecoded: requests repeat the same few resources."""

    scope_spans: list[ScopeSpans]
    resource: msgspec.Raw = _NO_RESOURCE


class Request(msgspec.Struct, gc=False, rename="camel"):
    """An export request of spans, metrics or logs."""

    resource_spans: list[ResourceSpans] | None = None
    resource_metrics: list[msgspec.Raw] | None = None
    resource_logs: list[msgspec.Raw] | None = None


class Found(NamedTuple):
    """What stands at a JSON pointer of a request that is read span by span.

    `raw` is its text, `resource` that of the resource it belongs to.
    """

    pointer: str
    content: Span | Fault
    resource: bytes
    raw: str


decode_request = msgspec.json.Decoder(Request).decode
decode_resource = msgspec.json.Decoder(Resource).decode
_decode_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def elements(document: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the requests of a document, which is one or an array of them, by JSON pointer.

    Raises:
        Fault: the array is no JSON.
    """
    if not document.startswith(b"["):
        yield "", document
        return
    try:
        found = _decode_elements(document)
    except (ValueError, RecursionError) as error:
        raise fault_of(error, document) from error
    yield from ((f"/{index}", bytes(raw)) for index, raw in enumerate(found))


def fault_of(error: Exception, document: bytes) -> Fault:
    """Say why a parser refused a document."""
    if isinstance(error, RecursionError):
        return Fault("JSON_DEPTH", "nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return Fault("JSON_ENCODING", f"not UTF-8: {error.reason}")
    if _SURROGATE.search(document):
        return Fault("JSON_SURROGATE", "a text holds half a character, or the JSON is broken off")
    if _CONSTANT.search(document):
        return Fault("JSON_CONSTANT", "NaN or Infinity stands where JSON has a number")
    return Fault("JSON", str(error))


def is_json(data: bytes) -> bool:
    """Whether this is one whole JSON value."""
    try:
        _decode_any(data)
    except (ValueError, RecursionError):
        return False
    return True


def span_by_span(request: bytes) -> Iterator[Found]:
    """Yield the spans of a request one by one, and what is wrong with those that do not fit.

    Raises:
        Fault: the request is no JSON.
    """
    try:
        tree = _decode_any(request)
    except (ValueError, RecursionError) as error:
        raise fault_of(error, request) from error
    names = {_camel(name) for name in tree} if isinstance(tree, dict) else set()
    if not names & {RESOURCE_SPANS, *OTHER_SIGNALS}:
        fault = Fault("OTLP_SHAPE", "JSON, but no OTLP request: it has no resourceSpans")
        yield Found("", fault, b"{}", request.decode("utf-8", "replace"))
        return
    for at, group in _members(tree, "", RESOURCE_SPANS):
        resource = b"{}"
        if isinstance(group, dict) and group.get("resource"):
            resource = msgspec.json.encode(_respelled(group["resource"]))
        for scope_at, scope in _members(group, at, "scopeSpans"):
            for span_at, span in _members(scope, scope_at, "spans"):
                raw = msgspec.json.encode(span).decode()
                yield Found(span_at, _span(span), resource, raw)


def other_signals(request: Request) -> Iterator[tuple[str, int]]:
    """Yield name and number of the resources of metrics and logs."""
    for name, found in zip(
        OTHER_SIGNALS, (request.resource_metrics, request.resource_logs), strict=True
    ):
        if found:
            yield name, len(found)
