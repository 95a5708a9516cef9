"""Langfuse exports: trace downloads, batch and blob exports, and dumps of the API.

## Reads
A trace downloaded in the application (`{"trace": …, "observations": […]}`); JSON Lines, a JSON
array, or a page of the API (`{"data": […], "meta": …}`) of observations, of traces with their
observations, of scores, of prompts, and of data sets, their items and runs; batch and blob exports
of observations, traces and scores as CSV too; plain, gzip or zstd. JSON that stands as text within
JSON or in a cell is read, and the names of the database (`trace_id`) are those of the API.

## Fills
Observations of type GENERATION and EMBEDDING become `requests`; the documents that a RETRIEVER
put out become `candidates`, named by their `id`, `metadata.id` or `node.id_`, else by the SHA-256
of their `metadata.source` and text.

| column of `requests` | from |
|---|---|
| `request_id`, `span_id` | `id` |
| `occurred_at`, `ended_at`, `latency_ms` | `startTime`, `endTime`; without an end `latency`, \
which older downloads have in milliseconds, as those of their observations with an end tell, and \
all else in seconds |
| `endpoint` | `gen_ai.request.model` of the attributes in `metadata`, else `model` |
| `response_model` | `gen_ai.response.model` of the attributes |
| `prompt_name`, `prompt_version` | `promptName`, `promptVersion` |
| `prompt_hash` | SHA-256 of the system messages of `input` |
| `params_hash` | SHA-256 of `modelParameters` |
| `input_text`, `output_text` | `input`, `output` as text |
| `input_tokens`, `output_tokens` | `usageDetails`, those of the cache included, else \
`inputUsage`, `outputUsage` and their older names where they are not 0 |
| `status` | `error` where `level` is ERROR, `ok` where it is another |
| `user_id`, `session_id`, `environment` | of the observation, else of its trace |

A score that a person gave and that says up or down without doubt becomes `feedback`, about its
observation, else its trace: a flag, a word for a thumb, or a number where the source holds no other
than -1, 0 and 1 under that name and the name is one of thumbs, or of the feedback of users and two
of these numbers occur. A person gave what has the source ANNOTATION. The source API may be a
program too: a flag or a word of it counts where it is a thumb itself, or the name is one of thumbs,
of feedback, or of what was accepted or liked. Every other score is an `eval_samples` row of the
run `langfuse:<source>:<name>`, which has a row in `eval_runs` from its first score on: it has no
end, and covers no configuration. The 0 that Langfuse writes beside a score in words is no grade. A
score of a data set run as a whole has no item, and is a reject.

A data set run becomes an `eval_runs` row, and each of its items an `eval_samples` row of it, of the
`condition` and `kind` that the metadata of the run name. The items of a data set become
`eval_samples` of `langfuse:dataset:<name>`, without a score: `input`, `expectedOutput` as `target`,
`createdAt` as `added_at`, `sourceObservationId` or `sourceTraceId` as `source_event_id`.

A prompt version becomes a `config_events` row of its `createdAt`, and one more of its `updatedAt`
for each label but `latest`.

## Leaves out
Observations that are no model call and no retrieval with documents, counted; traces but for what
they add to their observations, by field; data sets but for their items and runs; project, internal
ids, times of storage, price tiers, and sums of usage beside `usageDetails`.

## Known limits
A label of a prompt is where it points at the time of the export; when it was moved there is not
recorded, so the event has the time of the last change of that version. A score about a trace joins
a request only where the trace has one. In batch exports the session stands with the trace alone, so
that requests of an observation table have none; the columns of scores there are means, and stay in
`attributes`. The batch export of data set run items names no run: its rows are rejects. Langfuse
does not say when a data set run ended, nor which of its samples a score is of, and holds prompts
and inputs of a run with its traces alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject
from casework.importers import _langfuse
from casework.importers._csv_text import csv_names, csv_records
from casework.importers._fields import FieldLog, tally
from casework.importers._importer import Importer, Options
from casework.importers._json_document import Fault
from casework.importers._judges import Judges
from casework.importers._langfuse_scores import Scores
from casework.importers._langfuse_sets import DataSets, kind_of
from casework.importers._langfuse_table import from_cells, renamed
from casework.importers._records import Record, read_document, records
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.words import number, several

_TRACE = {"id", "timestamp", "projectId"}
_ABOUT = {"traceId", "observationId", "sessionId"}
_OF_TRACE = ("userId", "sessionId", "environment", "release")


def _recognises(source: Source) -> bool:
    if not source.first_object:
        found = _kind(renamed(dict.fromkeys(csv_names(source))))
        return found is not None and found not in ("download", "dataset")
    if _kind(renamed(source.first_object)) or _kind(renamed(source.within("data"))):
        return True
    return source.within("trace").keys() >= _TRACE


def _kind(record: Mapping[str, Any]) -> str | None:
    """What a record is: `download`, `observation`, `trace`, `score`, `prompt`, or of a data set."""
    keys = record.keys()
    if "trace" in keys and ("observations" in keys or mapping(record["trace"]).keys() >= _TRACE):
        return "download"
    if "type" in keys and {"traceId", "startTime"} <= keys:
        return "observation"
    if {"dataType", "source", "name"} <= keys and (_ABOUT & keys):
        return "score"
    if {"name", "version", "prompt", "labels"} <= keys:
        return "prompt"
    if "timestamp" in keys and {"userId", "sessionId", "release", "bookmarked"} <= keys:
        return "trace"
    return kind_of(record)


def _read(source: Source, options: Options) -> Iterator[Item]:
    reading = _Reading(FieldLog(options.timezone))
    for found in _records(source):
        if isinstance(found, Reject):
            yield found
        else:
            yield from reading.rows(found)
    yield from reading.rest()


def _records(source: Source) -> Iterator[Record | Reject]:
    first = source.first_object
    if not first:
        for row in csv_records(source):
            if isinstance(row, Record):
                row = row._replace(values=from_cells(row.values))
            yield row
        return
    if "data" not in first or _kind(renamed(first)):
        yield from records(source)
        return
    for locator, value in read_document(source).entries("data"):
        if locator.startswith("/") and isinstance(value, Mapping):
            yield Record(locator, dict(value))
        elif isinstance(value, Fault):
            yield Reject(locator, value.error.code, value.error.what, value.raw)
        elif locator.startswith("/"):
            yield Reject(locator, "JSON", "not an object", str(value)[:4_000])


class _Reading:
    """One export while it is read: the account of its fields, its judges, and what is passed by."""

    def __init__(self, log: FieldLog) -> None:
        self._log = log
        self._judges = Judges("langfuse")
        self._scores = Scores(log, self._judges)
        self._sets = DataSets(log, self._judges)
        self._passed = Counter[str]()

    def rows(self, found: Record) -> Iterator[Item]:
        """Yield the rows of a record."""
        record, at = _langfuse.parsed(renamed(found.values)), found.locator
        match _kind(record):
            case "download":
                trace = mapping(record["trace"])
                beside = record.get("observations")
                listed = beside or trace.get("observations")
                place = at if beside else f"{at}/trace"
                unit = _langfuse.latency_unit(self._log, listed)
                yield from self._observations(trace, listed, place, unit)
                yield from self._scores_of(trace, f"{at}/trace")
            case "trace":
                yield from self._observations(record, record.get("observations"), at)
                yield from self._scores_of(record, at)
                self._pass("trace")
            case "observation":
                yield from self._observation(record, at)
            case "score":
                yield from self._scores.rows(record, at)
            case "prompt":
                yield from _langfuse.prompt_rows(self._log, record, at)
            case "dataset" | "item" | "run" | "run item" as kind:
                yield from self._sets.rows(kind, record, at)
                if kind == "dataset":
                    self._pass(kind)
            case _:
                raw = found.raw or str(found.values)[:4_000]
                yield Reject(at, "UNKNOWN_RECORD", "no record that Langfuse exports", raw)

    def rest(self) -> Iterator[Item]:
        """Yield the runs of the judges, and what is to be told."""
        yield from self._scores.rest()
        yield from self._judges.rows()
        if self._passed:
            passed = sorted(self._passed.items())
            kinds = ", ".join(f"{kind} {number(count)}" for kind, count in passed)
            one, more = "record that is no evidence row", "records that are no evidence rows"
            yield Note(f"left out: {several(self._passed.total(), one, more)} ({kinds})")
        yield from self._log.items()

    def _observations(
        self, trace: Mapping[str, Any], listed: Any, at: str, latency_unit: float = 1e3
    ) -> Iterator[Item]:
        of_trace = filled({name: trace.get(name) for name in _OF_TRACE})
        for name in filled(trace).keys() - {*_OF_TRACE, "id", "observations", "scores"}:
            self._log.leave(f"trace.{name}")
        for position, entry in enumerate(sequence(listed)):
            if isinstance(entry, Mapping):  # a trace of the API lists ids only
                observation = _langfuse.parsed({**of_trace, **filled(entry)})
                yield from self._observation(
                    observation, f"{at}/observations/{position}", latency_unit
                )

    def _observation(
        self, observation: Mapping[str, Any], at: str, latency_unit: float = 1e3
    ) -> Iterator[Item]:
        if _langfuse.is_call(observation):
            yield _langfuse.request_row(self._log, observation, at, latency_unit=latency_unit)
        elif observation.get("type") == "RETRIEVER":
            documents = [*_langfuse.document_rows(self._log, observation, at)]
            yield from documents
            if not documents:
                self._pass("RETRIEVER")
        else:
            self._pass(text(observation.get("type")) or "observation")

    def _scores_of(self, trace: Mapping[str, Any], at: str) -> Iterator[Item]:
        for position, score in enumerate(sequence(trace.get("scores"))):
            if isinstance(score, Mapping):
                yield from self._scores.rows(
                    _langfuse.parsed(renamed(score)), f"{at}/scores/{position}"
                )

    def _pass(self, kind: str) -> None:
        tally(self._passed, kind)


langfuse_export = Importer(
    name="langfuse_export",
    doc=__doc__ or "",
    tables=_langfuse.TABLES,
    recognises=_recognises,
    read=_read,
)
