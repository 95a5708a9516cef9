"""Documents that a retriever or a reranker offered, from the attributes of its span.

OpenInference lists them as `retrieval.documents.<n>.document.*` and
`reranker.output_documents.<n>.document.*`, the conventions of OpenTelemetry as the JSON of
`gen_ai.retrieval.documents`.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from casework.case import Row
from casework.importers._fields import FieldLog, Form
from casework.importers._flattened import flatten, indexed
from casework.importers._json_document import decoded
from casework.importers._messages import shortened
from casework.importers._shape import text
from casework.importers._span_ref import SpanRef
from casework.importers._thumbs import as_number
from casework.tables import candidates

_RETRIEVED = "retrieval.documents."
_RERANKED = "reranker.output_documents."
_TO_RERANK = "reranker.input_documents."
_OF_CONVENTIONS = "gen_ai.retrieval.documents"
_QUERIES = ("gen_ai.retrieval.query.text", "reranker.query", "input.value")
_REPEATED = ("output.value", "output.mime_type", "input.mime_type")
_MOST_REPEATED = 4_000
_LISTS = (_RETRIEVED, _RERANKED, _OF_CONVENTIONS, _TO_RERANK)
_SPAN = Form(
    candidates,
    of="retrieval",
    columns={
        "query_id": ("query_id",),
        "request_id": ("request_id",),
        "arm": ("arm",),
        "embedding_model": ("embedding.model_name", "gen_ai.request.model", "embedding_model"),
        "reranker": ("reranker.model_name", "reranker"),
        "threshold": ("threshold",),
    },
    left_out=_REPEATED,
)
_DOCUMENT = Form(
    candidates,
    of="document",
    columns={
        "doc_id": ("document.id", "id"),
        "passed": ("passed",),
        "dense_score": ("document.score", "score"),
    },
)
_RANKED = Form(
    candidates,
    of="reranked document",
    columns={
        "doc_id": ("document.id", "id"),
        "passed": ("passed",),
        "rerank_score": ("document.score", "score"),
    },
)


class _Given(NamedTuple):
    """Rank and score of a document before it was reranked."""

    rank: int
    score: float | None


def documents(log: FieldLog, span: SpanRef, flat: Mapping[str, Any], locator: str) -> Iterator[Row]:
    """Yield a row for each document of a span.

    `query_id` is an attribute of that name, else the SHA-256 of the text of the query, else the
    span id; the span id stays in `attributes`. So do the attributes of the span; where they are
    more than 4,000 characters they stand in the row of the first document alone.

    Args:
        log: takes account of the fields.
        span: where they come from.
        flat: its attributes under dotted names.
        locator: where it stands.
    """
    listed = _lists(flat)
    if not any(found for _, found in listed):
        return
    about = _about(log, span, flat)
    size = len(msgspec.json.encode(about["attributes"]))
    repeated = about["attributes"] if size <= _MOST_REPEATED else {"span_id": span.span_id}
    before = {_id(entry): _Given(at + 1, _score(entry))
              for at, entry in sorted(indexed(flat, _TO_RERANK).items())}  # fmt: skip
    if before:
        log.leave(f"retrieval.{_TO_RERANK}*", len(before))
    for prefix, found in listed:
        form = _RANKED if prefix == _RERANKED else _DOCUMENT
        for at, entry in sorted(found.items()):
            values = log.fill(form, entry)
            ranks: dict[str, float | None] = {"dense_rank": at + 1}
            if form is _RANKED:
                given = before.get(_id(entry), _Given(0, None))
                ranks = {"dense_rank": given.rank or None, "dense_score": given.score}
            named = {"doc_id": values.get("doc_id") or _id(entry)}
            kept = {**about["attributes"], **values.get("attributes", {})}
            row = {**about, **values, **named, **ranks, "attributes": kept}
            yield Row(candidates, f"{locator}/{prefix.removesuffix('.')}/{at}", row)
            about["attributes"] = repeated


def has_documents(flat: Mapping[str, Any]) -> bool:
    """Whether the attributes of a span, under dotted names, list a document."""
    return any(found for _, found in _lists(flat))


def _lists(flat: Mapping[str, Any]) -> list[tuple[str, dict[int, dict[str, Any]]]]:
    return [(_RETRIEVED, indexed(flat, _RETRIEVED)), (_OF_CONVENTIONS, _listed(flat)),
            (_RERANKED, indexed(flat, _RERANKED))]  # fmt: skip


def _about(log: FieldLog, span: SpanRef, flat: Mapping[str, Any]) -> dict[str, Any]:
    """What all documents of a span have in common."""
    of_span = {name: shortened(value) if isinstance(value, str) else value
               for name, value in flat.items() if not name.startswith(_LISTS)}  # fmt: skip
    values = log.fill(_SPAN, of_span)
    query = next((said for name in _QUERIES if (said := text(flat.get(name)))), None)
    return {
        "query_id": _digest(query) if query else span.span_id,
        "occurred_at": log.instants.find(span.begun),
        **values,
        "attributes": {**values.get("attributes", {}), "span_id": span.span_id},
    }


def _listed(flat: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The documents of the conventions, as JSON text or nested."""
    said = flat.get(_OF_CONVENTIONS)
    if not isinstance(said, str):
        return indexed(flat, f"{_OF_CONVENTIONS}.")
    try:
        return indexed(flatten({"n": decoded(said)}), "n.")
    except ValueError:
        return {}


def _id(entry: Mapping[str, Any]) -> str | None:
    """The id of a document; the content names it where nothing else does."""
    content = text(entry.get("document.content")) or text(entry.get("content"))
    known = text(entry.get("document.id")) or text(entry.get("id"))
    return known or (_digest(content) if content else None)


def _score(entry: Mapping[str, Any]) -> float | None:
    return as_number(entry.get("document.score", entry.get("score")))


def named_by_content(source: str | None, content: str | None) -> str | None:
    """The id of a document that has none: one source, such as a file, has many pieces."""
    if content is None:
        return source
    return _digest(f"{source}\n{content}" if source else content)


def _digest(said: str) -> str:
    return f"sha256:{sha256(said.encode('utf-8', 'replace')).hexdigest()}"
