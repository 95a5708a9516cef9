"""OTLP/JSON documents, read into rows of `requests`. Each run of them can be read by itself."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from casework.case import Reject
from casework.importers._configuration import hash_prompt
from casework.importers._genai import COLUMNS, SLOT, Attributes, Sorter, kind_of
from casework.importers._genai_texts import sort_events, texts
from casework.importers._json_stream import Document, lines
from casework.importers._messages import shortened
from casework.importers._otlp import (
    RESOURCE_SPANS,
    Fault,
    Span,
    decode_request,
    elements,
    is_json,
    span_by_span,
)
from casework.importers._otlp_values import identify, instant, parent
from casework.tables import requests

LEFT_OUT = "left out: "
CUT_VALUES = "with attributes cut after 4,000 characters"
CUT_MESSAGES = "with messages that are no whole JSON, kept as they stand"
BACKWARDS = "that end before they begin, without latency"

_REQUEST, _TRACE, _SPAN = SLOT["request_id"], SLOT["trace_id"], SLOT["span_id"]
_PARENT, _BEGUN, _ENDED = SLOT["parent_span_id"], SLOT["occurred_at"], SLOT["ended_at"]
_LATENCY, _STATUS = SLOT["latency_ms"], SLOT["status"]
_INPUT, _OUTPUT = SLOT["input_text"], SLOT["output_text"]
_PROMPT_HASH, _ATTRIBUTES, _LOCATOR = SLOT["prompt_hash"], SLOT["attributes"], SLOT["locator"]

_STATUSES = {
    0: "ok", 1: "ok", 2: "error", "0": "ok", "1": "ok", "2": "error",
    "STATUS_CODE_UNSET": "ok", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error",
}  # fmt: skip
_NS_PER_US, _NS_PER_MS = 1_000, 1_000_000
_SHOWN_BYTES = 4_000
_WHOLE_ATTRIBUTES = 4_000
_HASHES_KEPT = 5_000

_encode = msgspec.json.Encoder().encode


@dataclass
class Part:
    """What was read of a source: rows by `COLUMNS`, rejects, and how often what is to be told."""

    rows: list[list[Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


class Reader:
    """Reads documents of one source. What it remembers only saves work."""

    def __init__(self) -> None:
        self._sorter = Sorter()
        self._hashes: dict[str, str | None] = {}

    @property
    def taken(self) -> dict[str, set[str]]:
        """The columns that each attribute of a model call fills."""
        return self._sorter.taken

    def read(self, documents: Iterable[Document]) -> Part:
        """Read documents; what cannot be read is a reject and never stops the rest."""
        part = Part()
        for document in documents:
            self._read_document(document, part)
        return part

    def _read_document(self, document: Document, part: Part) -> None:
        where = f"line {document.line}"
        try:
            if document.overlong:
                raise Fault("JSON_TOO_LONG", "longer than 16 MiB a line, or 128 MiB a document")
            requests_in = elements(document.data)
        except Fault as fault:
            self._read_lines(document, fault, part)
            return
        for pointer, request in requests_in:
            try:
                self._read_request(where + pointer, request, part)
            except Fault as fault:
                if pointer:
                    _reject(part, where + pointer, fault, request)
                else:
                    self._read_lines(document, fault, part)

    def _read_lines(self, document: Document, fault: Fault, part: Part) -> None:
        """Read a document that is none line by line, if its first line is JSON by itself."""
        each = lines(document) if b"\n" in document.data.rstrip() else []
        if each and is_json(each[0].data):
            for line in each:
                self._read_document(line, part)
        else:
            _reject(part, f"line {document.line}", fault, document.data)

    def _read_request(self, at: str, request: bytes, part: Part) -> None:
        before = len(part.rows)
        told: list[str] = []
        try:
            self._read_at_once(at, request, part, told)
        except (Fault, ValueError, RecursionError):
            del part.rows[before:]
            told.clear()
            self._read_span_by_span(at, request, part, told)
        if told:
            part.told.update(told)

    def _read_at_once(self, at: str, data: bytes, part: Part, told: list[str]) -> None:
        """Read a request in which every span is as it should be.

        Raises:
            Fault, ValueError, RecursionError: one of them is not, or the request is none.
        """
        request = decode_request(data)
        groups = request.resource_spans
        if groups is None or request.resource_metrics or request.resource_logs:
            raise Fault("OTLP_SHAPE", "not only spans")
        append = part.rows.append
        for group_at, group in enumerate(groups):
            resource = bytes(group.resource)
            for scope_at, scope in enumerate(group.scope_spans):
                place = f"{at}/{RESOURCE_SPANS}/{group_at}/scopeSpans/{scope_at}/spans/"
                for span_at, span in enumerate(scope.spans):
                    row = self._row(span, resource, told)
                    if row:
                        row[_LOCATOR] = f"{place}{span_at}"
                        append(row)

    def _read_span_by_span(self, at: str, request: bytes, part: Part, told: list[str]) -> None:
        for found in span_by_span(request):
            place = at + found.pointer
            if found.content is None:
                told.append(LEFT_OUT + found.raw)
                continue
            before = len(told)
            try:
                if isinstance(found.content, Fault):
                    raise found.content
                row = self._row(found.content, found.resource, told)
            except Fault as fault:
                del told[before:]
                _reject(part, place, fault, found.raw.encode())
                continue
            if row:
                row[_LOCATOR] = place
                part.rows.append(row)

    def _row(self, span: Span, resource: bytes, told: list[str]) -> list[Any] | None:
        """Make the row of a span that is a model call.

        Raises:
            Fault: SPAN_ID, SPAN_TIME, SPAN_TYPE, JSON_DEPTH.
        """
        found = self._sorter.sort(span.attributes, resource)
        if not found.is_model_call:
            told.append(LEFT_OUT + kind_of(found))
            return None
        row = found.row
        ids = identify(span.trace_id, span.span_id).hex()
        row[_TRACE] = ids[:32]
        row[_SPAN] = span_id = ids[32:]
        row[_PARENT] = parent(span.parent_span_id)
        if row[_REQUEST] is None:
            row[_REQUEST] = span_id
        begun = instant(span.start_time_unix_nano, "startTimeUnixNano")
        if begun is None:
            raise Fault("SPAN_TIME", "startTimeUnixNano is missing")
        row[_BEGUN] = begun // _NS_PER_US
        ended = instant(span.end_time_unix_nano, "endTimeUnixNano")
        if ended is not None:
            row[_ENDED] = ended // _NS_PER_US
            if ended >= begun:
                row[_LATENCY] = (ended - begun) / _NS_PER_MS
            else:
                told.append(BACKWARDS)
        if found.said or span.events:
            self._take_texts(span, found, told)
        code = span.status.code
        row[_STATUS] = "error" if "error.type" in found.rest else _STATUSES.get(code) or str(code)
        row[_ATTRIBUTES] = _attributes(span, found.rest, told)
        return row

    def _take_texts(self, span: Span, found: Attributes, told: list[str]) -> None:
        row = found.row
        events = sort_events(span.events) if span.events else None
        said = texts(found.said, events)
        if said.input is not None:
            _replace(found, _INPUT, said.input)
        if said.output is not None:
            _replace(found, _OUTPUT, said.output)
        if said.system and row[_PROMPT_HASH] is None:
            row[_PROMPT_HASH] = self._hashes.get(said.system) or self._hash(said.system)
        if events and events.others:
            found.rest["span.events"] = events.others
        if not said.is_whole:
            told.append(CUT_MESSAGES)

    def _hash(self, system: str) -> str | None:
        if len(self._hashes) >= _HASHES_KEPT:
            self._hashes.clear()
        self._hashes[system] = digest = hash_prompt([system])
        return digest


def _reject(part: Part, where: str, fault: Fault, data: bytes) -> None:
    raw = data[:_SHOWN_BYTES].decode("utf-8", "backslashreplace").rstrip("\r\n")
    part.rejects.append(Reject(where, fault.code, fault.reason, raw, requests))


def _replace(found: Attributes, slot: int, text: str) -> None:
    """Fill a column from the format; an own field of its name stays an attribute."""
    if found.row[slot] is not None:
        found.rest[COLUMNS[slot]] = found.row[slot]
    found.row[slot] = text


def _attributes(span: Span, rest: dict[str, Any], told: list[str]) -> str:
    """Write what no column takes as JSON, with long values cut."""
    rest["span.name"] = span.name
    if span.status.message:
        rest["status.message"] = span.status.message
    text = _encode(rest).decode()
    if len(text) <= _WHOLE_ATTRIBUTES:
        return text
    cut = {name: _cut(value) for name, value in rest.items()}
    if cut != rest:
        told.append(CUT_VALUES)
    return _encode(cut).decode()


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else _encode(value).decode()
    short = shortened(text)
    return value if short is text else short
