"""Spans of OpenInference as evidence rows, from whichever export of Phoenix or Arize."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casework import words
from casework.case import Item, Note, Row
from casework.importers import _genai_names as names
from casework.importers._configuration import hash_invocation, hash_prompt
from casework.importers._embeddings import embeddings
from casework.importers._fields import FieldLog, Form
from casework.importers._flattened import flatten
from casework.importers._genai_texts import texts
from casework.importers._instants import milliseconds
from casework.importers._judges import Judges
from casework.importers._marks import Marks
from casework.importers._retrievals import documents
from casework.importers._shape import mapping, number, text, written
from casework.importers._span_ids import shared_name
from casework.importers._span_ref import Calls, SpanRef, Waiting
from casework.tables import (
    Table,
    candidates,
    eval_runs,
    eval_samples,
    feedback,
    requests,
    vectors,
)

TABLES: tuple[Table, ...] = (requests, candidates, vectors, feedback, eval_samples, eval_runs)

_KIND = names.SPAN_KIND
_NO_KIND = ("", "UNKNOWN")
_OWN_ID = {"request_id": "attributes.request_id"}  # requests are named by their spans
_SPOKEN = (*names.INDEXED_INPUT, *names.INDEXED_OUTPUT, "llm.messages.")
_WHOLE = (*names.INPUT, *names.OUTPUT, names.SYSTEM)
_TEXTS = ("input_text", "output_text")
_TOKENS = ("input_tokens", "output_tokens")
_SPAN_COLUMNS = {
    "request_id": ("span_id",),
    "occurred_at": ("start_time",),
    "ended_at": ("end_time",),
    "trace_id": ("trace_id",),
    "span_id": ("span_id",),
    "parent_span_id": ("parent_id",),
}
_SPAN = Form(
    requests,
    of="span",
    columns={
        **{name: paths for name, paths in names.NAMES.items() if name not in _SPAN_COLUMNS},
        **_SPAN_COLUMNS,
        "operation": (*names.NAMES["operation"], _KIND),
    },
    uses={"status": ("status_code",), "params_hash": (names.INVOCATION,)},
    left_out=("input.mime_type", "output.mime_type"),
)


@dataclass
class Spans:
    """Rows of the spans of one source; retrievals wait until all calls of their trace are known."""

    log: FieldLog
    judges: Judges = field(default_factory=lambda: Judges("openinference"))
    _marks: Marks = field(init=False)
    _calls: Calls = field(default_factory=Calls)
    _waiting: Waiting = field(default_factory=Waiting)
    _passed: Counter[str] = field(default_factory=Counter)
    _trace_of: dict[str, str] = field(default_factory=dict)
    _named: dict[tuple[str | None, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._marks = Marks(self.log)

    def rows(self, span: Mapping[str, Any], locator: str) -> Iterator[Item]:
        """Yield the rows of a span.

        Args:
            span: its fields, with `span_id`, `trace_id` and `attributes` flattened or nested.
            locator: where it stands.
        """
        flat = flatten(mapping(span.get("attributes")))
        kind = str(flat.pop(_KIND, None) or span.get("span_kind") or "").upper()
        is_call = kind in names.MODEL_KINDS or (kind in _NO_KIND and _is_call(flat))
        ref = SpanRef(text(span.get("trace_id")), text(span.get("span_id")),
                      span.get("start_time"), span.get("end_time") or span.get("start_time"),
                      is_call)  # fmt: skip
        if is_call:
            self._name(ref)
        for mark in self._marks.annotations(ref, flat, locator):
            yield from self._mark(mark, ref.trace_id)
        if is_call:
            yield self._call(span, flat, kind, locator)
            yield from embeddings(self.log, ref, flat, locator)
        elif kind in ("RETRIEVER", "RERANKER"):
            own = {_OWN_ID.get(name, name): value for name, value in flat.items()}
            offered = [*documents(self.log, ref, own, locator)]
            for row in offered:
                self.later(row, ref.trace_id)
            if not offered:
                self._passed[f"{kind.lower()} without documents"] += 1
        else:
            self._passed[kind.lower() if kind in names.OTHER_KINDS else "other"] += 1

    def later(self, row: Row, trace_id: str | None) -> None:
        """Let a row that names no request wait for the one call of its trace."""
        self._waiting.add(row, trace_id)

    def rest(self) -> Iterator[Item]:
        """Yield the rows that wait for the one call of their trace, and what is to be told."""
        for mark, trace_id in self._marks.rest():
            yield from self._mark(mark, trace_id)
        yield from self._waiting.rows(self._calls.alone())
        yield from self.judges.rows()
        if self._passed:
            passed = sorted(self._passed.items())
            kinds = ", ".join(f"{kind} {words.number(times)}" for kind, times in passed)
            total = words.count(sum(self._passed.values()), "spans")
            yield Note(f"left out: {total} without a model call or a document ({kinds})")
        yield from self.log.items()

    def _name(self, span: SpanRef) -> None:
        """Name the request of a span whose id was met in another trace first."""
        trace, one = span.trace_id, span.span_id
        if trace and one and self._trace_of.setdefault(one, trace) != trace:
            self._named[trace, one] = shared_name(one, trace)

    def _mark(self, row: Row, trace_id: str | None) -> Iterator[Row]:
        if row.table is eval_samples:
            yield self.judges.saw(row, str(row.values["run_id"]).split(":", 2)[2])
        elif request := row.values["request_id"]:
            name = self._named.get((trace_id, request), request)
            yield row._replace(values={**row.values, "request_id": name})
        else:
            self.later(row, trace_id)

    def _call(self, span: Mapping[str, Any], flat: dict[str, Any], kind: str, locator: str) -> Item:
        said = {name: flat.pop(name) for name in list(flat) if _is_spoken(name)}
        found = texts({name.replace("llm.messages.", "llm.input_messages."): value
                       for name, value in said.items()})  # fmt: skip
        fields = _fields(span)
        spoken = dict(zip(_TEXTS, (found.input, found.output), strict=True))
        known = {*fields, *(name for name, one in spoken.items() if one is not None)}
        own = {f"attributes.{name}" if name in known else name: value
               for name, value in flat.items()}  # fmt: skip
        values = self.log.fill(_SPAN, {**own, **fields, _KIND: kind.removeprefix("UNKNOWN")})
        if request := values.get("request_id"):
            values["request_id"] = self._named.get((values.get("trace_id"), request), request)
        for name in said:
            column = "output_text" if "output" in name or "completion" in name else "input_text"
            self.log.took(_SPAN, _prefix(name), column)
        for name in _TOKENS:
            if values.get(name, 0) < 0:
                values.setdefault("attributes", {})[name] = values.pop(name)
        if (trace := values.get("trace_id")) and (request := values.get("request_id")):
            self._calls.add(trace, request)
        derived = {
            **spoken,
            "prompt_hash": hash_prompt([found.system] if found.system else []),
            "params_hash": hash_invocation(flat.get(names.INVOCATION)),
            "latency_ms": milliseconds(values.get("occurred_at"), values.get("ended_at")),
            "status": _status(span.get("status_code")),
        }
        return Row(requests, locator, {**derived, **values})


def _is_call(flat: Mapping[str, Any]) -> bool:
    """Whether a span of no kind is a model call, as in OTLP."""
    operation = next(filter(None, (text(flat.get(name)) for name in names.NAMES["operation"])), "")
    if operation in names.MODEL_CALLS or "decision" in flat:
        return True
    marks = (names.NAMES["endpoint"][0], names.NAMES["response_model"][0], *names.PROVIDERS)
    return operation not in names.OTHER_OPERATIONS and any(name in flat for name in marks)


def _status(code: Any) -> str | None:
    """How a span ended; a code that is not known as it is, and None where what stands is none."""
    if code in (None, ""):
        return "ok"
    if isinstance(code, list | Mapping):
        return written(code)
    count = number(code)  # a table with gaps has 2.0
    said = text(code) if count is None or not count.is_integer() else str(int(count))
    return names.STATUSES.get((said or "").strip().upper()) or said


def _fields(span: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in span.items()
        if name not in ("attributes", "context", "span_kind")
    }


def _is_spoken(name: str) -> bool:
    prefix = next((one for one in _SPOKEN if name.startswith(one)), "")
    at = len(prefix)
    is_indexed = at > 0 and name[at : at + 1].isdecimal()
    return name in _WHOLE or (is_indexed and not name.endswith(names.UNSPOKEN))


def _prefix(name: str) -> str:
    return next((prefix + "*" for prefix in _SPOKEN if name.startswith(prefix)), name)
