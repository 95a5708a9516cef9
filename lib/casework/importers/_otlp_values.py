"""Values and ids of OTLP/JSON: numbers that may be text, ids that are hex or base64."""

import base64
import math
import re
from typing import Any

from casework.importers._json_document import MAX_DEPTH
from casework.importers._otlp import AnyValue, Fault

_EXACT_IN_A_DOUBLE = 2**53
_UINT64 = 2**64
_FEWEST_NS = 10**17
_NO_PARENT = "0" * 16
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_URL_ALPHABET = re.compile(r"[-_]")


def plain(value: AnyValue, depth: int = 0) -> Any:
    """Give the Python value: text, number, truth value, list or dict; None for the empty value.

    Integers beyond 2^53 stay text, as in all JSON of a case; so do NaN and the infinities.

    Raises:
        Fault: SPAN_TYPE for a number that is none, JSON_DEPTH beyond 64 levels.
    """
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return exact(value.int_value)
    if value.double_value is not None:
        return _double(value.double_value)
    if value.bool_value is not None:
        return value.bool_value
    if depth >= MAX_DEPTH:
        raise Fault("JSON_DEPTH", f"nested deeper than {MAX_DEPTH} levels")
    if value.array_value is not None:
        return [plain(item, depth + 1) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return {pair.key: plain(pair.value, depth + 1) for pair in value.kvlist_value.values}
    return value.bytes_value


def _double(number: float | str) -> float | str:
    """Read a number that may stand as text; NaN and the infinities stay text."""
    try:
        found = float(number)
    except ValueError as error:
        raise Fault("SPAN_TYPE", f"doubleValue is no number: {str(number)[:40]!r}") from error
    return found if math.isfinite(found) else str(number)


def exact(number: int | str) -> int | str:
    """Read an integer that may stand as text; text remains what a double cannot hold.

    Raises:
        Fault: SPAN_TYPE, it is none.
    """
    try:
        found = int(number)
    except ValueError as error:
        raise Fault("SPAN_TYPE", f"intValue is no integer: {str(number)[:40]!r}") from error
    return found if -_EXACT_IN_A_DOUBLE <= found <= _EXACT_IN_A_DOUBLE else str(found)


def instant(nanoseconds: int | str, name: str) -> int | None:
    """Read nanoseconds since 1970; None where there are none, which OTLP writes as 0.

    A number that would be an instant before March 1973 counts something else, as milliseconds.

    Raises:
        Fault: SPAN_TIME, it is no number of nanoseconds.
    """
    try:
        number = int(nanoseconds or 0)
    except ValueError:
        number = -1
    if not _FEWEST_NS <= number < _UINT64 and number != 0:
        raise Fault("SPAN_TIME", f"{name} is no instant in nanoseconds: {str(nanoseconds)[:40]!r}")
    return number or None


def is_instant(nanoseconds: int | str) -> bool:
    """Whether this is a number of nanoseconds since 1970, or says that there is none."""
    try:
        instant(nanoseconds, "")
    except Fault:
        return False
    return True


def identify(trace_id: str, span_id: str) -> bytes:
    """Give the 16 bytes of a trace id and the 8 of a span id, from hex or base64.

    Raises:
        Fault: SPAN_ID, one of them is missing, zero, or of another length.
    """
    try:
        both = bytes.fromhex(trace_id + span_id)
    except ValueError:
        both = b""
    if len(trace_id) != 32 or len(span_id) != 16 or len(both) != _TRACE_BYTES + _SPAN_BYTES:
        both = _id(trace_id, _TRACE_BYTES, "traceId") + _id(span_id, _SPAN_BYTES, "spanId")
    if not any(both[:_TRACE_BYTES]) or not any(both[_TRACE_BYTES:]):
        raise Fault("SPAN_ID", "an id of the span is zero")
    return both


def parent(span_id: str) -> str | None:
    """Give the id of the parent in hex; None where there is none, text that is no id as it is."""
    if not span_id:
        return None
    try:
        found = _id(span_id, _SPAN_BYTES, "parentSpanId").hex()
    except Fault:
        return span_id
    return found if found != _NO_PARENT else None


def optional_ids(trace_id: str, span_id: str) -> tuple[str | None, str | None]:
    """Give the ids of a trace and a span in hex; None where there is none.

    Raises:
        Fault: SPAN_ID, what stands there is no id.
    """
    trace = _id(trace_id, _TRACE_BYTES, "traceId") if trace_id else b""
    span = _id(span_id, _SPAN_BYTES, "spanId") if span_id else b""
    return (trace.hex() if any(trace) else None), (span.hex() if any(span) else None)


def _id(text: str, size: int, name: str) -> bytes:
    if not text:
        raise Fault("SPAN_ID", f"{name} is missing")
    try:
        if len(text) == 2 * size:
            found = bytes.fromhex(text)
        else:
            padded = text + "=" * (-len(text) % 4)
            alphabet = b"-_" if _URL_ALPHABET.search(text) else None
            found = base64.b64decode(padded, alphabet, validate=True)
    except ValueError:
        found = b""
    if len(found) != size:
        raise Fault("SPAN_ID", f"{name} is no id of {size} bytes: {text[:64]!r}")
    return found
