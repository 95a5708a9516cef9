"""OpenTelemetry traces with GenAI attributes, as OTLP/JSON.

## Reads
What the file exporter of the OpenTelemetry Collector writes, one export request a line; also one
request a file, pretty-printed or not, and an array of them; plain, gzip or zstd. Field names in
camelCase or snake_case, integers as text or numbers, ids in hex or base64.

A span is a model call, and becomes a row of `requests`, where `gen_ai.operation.name` is `chat`,
`generate_content`, `text_completion` or `embeddings`; where it is none of the other operations of
the conventions and the span names a model or a provider; where `openinference.span.kind` is `LLM`
or `EMBEDDING`; and where the span has an attribute `decision`.

The locator is the line on which the JSON document begins, followed by the JSON pointer in it:
`line 17/resourceSpans/0/scopeSpans/0/spans/3`.

## Fills
Of several attributes the first that is there counts; an attribute of the span outranks one of the
resource. The name of the column itself stands last: it fills the column where the format has no
field of its own.

| column | from |
|---|---|
| `request_id` | `request_id`, `request.id`, else `spanId`; where another trace of the same file \
has that span id, `traceId-spanId` |
| `occurred_at`, `ended_at` | `startTimeUnixNano`, `endTimeUnixNano`, cut to microseconds |
| `trace_id`, `span_id`, `parent_span_id` | `traceId`, `spanId`, `parentSpanId` in hex |
| `operation` | `gen_ai.operation.name`, `llm.request.type` |
| `service` | `service.name` |
| `environment` | `deployment.environment.name`, `deployment.environment` |
| `region` | `cloud.region` |
| `replica` | `service.instance.id`, `host.name` |
| `endpoint` | `gen_ai.request.model`, `llm.model_name` |
| `response_model` | `gen_ai.response.model`, `llm.response.model_name` |
| `fingerprint` | `openai.response.system_fingerprint`, \
`gen_ai.openai.response.system_fingerprint`, `gen_ai.response.system_fingerprint` |
| `prompt_name` | `gen_ai.prompt.name`, `langfuse.observation.prompt.name`, \
`traceloop.prompt.key` |
| `prompt_version` | `langfuse.observation.prompt.version`, `llm.prompt_template.version`, \
`traceloop.prompt.version` |
| `prompt_hash` | SHA-256 of the system prompt: `gen_ai.system_instructions`, then the system and \
developer messages of the input |
| `params_hash` | SHA-256 of all `gen_ai.request.*` but the model, as canonical JSON |
| `user_id` | `enduser.id`, `user.id` |
| `session_id` | `gen_ai.conversation.id`, `session.id` |
| `input_text` | `gen_ai.input.messages`, `gen_ai.prompt.<n>.*`, `llm.input_messages.<n>.*`, the \
events `gen_ai.<role>.message` and `gen_ai.content.prompt`, `gen_ai.prompt`, `input.value` |
| `output_text` | `gen_ai.output.messages`, `gen_ai.completion.<n>.*`, \
`llm.output_messages.<n>.*`, the events `gen_ai.choice` and `gen_ai.content.completion`, \
`gen_ai.completion`, `output.value` |
| `input_tokens` | `gen_ai.usage.input_tokens`, `gen_ai.usage.prompt_tokens`, \
`llm.token_count.prompt` |
| `output_tokens` | `gen_ai.usage.output_tokens`, `gen_ai.usage.completion_tokens`, \
`llm.token_count.completion` |
| `latency_ms` | `endTimeUnixNano` less `startTimeUnixNano` |
| `status` | `error` where the status code is 2 or `error.type` is set, else `ok` |
| `lane`, `checkpoint`, `account_id`, `tier`, `decision` | attributes of these names |
| `attributes` | all other attributes of the span and of its resource; `span.name`; the message \
of the status as `status.message`; other events as `span.events` |

A message is a line `role: text`, the assistant's own words in `output_text` stand without a role;
parts that are no text, such as tool calls, are compact JSON.

## Leaves out
Spans that are no model calls, metrics and logs: counted in a note. Of a model call: kind, links,
flags, trace state, scope, times of events, and messages that repeat those taken. Of its resource:
`telemetry.*`, `process.*` and `os.*`. Values of `attributes`, and parts that are no text, are cut
after 4,000 characters, and their length and SHA-256 given.

## Known limits
The collector's own compression puts a length before every message: decompress such files with the
collector. A line of more than 16 MiB and a document of more than 128 MiB are rejects. Of a JSON
key or an attribute that stands twice in one object, the last counts. A span that mixes both
spellings is read in camelCase where that is enough for a row.
"""

