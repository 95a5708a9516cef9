"""What a source holds: whether it is of OTLP, as JSON or as protobuf."""

import io
from contextlib import suppress

from casework.importers._json_document import first_entries
from casework.importers._json_stream import documents
from casework.importers._otlp import RESOURCE_LOGS, RESOURCE_METRICS, RESOURCE_SPANS, Fault
from casework.importers._otlp_frames import may_be_messages, messages
from casework.importers._otlp_protobuf import decode_message
from casework.importers._source import BROKEN_COMPRESSION, Source

_SPELLINGS = (RESOURCE_SPANS, "resource_spans", RESOURCE_LOGS, "resource_logs")
_SHOWN = 1 << 16


def holds_otlp(source: Source) -> bool:
    """Whether a source holds spans or log records of OTLP, told from its beginning.

    Where that has metrics alone, the source is read on to the first request of others.
    """
    head = source.head()
    if may_be_messages(head):
        return _holds_messages(source)
    return _holds_requests(head) or (_is_of_metrics(head) and _holds_other_lines(source))


def _holds_requests(head: bytes) -> bool:
    if not any(name.encode() in head for name in _SPELLINGS):
        return False
    for document in documents(io.BytesIO(head)):
        found = first_entries(document.data.lstrip().removeprefix(b"["))
        if any(name in found and isinstance(found[name], list | None) for name in _SPELLINGS):
            return True
    return False


def _is_of_metrics(head: bytes) -> bool:
    start = head.lstrip().removeprefix(b"[").lstrip()
    return start.startswith(b"{") and RESOURCE_METRICS in first_entries(start)


def _holds_other_lines(source: Source) -> bool:
    """Whether spans or log records come after metrics, as in a file of all signals."""
    with suppress(*BROKEN_COMPRESSION), source.open() as file:
        return any(_holds_requests(found.data[:_SHOWN]) for found in documents(file))
    return False


def _holds_messages(source: Source) -> bool:
    """Whether the first message of a binary file is one of OTLP."""
    try:
        with source.open() as file:
            first = next(messages(file, source.head()), None)
    except BROKEN_COMPRESSION:
        return False
    if first is None or first.fault:
        return False
    if first.data.startswith(b"{"):
        return _holds_requests(first.data)
    try:
        request = decode_message(first.data)
    except Fault:
        return False
    return not request.resource_metrics
