"""Embeddings of texts, from the attributes of the span that made them.

OpenInference lists them as `embedding.embeddings.<n>.embedding.text` and `.vector`, Vercel's AI SDK
as two lists of JSON texts, `ai.values` and `ai.embeddings`.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import zip_longest
from typing import Any

from casework.case import Reject, Row
from casework.importers._convert import convert
from casework.importers._fields import FieldLog, Form
from casework.importers._flattened import indexed
from casework.importers._json_document import MAX_RAW, decoded
from casework.importers._shape import sequence, text
from casework.importers._span_ref import SpanRef
from casework.tables import vectors

_VERCEL = "ai.embeddings"
_LISTED = "embedding.embeddings."
_MODELS = (
    *("embedding.model_name", "gen_ai.response.model", "gen_ai.request.model", "ai.model.id"),
)
_VECTOR = vectors.column("vector")
_EMBEDDING = Form(vectors, of="embedding", columns={})


def embeddings(
    log: FieldLog, span: SpanRef, flat: Mapping[str, Any], locator: str
) -> Iterator[Row | Reject]:
    """Yield a row for each embedding of a span that has both its text and its vector.

    The others are counted where no row keeps the attributes of the span. A vector in which
    something is no finite number of four bytes is a reject.

    Args:
        log: takes account of the fields.
        span: where they come from.
        flat: its attributes under dotted names.
        locator: where it stands.
    """
    model = next((name for name in _MODELS if text(flat.get(name))), "")
    listed = [(f"{_LISTED}{at}", entry) for at, entry in sorted(indexed(flat, _LISTED).items())]
    for name, entry in (*listed, *_of_vercel(flat)):
        vector, said = entry.get("embedding.vector"), text(entry.get("embedding.text"))
        if not (isinstance(vector, list) and vector and said):
            if not span.is_call:
                log.leave("embedding without its text or its vector")
            continue
        where = f"{locator}/{name}"
        try:
            numbers = convert(vector, _VECTOR, log.instants)
        except (ValueError, TypeError) as error:
            yield Reject(where, "VALUE", f"vector: {error}", str(vector)[:MAX_RAW], vectors)
            continue
        log.took(_EMBEDDING, "vector", "vector")
        log.took(_EMBEDDING, "text", "text_id")
        about = {
            "text_id": sha256(said.encode("utf-8", "replace")).hexdigest(),
            "occurred_at": log.instants.find(span.begun),
            "vector": numbers,
            "embedding_model": text(flat.get(model)),
        }
        yield Row(vectors, where, about)


def _of_vercel(flat: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    listed = zip_longest(sequence(flat.get("ai.values")), sequence(flat.get(_VERCEL)))
    for at, (said, vector) in enumerate(listed):
        entry = {"embedding.text": _json(said), "embedding.vector": _json(vector)}
        yield f"{_VERCEL}/{at}", entry


def _json(said: Any) -> Any:
    try:
        return decoded(text(said) or "")
    except ValueError:
        return None
