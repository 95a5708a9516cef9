"""Spans of OpenInference as evidence rows, from whichever export of Phoenix or Arize."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from casework import canonical
from casework.case import Item, Note, Row
from casework.importers import _genai_names as names
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._genai_texts import texts
from casework.importers._instants import milliseconds
from casework.importers._shape import mapping, sequence, text
from casework.importers._thumbs import signal
from casework.tables import Table, candidates, feedback, requests, vectors

TABLES: tuple[Table, ...] = (requests, candidates, vectors, feedback)

_KIND = names.SPAN_KIND
_INVOCATION = "llm.invocation_parameters"
_SPOKEN = (*names.INDEXED_INPUT, *names.INDEXED_OUTPUT, "llm.messages.", "message.")
_MOST_KEYS = 20_000
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
    uses={"status": ("status_code",), "params_hash": (_INVOCATION,)},
    left_out=("input.mime_type", "output.mime_type"),
)
_DOCUMENT = Form(
    candidates,
    of="document",
    columns={"doc_id": ("document.id",)},
    uses={"dense_score": ("document.score",)},
)


@dataclass
class Spans:
    """Rows of the spans of one source; retrievals wait until all calls of their trace are known."""

    log: FieldLog
    _calls: dict[str, set[str]] = field(default_factory=dict)
    _waiting: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    _passed: dict[str, int] = field(default_factory=dict)
    _judged: int = 0

    def rows(self, span: Mapping[str, Any], locator: str) -> Iterator[Item]:
        """Yield the rows of a span.

        Args:
            span: its fields, with `span_id`, `trace_id` and `attributes` flattened or nested.
            locator: where it stands.
        """
        flat = flatten(mapping(span.get("attributes")))
        kind = str(flat.pop(_KIND, None) or span.get("span_kind") or "").upper()
        yield from self._thumbs(span, flat, locator)
        if kind in names.MODEL_KINDS:
            yield self._call(span, flat, kind, locator)
            yield from self._vectors(span, flat, locator)
        elif kind in ("RETRIEVER", "RERANKER"):
            self._documents(span, flat, kind, locator)
        else:
            self._passed[kind.lower() or "other"] = self._passed.get(kind.lower() or "other", 0) + 1

    def rest(self) -> Iterator[Item]:
        """Yield the retrievals, joined to the one call of their trace, and what to be told."""
        for locator, values, trace in self._waiting:
            calls = self._calls.get(trace or "", set())
            request = next(iter(calls)) if len(calls) == 1 else None
            yield Row(candidates, locator, {**values, "request_id": request})
        if self._passed:
            kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self._passed.items()))
            total = sum(self._passed.values())
            yield Note(f"left out: {total} spans that are no model call or retrieval ({kinds})")
        if self._judged:
            yield Note(
                f"{self._judged} marks of judges or grades are kept in attributes: no thumbs"
            )
        yield from self.log.items()

    def _call(self, span: Mapping[str, Any], flat: dict[str, Any], kind: str, locator: str) -> Item:
        said = {name: flat.pop(name) for name in list(flat) if _is_spoken(name)}
        found = texts({name.replace("llm.messages.", "llm.input_messages."): value
                       for name, value in said.items()})  # fmt: skip
        values = self.log.fill(_SPAN, {**_fields(span), **flat, _KIND: kind})
        for name in said:
            column = "output_text" if "output" in name or "completion" in name else "input_text"
            self.log.took(_SPAN, _prefix(name), column)
        if trace := values.get("trace_id"):
            self._calls.setdefault(trace, set()).add(str(values.get("request_id")))
        derived = {
            "input_text": found.input,
            "output_text": found.output,
            "prompt_hash": hash_prompt([found.system] if found.system else []),
            "params_hash": _params_hash(flat.get(_INVOCATION)),
            "latency_ms": milliseconds(values.get("occurred_at"), values.get("ended_at")),
            "status": "error" if str(span.get("status_code")).upper() == "ERROR" else "ok",
        }
        return Row(requests, locator, {**derived, **values})

    def _vectors(
        self, span: Mapping[str, Any], flat: Mapping[str, Any], locator: str
    ) -> Iterator[Item]:
        for position, entry in sorted(indexed(flat, "embedding.embeddings.").items()):
            vector, said = entry.get("embedding.vector"), text(entry.get("embedding.text"))
            if isinstance(vector, list) and vector and said:
                about = {
                    "text_id": sha256(said.encode("utf-8", "replace")).hexdigest(),
                    "occurred_at": self.log.instants.find(span.get("start_time")),
                    "vector": vector,
                    "embedding_model": text(flat.get("embedding.model_name")),
                }
                yield Row(vectors, f"{locator}/embedding.embeddings.{position}", about)

    def _documents(
        self, span: Mapping[str, Any], flat: Mapping[str, Any], kind: str, locator: str
    ) -> None:
        reranked = kind == "RERANKER"
        prefix = "reranker.output_documents." if reranked else "retrieval.documents."
        about = {
            "query_id": text(span.get("span_id")),
            "occurred_at": self.log.instants.find(span.get("start_time")),
            "reranker": text(flat.get("reranker.model_name")),
        }
        for position, document in sorted(indexed(flat, prefix).items()):
            values = self.log.fill(_DOCUMENT, document)
            content = text(document.get("document.content"))
            if "doc_id" not in values and content:  # the content names it where nothing else does
                digest = sha256(content.encode("utf-8", "replace")).hexdigest()
                values["doc_id"] = f"sha256:{digest}"
            score = document.get("document.score")
            ranked = {"rerank_score": score} if reranked else {
                "dense_rank": position + 1, "dense_score": score}  # fmt: skip
            row = {**values, **about, **ranked}
            self._waiting.append((f"{locator}/{prefix}{position}", row, text(span.get("trace_id"))))

    def _thumbs(
        self, span: Mapping[str, Any], flat: dict[str, Any], locator: str
    ) -> Iterator[Item]:
        for prefix in ("annotations.", "evaluations."):
            for position, entry in sorted(indexed(flat, prefix).items()):
                mark = {name.partition(".")[2]: value for name, value in entry.items()}
                by_person = mark.get("annotator_kind") == "HUMAN"
                thumb = signal(mark.get("label"), mark.get("score")) if by_person else None
                if thumb is None:
                    self._judged += 1
                    continue
                yield Row(feedback, f"{locator}/{prefix}{position}", {
                    "feedback_id": f"{span.get('span_id')}/{prefix}{position}",
                    "occurred_at": self.log.instants.find(span.get("end_time")),
                    "signal": thumb,
                    "request_id": text(span.get("span_id")),
                    "reason": text(mark.get("name")),
                    "comment": text(mark.get("explanation")),
                    "user_id": text(mark.get("identifier")),
                })  # fmt: skip


def flatten(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes under dotted names, `llm.input_messages.0.message.role`, however they are nested.

    Lists of plain values stay lists.
    """
    flat: dict[str, Any] = {}
    stack: list[tuple[str, Any]] = [("", attributes)]
    while stack and len(flat) < _MOST_KEYS:
        prefix, value = stack.pop()
        if isinstance(value, Mapping) and value:
            stack += [(f"{prefix}.{key}" if prefix else str(key), inner)
                      for key, inner in reversed([*value.items()])]  # fmt: skip
        elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
            stack += [
                (f"{prefix}.{n}", _message(item)) for n, item in reversed([*enumerate(value)])
            ]
        elif prefix and value is not None:
            flat[prefix] = value
    return flat


def indexed(flat: Mapping[str, Any], prefix: str) -> dict[int, dict[str, Any]]:
    """Entries such as `retrieval.documents.3.document.id`, by index and then by what follows."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in flat.items():
        index, _, rest = name[len(prefix) :].partition(".")
        if name.startswith(prefix) and index.isdecimal() and len(index) < 7 and rest:
            found.setdefault(int(index), {})[rest] = value
    return found


def _message(item: Any) -> Any:
    """A message that is a pair of role and content, as of 2023, as an object."""
    pair = sequence(item)
    if len(pair) == 2 and all(isinstance(part, str) for part in pair):
        return {"message.role": pair[0], "message.content": pair[1]}
    return item


def _fields(span: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in span.items()
        if name not in ("attributes", "context", "span_kind")
    }


def _is_spoken(name: str) -> bool:
    return name.startswith(_SPOKEN) or name in (*names.INPUT, *names.OUTPUT, names.SYSTEM)


def _prefix(name: str) -> str:
    return next((prefix + "*" for prefix in _SPOKEN if name.startswith(prefix)), name)


def _params_hash(value: Any) -> str | None:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return None
    chosen = {name: setting for name, setting in mapping(value).items() if name != "model"}
    return hash_params(canonical.plain(chosen))
