"""Spans as the SDK for Python shows them, on a console or by `to_json`, as spans of OTLP.

Ids are hex behind `0x`, instants ISO 8601, attributes plain JSON; each has its resource in it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from casework.importers._otlp import (
    AnyValue,
    ArrayValue,
    Event,
    Fault,
    KeyValue,
    KeyValueList,
    Resource,
    Span,
    Status,
)
from casework.importers._shape import mapping, sequence, text

_KEYS = {"context", "kind", "start_time", "attributes"}
_KIND = "SpanKind."
MARK = f'"{_KIND}'.encode()
"""What the text of such a span holds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def is_shown(tree: Any) -> bool:
    """Whether this is a span as the SDK shows it, of which values may be cut off."""
    found = mapping(tree)
    return found.keys() >= _KEYS and str(found["kind"]).startswith(_KIND)


def span_of(tree: Mapping[str, Any]) -> tuple[Span, bytes]:
    """The span, and its resource as JSON of OTLP.

    Raises:
        Fault: SPAN_TIME, an instant is none.
        RecursionError: it nests as deep as Python goes.
    """
    context, status = mapping(tree["context"]), mapping(tree.get("status"))
    resource = mapping(tree.get("resource"))
    span = Span(
        trace_id=_id(context.get("trace_id")),
        span_id=_id(context.get("span_id")),
        parent_span_id=_id(tree.get("parent_id")),
        name=text(tree.get("name")) or "",
        start_time_unix_nano=_instant(tree, "start_time"),
        end_time_unix_nano=_instant(tree, "end_time"),
        attributes=_pairs(tree["attributes"]),
        events=[
            Event(text(event.get("name")) or "", _pairs(event.get("attributes")),
                  _instant(event, "timestamp"))
            for event in map(mapping, sequence(tree.get("events")))
        ],
        status=Status(text(status.get("description")) or "", text(status.get("status_code")) or 0),
    )  # fmt: skip
    held = Resource(_pairs(resource.get("attributes", resource)))
    return span, msgspec.json.encode(held)


def _id(shown: Any) -> str:
    return (text(shown) or "").removeprefix("0x")


def _instant(tree: Mapping[str, Any], name: str) -> int:
    """Nanoseconds since 1970 of an instant in UTC; 0 where there is none."""
    shown = tree.get(name)
    if shown is None:
        return 0
    try:
        found = datetime.fromisoformat(shown)
    except (TypeError, ValueError):
        raise Fault("SPAN_TIME", f"{name} is no instant: {str(shown)[:40]!r}") from None
    zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
    return (zoned - _EPOCH) // _MICROSECOND * 1_000


def _pairs(attributes: Any) -> list[KeyValue]:
    return [KeyValue(name, _value(value))
            for name, value in mapping(attributes).items() if value is not None]  # fmt: skip


def _value(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue([_value(item) for item in value]))
        case Mapping():
            return AnyValue(kvlist_value=KeyValueList(_pairs(value)))
    return AnyValue()
