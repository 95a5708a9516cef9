"""OTLP documents and messages, read into rows. Each run of them can be read by itself."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from casework.case import Reject
from casework.importers._json_stream import Document, lines
from casework.importers._otlp import (
    RESOURCE_METRICS,
    RESOURCE_SPANS,
    Fault,
    Found,
    Request,
    Span,
    decode_request,
    log_records,
    one_by_one,
)
from casework.importers._otlp_events import Said
from casework.importers._otlp_frames import Message
from casework.importers._otlp_protobuf import decode_message
from casework.importers._otlp_requests import LEFT_OUT, Part, Requests, dated
from casework.importers._otlp_tree import elements, is_json
from casework.importers._otlp_tree import one_by_one as one_by_one_of_tree
from casework.tables import requests

_SHOWN_BYTES = 4_000
_END = re.compile(rb"^}\r?\n", re.MULTILINE)


class Reader:
    """Reads documents of one source. What it remembers only saves work.

    Args:
        said: messages of log records, by trace and span.
    """

    def __init__(self, said: Mapping[bytes, list[Said]]) -> None:
        self._requests = Requests(said)

    @property
    def taken(self) -> dict[str, set[str]]:
        """The columns that each attribute of a model call fills."""
        return self._requests.taken

    def read(self, documents: Iterable[Document]) -> Part:
        """Read documents; what cannot be read is a reject and never stops the rest."""
        part = Part()
        for document in documents:
            self._read_document(document, part)
        return part

    def read_message(self, message: Message) -> Part:
        """Read a message of a binary file, which is protobuf, or JSON that was compressed."""
        part, at = Part(), f"message {message.number}"
        if message.fault:
            _reject(part, at, message.fault, message.data)
        elif message.data.startswith(b"{"):
            self._read_json(at, message.data, part)
        else:
            try:
                request = decode_message(message.data)
            except Fault as fault:
                _reject(part, at, fault, message.data)
            else:
                self._keep(at, one_by_one(request), part)
        return part

    def read_said(self, said: Iterable[list[Said]]) -> Part:
        """Read messages of log records whose span is not in the source."""
        part = Part()
        for of_span in said:
            call = Part()
            try:
                self._requests.take_said(of_span, call)
            except Fault as fault:
                for one in of_span:
                    _reject(part, one.place, fault, msgspec.json.encode(one.event))
            else:
                part.add(call)
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
        """Read a document that is none line by line, if its first line is JSON by itself.

        Behind one over many lines stands what a program printed next, where both go to a console.
        """
        each = lines(document) if b"\n" in document.data.rstrip() else []
        end = _END.search(document.data)
        if each and is_json(each[0].data):
            for line in each:
                self._read_document(line, part)
        elif end and is_json(data := document.data[: end.end()]):
            self._read_document(document._replace(data=data), part)
            after = document.line + data.count(b"\n")
            fault = Fault("JSON", "no JSON, behind JSON")
            _reject(part, f"line {after}", fault, document.data[end.end() :])
        else:
            _reject(part, f"line {document.line}", fault, document.data)

    def _read_json(self, at: str, data: bytes, part: Part) -> None:
        try:
            self._read_request(at, data, part)
        except Fault as fault:
            _reject(part, at, fault, data)

    def _read_request(self, at: str, data: bytes, part: Part) -> None:
        """Read a request, at once where all in it is as it should be, else one by one.

        Raises:
            Fault: it is no JSON.
        """
        whole = Part()
        try:
            self._read_at_once(at, decode_request(data), whole)
        except (Fault, ValueError, RecursionError):
            self._keep(at, one_by_one_of_tree(data), part)
        else:
            part.add(whole)

    def _read_at_once(self, at: str, request: Request, part: Part) -> None:
        """Read a request in which every span and log record is as it should be.

        Raises:
            Fault: one of them is not, or there are others.
        """
        groups, logs = request.resource_spans, request.resource_logs
        if (groups is None and logs is None) or request.resource_metrics:
            raise Fault("OTLP_SHAPE", "not only spans and log records")
        take = self._requests.take_span
        for group_at, group in enumerate(groups or ()):
            resource = bytes(group.resource)
            for scope_at, scope in enumerate(group.scope_spans):
                place = f"{at}/{RESOURCE_SPANS}/{group_at}/scopeSpans/{scope_at}/spans/"
                for span_at, span in enumerate(scope.spans):
                    take(span, resource, f"{place}{span_at}", part)
        for found in log_records(request) if logs else ():
            self._take(found, at + found.pointer, part)

    def _keep(self, at: str, founds: Iterable[Found], part: Part) -> None:
        """Take what was found one by one; what is wrong is a reject."""
        for found in founds:
            one, place = Part(), at + found.pointer
            try:
                self._take(found, place, one)
            except Fault as fault:
                raw = found.raw.encode() or msgspec.json.encode(found.content)
                _reject(part, place, fault, raw)
            else:
                part.add(one)

    def _take(self, found: Found, place: str, part: Part) -> None:
        content = found.content
        if isinstance(content, Fault):
            raise content
        if content is None:
            part.told[LEFT_OUT + RESOURCE_METRICS] += 1
        elif isinstance(content, Span):
            self._requests.take_span(dated(content, part.told), found.resource, place, part)
        else:
            self._requests.take_record(content, place, part)


def _reject(part: Part, where: str, fault: Fault, data: bytes) -> None:
    raw = data[:_SHOWN_BYTES].decode("utf-8", "backslashreplace").rstrip("\r\n")
    part.rejects.append(Reject(where, fault.code, fault.reason, raw, requests))