import io
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from casework.case import Batch, Fields, Item, Note
from casework.errors import CaseworkError
from casework.importers._genai import COLUMNS, SLOT
from casework.importers._importer import Importer, Options
from casework.importers._json_document import first_entries
from casework.importers._json_stream import documents, runs
from casework.importers._otlp import OTHER_SIGNALS, RESOURCE_SPANS
from casework.importers._otlp_requests import LEFT_OUT, Part, Reader
from casework.importers._source import Source
from casework.importers._span_ids import SpanIds
from casework.tables import requests

_BATCH_ROWS = 10_000
_SHARED = "whose span id another trace has too, with `request_id` from both ids"
_SPELLINGS = (RESOURCE_SPANS, "resource_spans")
_REQUEST, _TRACE, _SPAN = SLOT["request_id"], SLOT["trace_id"], SLOT["span_id"]


def _recognises(source: Source) -> bool:
    head = source.head()
    if not any(name.encode() in head for name in _SPELLINGS):
        return False
    for document in documents(io.BytesIO(head)):
        found = first_entries(document.data.lstrip().removeprefix(b"["))
        if any(name in found and isinstance(found[name], list | None) for name in _SPELLINGS):
            return True
    return False


def _read(source: Source, _options: Options) -> Iterator[Item]:
    rows: list[list[Any]] = []
    told: Counter[str] = Counter()
    span_ids, reader = SpanIds(), Reader()
    for part in _parts(source, reader):
        yield from part.rejects
        rows += part.rows
        told += part.told
        while len(rows) >= _BATCH_ROWS:
            yield _batch(rows[:_BATCH_ROWS], span_ids, told)
            del rows[:_BATCH_ROWS]
    if rows:
        yield _batch(rows, span_ids, told)
    yield Fields({name: sorted(columns) for name, columns in reader.taken.items()}, {})
    yield from _notes(told)


def _parts(source: Source, reader: Reader) -> Iterator[Part]:
    import zstandard

    try:
        with source.open() as file:
            for run in runs(documents(file)):
                yield reader.read(run)
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise CaseworkError(
            "COMPRESSION", f"cannot be read: {error}", "ask for the file again", where=source.name
        ) from error


def _batch(rows: list[list[Any]], span_ids: SpanIds, told: Counter[str]) -> Batch:
    """Turn rows into columns; a span id that another trace has too does not name a request."""
    for position in span_ids.shared([row[_SPAN] for row in rows], [row[_TRACE] for row in rows]):
        row = rows[position]
        if row[_REQUEST] is row[_SPAN]:
            row[_REQUEST] = f"{row[_TRACE]}-{row[_SPAN]}"
            told[_SHARED] += 1
    by_name = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    filled = {name: list(values) for name, values in by_name if values.count(None) < len(rows)}
    return Batch(requests, filled)


def _notes(told: Counter[str]) -> Iterator[Note]:
    left_out = {
        name.removeprefix(LEFT_OUT): count
        for name, count in told.most_common()
        if name.startswith(LEFT_OUT)
    }
    for signal in OTHER_SIGNALS:
        if count := left_out.pop(signal, 0):
            yield Note(f"left out: {count} {signal}, which hold no spans")
    if left_out:
        kinds = ", ".join(f"{name} {count}" for name, count in left_out.items())
        total = sum(left_out.values())
        yield Note(f"left out: {total} spans that are not model calls ({kinds})")
    for what, count in sorted(told.items()):
        if not what.startswith(LEFT_OUT):
            yield Note(f"{count} spans {what}")


otlp_traces = Importer(
    name="otlp_traces",
    doc=__doc__ or "",
    tables=(requests,),
    recognises=_recognises,
    read=_read,
)
