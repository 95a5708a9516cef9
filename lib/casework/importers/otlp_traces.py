"""OpenTelemetry traces and logs with GenAI attributes, as OTLP/JSON or protobuf.

## Reads
Requests of spans and of log records, as the file exporter of the OpenTelemetry Collector writes
them. JSON: one request a line; also one a file, pretty-printed or not, and an array of them; field
names in camelCase or snake_case, integers as text or numbers, ids in hex or base64; what one
resource has of them, in place of a request; traces as Tempo and Grafana give them (`batches`,
`trace`); and spans as the SDK for Python writes them to a console or a file (`to_json`), to the
microsecond, with what a program printed between them as rejects. Protobuf (`format: proto`):
messages behind a length of four bytes, or one message; requests, or the spans or log records of one
resource. The exporter's own compression of either, and files that are gzip or zstd as a whole.

A span is a model call, and becomes a row of `requests`, where `gen_ai.operation.name` is `chat`,
`generate_content`, `text_completion` or `embeddings`; where it is none of the other operations of
the conventions and the span names a model or a provider; where `openinference.span.kind` is `LLM`
or `EMBEDDING`; and where the span has an attribute `decision`.

Log records with messages (the events `gen_ai.<role>.message`, `gen_ai.choice` and
`gen_ai.client.inference.operation.details`, by their name or the attribute `event.name`) join the
span that they name, wherever in the source it stands, as if they were events of it. Where the
source does not have that span, they are a row of `requests` by themselves, whose instant is that of
the earliest record. Messages of records stand in the order of their instants. So a span and its
messages that are loaded from two files are two rows with one request id, of which the span is the
earlier, as with a retry: to have them in one row, put the two files into one.

The locator is the line on which the JSON document begins, or the number of the message, followed
by the JSON pointer in it: `line 17/resourceSpans/0/scopeSpans/0/spans/3`.

## Fills
Of several attributes the first that is there counts; an attribute of the span outranks one of the
resource. The name of the column itself stands last: it fills the column where the format has no
field of its own.

| column | from |
|---|---|
| `request_id` | `request_id`, else `spanId`; where another trace of the same file \
has that span id, `traceId-spanId` |
| `occurred_at`, `ended_at` | `startTimeUnixNano`, `endTimeUnixNano`, cut to microseconds |
| `trace_id`, `span_id`, `parent_span_id` | `traceId`, `spanId`, `parentSpanId` in hex |
| `operation` | `gen_ai.operation.name`, `llm.request.type`, else `openinference.span.kind` |
| `service` | `service.name` |
| `environment` | `deployment.environment.name`, `deployment.environment` |
| `region` | `cloud.region` |
| `replica` | `service.instance.id`, `host.name` |
| `endpoint` | `gen_ai.request.model`, `llm.request.model_name`, `llm.model_name`, \
`embedding.model_name` |
| `response_model` | `gen_ai.response.model`, `llm.response.model_name` |
| `fingerprint` | `openai.response.system_fingerprint`, \
`gen_ai.openai.response.system_fingerprint`, `gen_ai.response.system_fingerprint` |
| `prompt_name` | `gen_ai.prompt.name`, `langfuse.observation.prompt.name`, \
`traceloop.prompt.key` |
| `prompt_version` | `langfuse.observation.prompt.version`, `llm.prompt_template.version`, \
`traceloop.prompt.version` |
| `prompt_hash` | SHA-256 of the system prompt: `gen_ai.system_instructions`, then the system and \
developer messages of the input |
| `params_hash` | SHA-256 of all `gen_ai.request.*`, else of `llm.invocation_parameters`, but the \
model, as canonical JSON |
| `user_id` | `enduser.id`, `user.id` |
| `session_id` | `gen_ai.conversation.id`, `session.id`, `gcp.vertex.agent.session_id` |
| `input_text` | `gen_ai.input.messages`, `gen_ai.prompt.<n>.*`, `llm.input_messages.<n>.*`, the \
events `gen_ai.<role>.message` and `gen_ai.content.prompt`, `gen_ai.prompt`, `input.value`, \
`ai.prompt.messages`, `gcp.vertex.agent.llm_request` |
| `output_text` | `gen_ai.output.messages`, `gen_ai.completion.<n>.*`, \
`llm.output_messages.<n>.*`, the events `gen_ai.choice` and `gen_ai.content.completion`, \
`gen_ai.completion`, `output.value`, `gcp.vertex.agent.llm_response`, `ai.response.text` |
| `input_tokens` | `gen_ai.usage.input_tokens`, `gen_ai.usage.prompt_tokens`, \
`llm.token_count.prompt` |
| `output_tokens` | `gen_ai.usage.output_tokens`, `gen_ai.usage.completion_tokens`, \
`llm.token_count.completion` |
| `latency_ms` | `endTimeUnixNano` less `startTimeUnixNano` |
| `status` | `error` where the status code is 2 or `error.type` is set, else `ok`; of messages \
without their span, nothing else than `error` |
| `lane`, `checkpoint`, `account_id`, `tier`, `decision` | attributes of these names |
| `attributes` | all other attributes of the span and of its resource; `span.name`; the message \
of the status as `status.message`; other events as `span.events` |

The event `gen_ai.client.inference.operation.details` gives attributes that its span lacks.

| table | from |
|---|---|
| `candidates` | documents of a span: `retrieval.documents.<n>.document.*`, \
`gen_ai.retrieval.documents`, `reranker.output_documents.<n>.document.*`. `query_id` is an \
attribute of that name, else `sha256:` and the SHA-256 of the text of the query, in hex \
(`gen_ai.retrieval.query.text`, `reranker.query`, `input.value`), else the span id. \
`dense_rank` and `dense_score` of a reranked document are those in \
`reranker.input_documents`. `embedding_model` is `embedding.model_name`, \
`gen_ai.request.model`; `request_id` the one model call of the trace, where there is just one |
| `vectors` | `embedding.embeddings.<n>.embedding.text` and `.vector`, `ai.values` and \
`ai.embeddings`; `text_id` is the SHA-256 of the text |
| `assignments` | events `feature_flag.evaluation` (`feature_flag`) of spans and log records: \
`experiment` is `feature_flag.key`, `unit_id` `feature_flag.context.id`, `arm` \
`feature_flag.result.variant`, `feature_flag.variant` or the value. The first of each flag, unit \
and arm |
| `feedback` | `annotations.<n>.annotation.*` and `evaluations.<n>.evaluation.*`, also behind \
`trace.` and `session.`, where a person says up or down; events `gen_ai.evaluation.result` whose \
label is a thumb, or whose name is `user_feedback`. Numbers are thumbs where the marks of their \
name hold no other number than -1, 0 and 1, and more than one of them, or the name is that of \
thumbs |
| `eval_samples` | all other marks: what judges and programs say, and grades. `run_id` is \
`openinference:<annotator kind>:<name>` or `opentelemetry:<name>`, `item_id` the span, the trace, \
the session or `gen_ai.response.id`; `epoch` counts the marks of one name on it |
| `eval_runs` | a run for each of these `run_id`, from its first mark on; it has no end, and \
covers no configuration |

A message is a line `role: text`, the assistant's own words in `output_text` stand without a role;
parts that are no text, such as tool calls, are compact JSON, but for thoughts of which nothing was
told.

## Leaves out
Metrics, and spans and log records that are none of the above: counted in a note. Later evaluations
of a flag for a unit and an arm, and those without a unit or a variant: counted. Of a model call:
kind, links, flags, trace state, scope, times of events, messages that repeat those taken, and why
a message ended, where JSON or an event of messages says it. Log records that come again with the
same instant: counted. Of its resource: `telemetry.*`, `process.*` and `os.*`. Values of
`attributes`, and parts that are no text, are cut after 4,000 characters, and their length and
SHA-256 given.

## Known limits
A line of more than 16 MiB, a document or a message of more than 128 MiB are rejects. A source with
log records is read twice; messages of more than 200,000 spans are left out, and counted, as are
those of a span for its copies beyond ten. Attributes of a retrieval of more than 4,000 characters
stand in the row of its first document alone. An end that is no instant in nanoseconds is none, and
told; an event of such an instant has that of its span. An event does not say who judged: of
`gen_ai.evaluation.result`, what is no thumb by name is taken for a judge's. Protobuf nested deeper
than its library reads (100 levels) rejects its message. Of a JSON key or an attribute that stands
twice in one object, the last counts. A span that mixes both spellings is read in camelCase where
that is enough for a row.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from casework.case import Item, Note
from casework.errors import CaseworkError
from casework.importers._importer import Importer, Options, Shares
from casework.importers._json_stream import documents, runs
from casework.importers._otlp import RESOURCE_METRICS
from casework.importers._otlp_content import holds_otlp
from casework.importers._otlp_events import Said
from casework.importers._otlp_frames import may_be_messages, messages
from casework.importers._otlp_pieces import Joined, Piece, piece_of, received, sent
from casework.importers._otlp_reader import Reader
from casework.importers._otlp_requests import LEFT_OUT, RECORDS, REPEATED, Part
from casework.importers._otlp_said import said_in_logs, speaks_of_records
from casework.importers._source import BROKEN_COMPRESSION, Source
from casework.tables import (
    assignments,
    candidates,
    eval_runs,
    eval_samples,
    feedback,
    requests,
    vectors,
)
from casework.words import count, number, several


def _read(source: Source, _options: Options) -> Iterator[Item]:
    is_binary = may_be_messages(source.head())
    said = _said(source, is_binary)
    reader = Reader(said)
    yield from _items(_pieces(reader, _parts(source, reader, is_binary, said)))


def _share(source: Source, first: int, step: int) -> Iterator[memoryview]:
    """Every so many runs of documents of a source in which no log record holds messages."""
    reader = Reader({})
    parts = _of_file(source, reader, is_binary=False, first=first, step=step)
    yield from map(sent, _pieces(reader, parts))


def _join(pieces: Iterable[memoryview]) -> Iterator[Item]:
    return _items(map(received, pieces))


def _can_share(source: Source) -> bool:
    try:
        return not may_be_messages(source.head()) and not speaks_of_records(source)
    except BROKEN_COMPRESSION:
        return False


def _items(pieces: Iterable[Piece]) -> Iterator[Item]:
    joined = Joined()
    yield from joined.items(pieces)
    yield from _notes(joined.told)


def _pieces(reader: Reader, parts: Iterable[Part]) -> Iterator[Piece]:
    told: dict[tuple[str, str], None] = {}
    for part in parts:
        before = len(told)
        if sum(map(len, reader.taken.values())) > before:
            each = ((name, sorted(columns)) for name, columns in reader.taken.items())
            told |= dict.fromkeys((name, column) for name, columns in each for column in columns)
        yield piece_of(part, [*islice(told, before, None)])


def _parts(
    source: Source, reader: Reader, is_binary: bool, said: dict[bytes, list[Said]]
) -> Iterator[Part]:
    joined: set[bytes] = set()
    for part in _of_file(source, reader, is_binary):
        joined |= part.joined
        yield part
    rest = reader.read_said(of_span for ids, of_span in said.items() if ids not in joined)
    rest.told[REPEATED] += sum(one.repeats for of_span in said.values() for one in of_span)
    yield rest


def _of_file(
    source: Source, reader: Reader, is_binary: bool, first: int = 0, step: int = 1
) -> Iterator[Part]:
    """Read every so many messages or runs of documents."""
    import zstandard

    try:
        with source.open() as file:
            if is_binary:
                yield from map(reader.read_message, messages(file, source.head()))
            else:
                yield from map(reader.read, islice(runs(documents(file)), first, None, step))
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise _broken(source, error) from error


def _said(source: Source, is_binary: bool) -> dict[bytes, list[Said]]:
    import zstandard

    try:
        return said_in_logs(source, is_binary)
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise _broken(source, error) from error


def _broken(source: Source, error: Exception) -> CaseworkError:
    what = f"cannot be read: {error}"
    return CaseworkError("COMPRESSION", what, "ask for the file again", where=source.name)


def _notes(told: Counter[str]) -> Iterator[Note]:
    left_out = {
        name.removeprefix(LEFT_OUT): times
        for name, times in told.most_common()
        if name.startswith(LEFT_OUT)
    }
    if times := left_out.pop(RESOURCE_METRICS, 0):
        yield Note(f"left out: {number(times)} {RESOURCE_METRICS} without spans")
    if left_out:
        kinds = ", ".join(f"{name} {number(times)}" for name, times in left_out.items())
        one, more = "span that is not a model call", "spans that are not model calls"
        yield Note(f"left out: {several(sum(left_out.values()), one, more)} ({kinds})")
    for what, times in sorted(told.items()):
        if not what.startswith(LEFT_OUT) and times:
            noun = "log records" if what.startswith(RECORDS) else "spans"
            yield Note(f"{count(times, noun)} {what.removeprefix(RECORDS)}")


otlp_traces = Importer(
    name="otlp_traces",
    doc=__doc__ or "",
    tables=(requests, candidates, vectors, feedback, eval_samples, eval_runs, assignments),
    recognises=holds_otlp,
    read=_read,
    shares=Shares(_can_share, _share, _join),
)
