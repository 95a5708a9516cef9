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


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened within a span."""

    name: str = ""
    attributes: list[KeyValue] = []


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
    """What spans come from."""

    attributes: list[KeyValue] = []


class ScopeSpans(msgspec.Struct, frozen=True, gc=False):
    """Spans of one instrumentation."""

    spans: list[Span]


class ResourceSpans(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Spans of one resource, which stays undecoded: requests repeat the same few resources."""

    scope_spans: list[ScopeSpans]
    resource: msgspec.Raw = _NO_RESOURCE


class Request(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An export request of spans, metrics or logs."""

    resource_spans: list[ResourceSpans] | None = None
    resource_metrics: list[msgspec.Raw] | None = None
    resource_logs: list[msgspec.Raw] | None = None


class Found(NamedTuple):
    """What stands at a JSON pointer of a request that is read span by span.

    `content` is None for metrics and logs. `raw` is the text of a span, or the name of the other
    signal; `resource` is the text of the resource that a span belongs to.
    """

    pointer: str
    content: Span | Fault | None
    resource: bytes = b"{}"
    raw: str = ""


decode_request = msgspec.json.Decoder(Request).decode
decode_resource = msgspec.json.Decoder(Resource).decode
_decode_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def elements(document: bytes) -> list[tuple[str, bytes]]:
    """Return the requests of a document, which is one or an array of them, by JSON pointer.

    Raises:
        Fault: the array is no JSON.
    """
    if not document.startswith(b"["):
        return [("", document)]
    try:
        found = _decode_elements(document)
    except (ValueError, RecursionError) as error:
        raise fault_of(error, document) from error
    return [(f"/{index}", bytes(raw)) for index, raw in enumerate(found)]


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
        yield Found("", fault, raw=request.decode())
        return
    for signal in OTHER_SIGNALS:
        yield from (Found(at, None, raw=signal) for at, _ in _members(tree, "", signal))
    for group_at, group in _members(tree, "", RESOURCE_SPANS):
        resource = _resource(group)
        for scope_at, scope in _members(group, group_at, "scopeSpans"):
            for at, span in _members(scope, scope_at, "spans"):
                yield Found(at, _span(span), resource, msgspec.json.encode(span).decode())


def _members(node: Any, at: str, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the members of a list of the node by pointer; what is no list or node, as it is."""
    if not isinstance(node, dict):
        yield at, node
        return
    for spelled, value in node.items():
        if _camel(spelled) != name or value is None:
            continue
        if isinstance(value, list):
            yield from ((f"{at}/{spelled}/{i}", member) for i, member in enumerate(value))
        else:
            yield f"{at}/{spelled}", [value]


def _span(tree: Any) -> Span | Fault:
    if not isinstance(tree, dict):
        return Fault("OTLP_SHAPE", "no object where OTLP has one, or no list of them")
    try:
        return msgspec.convert(_respelled(tree), Span)
    except msgspec.ValidationError as error:
        return Fault("SPAN_TYPE", str(error))
    except RecursionError:
        return Fault("JSON_DEPTH", "nested too deeply")


def _resource(group: Any) -> bytes:
    if not isinstance(group, dict):
        return _NO_RESOURCE
    try:
        return msgspec.json.encode(_respelled(group.get("resource") or {}))
    except RecursionError:
        return b"null"


def _respelled(value: Any) -> Any:
    """Names as in camelCase; without nulls and empty attributes, which say nothing."""
    if isinstance(value, dict):
        return {_camel(key): _respelled(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        members = [_respelled(item) for item in value]
        return [
            m for m in members if not (isinstance(m, dict) and "key" in m and not m.get("value"))
        ]
    return value


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), name) if "_" in name else name
