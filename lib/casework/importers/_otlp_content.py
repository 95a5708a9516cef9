"""What a source holds: whether it is of OTLP, as JSON or as protobuf."""

import io
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from casework.importers._json_document import first_entries
from casework.importers._json_stream import documents
from casework.importers._otlp import (
    BATCHES,
    RESOURCE_LOGS,
    RESOURCE_METRICS,
    RESOURCE_SPANS,
    Fault,
)
from casework.importers._otlp_frames import Message, may_be_messages, messages
from casework.importers._otlp_protobuf import decode_message
from casework.importers._otlp_sdk import MARK, is_shown
from casework.importers._otlp_tree import elements
from casework.importers._source import BROKEN_COMPRESSION, Source

_SPELLINGS = (
    *(RESOURCE_SPANS, "resource_spans", RESOURCE_LOGS, "resource_logs"),
    *("scopeSpans", "scope_spans", "scopeLogs", "scope_logs"),
)
_METRICS = {RESOURCE_METRICS, "resource_metrics"}
_SHOWN = 1 << 16


def holds_otlp(source: Source) -> bool:
    """Whether a source holds spans or log records of OTLP, told from its beginning.

    Where that has metrics alone, the source is read on to the first request of others.
    """
    head = source.head()
    if may_be_messages(head):
        return _holds_messages(source)
    of_trace = source.within("trace")  # as Tempo gives it
    if _holds_requests(head) or _names_signal(of_trace, _SPELLINGS):
        return True
    return _is_of_metrics(head) and _holds_others(source)


def _holds_requests(head: bytes) -> bool:
    is_otlp = any(name.encode() in head for name in _SPELLINGS)
    if not is_otlp and MARK not in head:
        return False
    names = (*_SPELLINGS, BATCHES) if is_otlp else ()
    for document in documents(io.BytesIO(head)):
        found = first_entries(document.data.lstrip().removeprefix(b"["))
        if _names_signal(found, names) or is_shown(found):
            return True
    return False


def _names_signal(found: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether one of these is a list, which may be cut off."""
    return any(name in found and isinstance(found[name], list | None) for name in names)


def _is_of_metrics(head: bytes) -> bool:
    start = head.lstrip().removeprefix(b"[").lstrip()
    return start.startswith(b"{") and not _METRICS.isdisjoint(first_entries(start))


def _holds_others(source: Source) -> bool:
    """Whether spans or log records come after metrics, as in a file of all signals."""
    with suppress(*BROKEN_COMPRESSION), source.open() as file:
        return any(
            _holds_requests(request[:_SHOWN])
            for document in documents(file)
            for request in _requests_in(document.data)
        )
    return False


def _requests_in(document: bytes) -> list[bytes]:
    """The requests of a document; one that is broken off as it stands."""
    try:
        return [request for _, request in elements(document)]
    except Fault:
        return [document]


def _holds_messages(source: Source) -> bool:
    """Whether the first message of a binary file that is not of metrics is one of OTLP."""
    with suppress(*BROKEN_COMPRESSION), source.open() as file:
        for message in messages(file, source.head()):
            is_of_metrics, is_of_others = _signals(message)
            if is_of_others or not is_of_metrics:
                return is_of_others
    return False


def _signals(message: Message) -> tuple[bool, bool]:
    """Whether a message is of metrics, and whether it is of spans or log records."""
    if message.fault:
        return False, False
    if message.data.startswith(b"{"):
        return _is_of_metrics(message.data), _holds_requests(message.data)
    try:
        request = decode_message(message.data)
    except Fault:
        return False, False
    return bool(request.resource_metrics), not request.resource_metrics
