"""Spans of OpenInference, as Phoenix and Arize export them.

## Reads
The span table of Phoenix as Parquet (columns `context.span_id`, `attributes.<name>`), as a JSON
array and as JSON Lines, current and of 2023; and a page of its API.

## Fills
Spans of kind LLM and EMBEDDING become `requests`, by the same attribute names as `otlp_traces`; so
do those of no kind that `otlp_traces` takes for a model call. `request_id` is the span id; where
another trace of the file has that span id, `trace_id-span_id`. RETRIEVER and RERANKER spans become
`candidates`, whose `query_id` is the attribute `query_id`, else `sha256:` and the SHA-256 of the
text of the query, in hex, else the span id, and whose `request_id` is the one model call of the
trace, where there is just one; a document without an id has `sha256:` and the SHA-256 of its
content for one. Embeddings with text and vector become `vectors`, `text_id` being the SHA-256 of
the text. Annotations and evaluations of a span, a trace or a session become `feedback` where a
person says up or down, else `eval_samples` of the run `openinference:<annotator kind>:<name>`,
which has a row in `eval_runs` from its first score on; it has no end, and covers no configuration.

| column of `requests` | from |
|---|---|
| `endpoint`, `response_model`, tokens, ids of user and session | as in `otlp_traces` |
| `input_text`, `output_text` | `llm.input_messages`, `llm.output_messages`, else `input.value`, \
`output.value` |
| `prompt_hash` | SHA-256 of the system messages |
| `params_hash` | SHA-256 of `llm.invocation_parameters` without the model |
| `status` | `error` where `status_code` is ERROR, STATUS_CODE_ERROR or 2; `ok` where it is OK, \
UNSET, as the number of these, or missing; else as it stands |

## Leaves out
Spans of other kinds, and retrievals without a document, counted; mime types.

## Known limits
Instants of exports of 2023 name no zone and are read as UTC. A grade that a person gave is no
thumb, nor is a word such as `correct` of a judge: both are `eval_samples`. Numbers are thumbs as in
`otlp_traces`: a 1 may be one star of five. A thumb on a span that is no model call names the one
call of its trace.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Reject
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._openinference import TABLES, Spans
from casework.importers._parquet import PARQUET, parquet_names
from casework.importers._records import records
from casework.importers._shape import mapping
from casework.importers._source import Source
from casework.importers._table_records import LISTED, table_records
from casework.tables import requests

_COLUMNS = {"context.span_id", "context.trace_id", "span_kind", "start_time"}


def _recognises(source: Source) -> bool:
    if source.head().startswith(PARQUET):
        return parquet_names(source) >= _COLUMNS
    found = source.within(LISTED) or source.first_object
    context = found.get("context")
    keys = {"span_kind", "context", "start_time"} <= found.keys()
    return keys and (context is None or "span_id" in mapping(context))


def _read(source: Source, options: Options) -> Iterator[Item]:
    spans = Spans(FieldLog(options.timezone))
    is_parquet = source.head().startswith(PARQUET)
    made = _of_columns if is_parquet else _of_object
    read = table_records if is_parquet or source.within(LISTED) else records
    for found in read(source, constants=True):
        if isinstance(found, Reject):
            yield found._replace(table=requests)
        else:
            yield from spans.rows(made(found.values), found.locator)
    yield from spans.rest()


def _of_object(span: Mapping[str, Any]) -> dict[str, Any]:
    return {**mapping(span.get("context")), **span}


def _of_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the span table as a span: flattened columns back under `attributes`."""
    span: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        if name.startswith("attributes."):
            attributes[name.removeprefix("attributes.")] = value
        else:
            span[name.removeprefix("context.")] = value
    return {**span, "attributes": attributes}


openinference_spans = Importer(
    name="openinference_spans",
    doc=__doc__ or "",
    tables=TABLES,
    recognises=_recognises,
    read=_read,
)
