"""Langfuse exports: trace downloads, batch and blob exports, and dumps of the API.

## Reads
A trace downloaded in the application (`{"trace": …, "observations": […]}`); JSON Lines, a JSON
array, or pages of the API (`{"data": […], "meta": …}`) of observations, of traces with their
observations, of scores, and of prompts; plain, gzip or zstd. JSON that stands as text within JSON
is read.

## Fills
Observations of type GENERATION and EMBEDDING become `requests`; the documents that a RETRIEVER
put out become `candidates`.

| column of `requests` | from |
|---|---|
| `request_id`, `span_id` | `id` |
| `occurred_at`, `ended_at`, `latency_ms` | `startTime`, `endTime`; `latency` without an end |
| `endpoint` | `gen_ai.request.model` of the attributes in `metadata`, else `model` |
| `response_model` | `gen_ai.response.model` of the attributes |
| `prompt_name`, `prompt_version` | `promptName`, `promptVersion` |
| `prompt_hash` | SHA-256 of the system messages of `input` |
| `params_hash` | SHA-256 of `modelParameters` |
| `input_text`, `output_text` | `input`, `output` as text |
| `input_tokens`, `output_tokens` | `usageDetails` |
| `status` | `error` where `level` is ERROR |
| `user_id`, `session_id`, `environment` | of the observation, else of its trace |

A score that a person gave (source API or ANNOTATION) and that says up or down without doubt, as a
flag, a thumb, or one of the numbers -1, 0 and 1, becomes `feedback`, about its observation, else
its trace. Every other score is an `eval_samples` row of the run `langfuse:<source>:<name>`.
A prompt version becomes a `config_events` row, and one more for each label but `latest`.

## Leaves out
Observations that are no model call and no retrieval, counted; traces but for what they add to
their observations; project, internal ids, times of storage, prices.

## Known limits
A label of a prompt is where it points at the time of the export; when it was moved there is not
recorded, so the event has the time of the last change of that version. A score about a trace joins
a request only where the trace has one. CSV exports go through `--as requests` and a map.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject
from casework.importers import _langfuse
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._records import Record, read_document, records
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source

_TRACE = {"id", "timestamp", "projectId"}
_OF_TRACE = ("userId", "sessionId", "environment", "release")


def _recognises(source: Source) -> bool:
    if _kind(source.first_object) or _kind(source.within("data")):
        return True
    return source.within("trace").keys() >= _TRACE


def _kind(record: Mapping[str, Any]) -> str | None:
    """What a record is: `download`, `observation`, `trace`, `score` or `prompt`."""
    keys = record.keys()
    if {"trace", "observations"} <= keys:
        return "download"
    if "type" in keys and {"traceId", "startTime"} <= keys:
        return "observation"
    if {"dataType", "source", "name"} <= keys and ({"traceId", "observationId"} & keys):
        return "score"
    if {"name", "version", "prompt", "labels"} <= keys:
        return "prompt"
    if "timestamp" in keys and {"userId", "sessionId", "release", "bookmarked"} <= keys:
        return "trace"
    return None


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    passed: dict[str, int] = {}
    for found in _records(source):
        if isinstance(found, Reject):
            yield found
        else:
            yield from _rows(log, found, passed)
    if passed:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(passed.items()))
        yield Note(f"left out: {sum(passed.values())} records that are no evidence rows ({kinds})")
    yield from log.items()


def _records(source: Source) -> Iterator[Record | Reject]:
    first = source.first_object
    if "data" not in first or _kind(first):
        yield from records(source)
        return
    for locator, value in read_document(source).entries(streamed="data"):
        if locator.startswith("/") and isinstance(value, Mapping):
            yield Record(locator, dict(value))
        elif locator.startswith("/"):
            yield Reject(locator, "JSON", "not an object", str(value)[:4_000])


def _rows(log: FieldLog, found: Record, passed: dict[str, int]) -> Iterator[Item]:
    record, at = _langfuse.parsed(found.values), found.locator
    match _kind(record):
        case "download":
            trace = mapping(record["trace"])
            yield from _observations(log, trace, record.get("observations"), at, passed)
            yield from _scores(log, trace, f"{at}/trace")
        case "trace":
            yield from _observations(log, record, record.get("observations"), at, passed)
            yield from _scores(log, record, at)
            passed["trace"] = passed.get("trace", 0) + 1
        case "observation":
            yield from _observation(log, record, at, passed)
        case "score":
            yield _langfuse.score_row(log, record, at)
        case "prompt":
            yield from _langfuse.prompt_rows(log, record, at)
        case _:
            yield Reject(at, "UNKNOWN_RECORD", "no record that Langfuse exports", found.raw or "")


def _observations(
    log: FieldLog, trace: Mapping[str, Any], listed: Any, at: str, passed: dict[str, int]
) -> Iterator[Item]:
    of_trace = filled({name: trace.get(name) for name in _OF_TRACE})
    for position, entry in enumerate(sequence(listed)):
        if isinstance(entry, Mapping):  # a trace of the API lists ids only
            observation = _langfuse.parsed({**of_trace, **filled(entry)})
            yield from _observation(log, observation, f"{at}/observations/{position}", passed)


def _observation(
    log: FieldLog, observation: Mapping[str, Any], at: str, passed: dict[str, int]
) -> Iterator[Item]:
    if _langfuse.is_call(observation):
        yield _langfuse.request_row(log, observation, at)
    elif observation.get("type") == "RETRIEVER":
        yield from _langfuse.document_rows(log, observation, at)
    else:
        kind = text(observation.get("type")) or "observation"
        passed[kind] = passed.get(kind, 0) + 1


def _scores(log: FieldLog, trace: Mapping[str, Any], at: str) -> Iterator[Item]:
    for position, score in enumerate(sequence(trace.get("scores"))):
        if isinstance(score, Mapping):
            yield _langfuse.score_row(log, _langfuse.parsed(score), f"{at}/scores/{position}")


langfuse_export = Importer(
    name="langfuse_export",
    doc=__doc__ or "",
    tables=_langfuse.TABLES,
    recognises=_recognises,
    read=_read,
)
