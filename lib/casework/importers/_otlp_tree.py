"""OTLP/JSON that is not as it should be: read span by span, record by record.

A request is decoded at once into the structs of `_otlp`. One that does not fit is read here, with
the other spelling that proto3 JSON allows (`resource_spans`), nulls as unset, and a reason for
every span and log record that still does not fit. So is what other tools make of requests: the
traces of Tempo, what one resource has to itself, and spans as the SDK shows them.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from casework.importers._otlp import (
    BATCHES,
    NO_RESOURCE,
    RESOURCE_LOGS,
    RESOURCE_METRICS,
    RESOURCE_SPANS,
    Fault,
    Found,
    LogRecord,
    Span,
)
from casework.importers._otlp_sdk import is_shown, span_of

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_CONSTANT = re.compile(rb"[:\[,]\s*-?(?:NaN|Infinity)")
_SNAKE = re.compile(r"_([a-z])")
# The second name of the list of scopes is that of OTLP before 0.16.
_SIGNALS: tuple[tuple[tuple[str, ...], tuple[str, str], str, type[Span] | type[LogRecord]], ...] = (
    ((RESOURCE_SPANS, BATCHES), ("scopeSpans", "instrumentationLibrarySpans"), "spans", Span),
    ((RESOURCE_LOGS,), ("scopeLogs", "instrumentationLibraryLogs"), "logRecords", LogRecord),
)
_WHOLE = {RESOURCE_METRICS, *(name for names, _, _, _ in _SIGNALS for name in names)}
_OF_ONE = {name for _, names, _, _ in _SIGNALS for name in names}
_BESIDE = {"resource", "scope", "instrumentationLibrary", "schemaUrl"}

_decode_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def elements(document: bytes) -> list[tuple[str, bytes]]:
    """Return the requests of a document, which is one or an array of them, by JSON pointer.

    Raises:
        Fault: the array is no JSON.
    """
    if not document.lstrip().startswith(b"["):
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


def one_by_one(request: bytes) -> Iterator[Found]:
    """Yield the spans and log records of a request, and what is wrong with those that do not fit.

    Raises:
        Fault: the request is no JSON.
    """
    try:
        tree = _decode_any(request)
    except (ValueError, RecursionError) as error:
        raise fault_of(error, request) from error
    if isinstance(tree, dict) and isinstance(tree.get("trace"), dict):  # as Tempo gives it
        for found in _in_tree(tree["trace"], request):
            yield found._replace(pointer=f"/trace{found.pointer}")
    else:
        yield from _in_tree(tree, request)


def _in_tree(tree: Any, request: bytes) -> Iterator[Found]:
    names = {_camel(name) for name in tree} if isinstance(tree, dict) else set()
    if is_shown(tree):
        yield _of_sdk(tree, request)
    elif names & _WHOLE:
        yield from (Found(at, None) for at, _ in _members(tree, "", (RESOURCE_METRICS,)))
        for signal, of_scope, of_one, kind in _SIGNALS:
            for at, group in _members(tree, "", signal):
                yield from _of_group(group, at, of_scope, of_one, kind)
    elif names & _OF_ONE:
        for _, of_scope, of_one, kind in _SIGNALS:
            yield from _of_group(tree, "", of_scope, of_one, kind)
    else:
        fault = Fault("OTLP_SHAPE", "JSON, but no OTLP request: it has no resourceSpans")
        yield Found("", fault, raw=request.decode())


def _of_sdk(tree: dict[str, Any], request: bytes) -> Found:
    raw = request.decode()
    try:
        return Found("", *span_of(tree), raw)
    except Fault as fault:
        return Found("", fault, raw=raw)
    except RecursionError:
        return Found("", Fault("JSON_DEPTH", "nested too deeply"), raw=raw)


def _of_group(
    group: Any, at: str, of_scope: tuple[str, str], of_one: str, kind: type[Span] | type[LogRecord]
) -> Iterator[Found]:
    """What one resource has of spans or of log records."""
    resource = _resource(group)
    for scope_at, scope in _members(group, at, of_scope):
        for place, one in _members(scope, scope_at, (of_one,)):
            yield Found(place, _fit(one, kind), resource, msgspec.json.encode(one).decode())


def _members(node: Any, at: str, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the members of a list of the node by pointer; what is no list or node, as it is.

    So is, as a list of itself, a node that has something else in place of that list.
    """
    if not isinstance(node, dict):
        yield at, node
        return
    held = {_camel(spelled) for spelled, value in node.items() if value is not None}
    if at and held - _BESIDE and held.isdisjoint(names):
        yield at, [node]
    for spelled, value in node.items():
        if _camel(spelled) not in names or value is None:
            continue
        if isinstance(value, list):
            yield from ((f"{at}/{spelled}/{i}", member) for i, member in enumerate(value))
        else:
            yield f"{at}/{spelled}", [value]


def _fit(tree: Any, kind: type[Span] | type[LogRecord]) -> Span | LogRecord | Fault:
    if not isinstance(tree, dict):
        return Fault("OTLP_SHAPE", "no object where OTLP has one, or no list of them")
    try:
        return _converted(tree, kind)
    except RecursionError:
        return Fault("JSON_DEPTH", "nested too deeply")


def _converted(
    tree: dict[str, Any], kind: type[Span] | type[LogRecord]
) -> Span | LogRecord | Fault:
    """The span or log record, or what does not fit, with its place in the source.

    Raises:
        RecursionError: it nests as deep as Python goes.
    """
    try:
        return msgspec.convert(_respelled(tree), kind)
    except msgspec.ValidationError as error:
        why = str(error)
    try:
        msgspec.convert(_respelled(tree, with_empty=True), kind)
    except msgspec.ValidationError as placed:
        why = str(placed)
    return Fault("SPAN_TYPE", why)


def _resource(group: Any) -> bytes:
    if not isinstance(group, dict):
        return bytes(NO_RESOURCE)
    try:
        return msgspec.json.encode(_respelled(group.get("resource") or {}))
    except RecursionError:
        return b"null"


def _respelled(value: Any, *, with_empty: bool = False) -> Any:
    """Names as in camelCase; without nulls and empty attributes, which say nothing.

    Args:
        value: what stands there.
        with_empty: whether empty attributes stay, so that the others keep their places.
    """
    if isinstance(value, dict):
        return {
            _camel(key): _respelled(item, with_empty=with_empty)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        members = [_respelled(item, with_empty=with_empty) for item in value]
        if with_empty:
            return [{"value": {}, **m} if isinstance(m, dict) and "key" in m else m
                    for m in members]  # fmt: skip
        return [
            m
            for m in members
            if not (isinstance(m, dict) and "key" in m and m.get("value") in (None, {}))
        ]
    return value


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), name) if "_" in name else name
