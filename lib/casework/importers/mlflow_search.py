"""Results of MLflow searches, saved as JSON, CSV or Parquet.

## Reads
What `search_model_versions`, `search_registered_models`, `search_runs` and `search_traces` return,
as people save it: lists of objects and JSON Lines, answers of the REST interface
(`{"model_versions": [...]}`, and of one object `{"run": {...}}`), and the tables that MLflow makes
of runs and traces, as CSV, Parquet or JSON records. Exports of mlflow-export-import from before
2023, which are these objects.

## Fills
Models, versions, aliases and prompts as `mlflow_registry` does; runs and traces with their
assessments as `mlflow_database`.

A file may hold several answers under their keys; one with a `next_page_token` is told to be a page
of a longer answer.

## Leaves out
Spans below the root of a trace. What a CSV file holds in the words of Python is not read: tags,
metadata and aliases stay as they stand in `attributes`, and digests in them are missed, which is
told.

## Known limits
A search of versions leaves their aliases out: `aliases: []` says nothing, the column is empty and
that is told. The aliases that a search of models lists are in force at the last change of the file,
and since when is not known; where they point at versions that are not in the file they are
rejects. An alias that several models bear goes by `model@alias`. A table of runs has no data sets,
and in it a metric that is NaN and one that was not logged look the same.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject
from casework.importers import _mlflow, _mlflow_runs, _mlflow_trace
from casework.importers._csv_text import csv_names, csv_records
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._instants import from_ms
from casework.importers._json_document import MAX_RAW, Fault
from casework.importers._mlflow import Alias, Model, Version
from casework.importers._mlflow_entries import (
    flat_run,
    of_json,
    python_texts,
    run_of,
    tags_of,
    trace_of,
)
from casework.importers._mlflow_prompt import is_prompt
from casework.importers._mlflow_runs import Runs
from casework.importers._mlflow_trace import Traces
from casework.importers._parquet import PARQUET, parquet_names, parquet_records
from casework.importers._records import Record, read_document, records
from casework.importers._shape import mapping, sequence, text
from casework.importers._source import Source
from casework.words import several

_ANSWERS = ("model_versions", "registered_models", "runs", "traces")
_ONE = ("model_version", "registered_model", "run")
_NOT_READ = ("aliases", "tags", "trace_metadata", "request_metadata")
_TIMES = {"creation_timestamp", "last_updated_timestamp"}


def _recognises(source: Source) -> bool:
    if source.head().startswith(PARQUET):
        return _kind(dict.fromkeys(parquet_names(source))) is not None
    first = source.first_object
    if first:
        within = map(source.within, (*_ANSWERS, *_ONE))
        return _kind(first) is not None or any(map(_kind, within))
    return _kind(dict.fromkeys(csv_names(source))) is not None


def _kind(record: Mapping[str, Any]) -> str | None:
    """What a record is: `version`, `model`, `run`, `flat_run` or `trace`."""
    info, keys = mapping(record.get("info")).keys(), record.keys()
    if {"trace_id", "state"} <= info or {"request_id", "timestamp_ms"} <= info:
        return "trace"
    if {"run_id", "experiment_id", "status"} <= info:
        return "run"
    if {"run_id", "experiment_id", "status", "artifact_uri"} <= keys:
        return "flat_run"
    if {"trace_id", "request_time", "state"} <= keys or {"request_id", "request_metadata"} <= keys:
        return "trace"
    if keys >= {"name", "version", *_TIMES}:
        return "version" if {"current_stage", "status", "source", "run_id"} & keys else None
    return "model" if keys >= {"name", *_TIMES} and {"latest_versions", "aliases"} & keys else None


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    runs, traces, registry, unread = Runs(log), Traces(log), _Registry(), 0
    for found in _records(source, log):
        if isinstance(found, Note):
            yield found
            continue
        if isinstance(found, Reject):
            yield found
            continue
        record, at = found.values, found.locator
        unread += bool(python_texts(record, _NOT_READ))
        match _kind(record):
            case "run":
                # Older exports of runs have no `data`: what would be in it stands beside `info`.
                data = mapping(record.get("data")) or record
                yield from runs.rows(run_of(at, record["info"], data, record.get("inputs")))
            case "flat_run":
                yield from runs.rows(flat_run(at, record))
            case "trace":
                for name in python_texts(record, ("spans", "assessments")):
                    log.leave(f"trace.{name.removesuffix('_text')}, in the words of Python")
                yield from traces.rows(trace_of(at, record, log.instants))
            case "version" | "model" as kind:
                registry.add(kind, record, at)
            case _:
                reason = "nothing that a search of MLflow returns"
                yield Reject(at, "UNKNOWN_RECORD", reason, found.raw or "")
    yield from _mlflow.registries_items(registry.models(source), log)
    yield from registry.notes()
    if unread:
        told = several(unread, "record has", "records have")
        yield Note(f"{told} tags, metadata or aliases in the words of Python: what they say, "
                   "digests above all, is not read; save them as JSON")  # fmt: skip
    yield from runs.notes()
    yield from traces.rest()
    yield from log.items()


def _records(source: Source, log: FieldLog) -> Iterator[Record | Reject | Note]:
    if source.head().startswith(PARQUET):
        yield from parquet_records(source)
        return
    first = source.first_object
    if not first:
        yield from csv_records(source)
        return
    if first.keys().isdisjoint((*_ANSWERS, *_ONE)) or _kind(first):
        yield from records(source, constants=True)
        return
    for locator, value in read_document(source).entries(*_ANSWERS):
        if locator in _ONE and isinstance(value, Mapping):
            yield Record(f"/{locator}", dict(value))
        elif not locator.startswith("/"):
            if locator == "next_page_token" and value:
                yield Note("a page of a longer answer: its next_page_token names more that is not "
                           "here")  # fmt: skip
            if locator not in _ANSWERS:
                log.leave(locator)
        elif isinstance(value, Mapping):
            yield Record(locator, dict(value))
        elif isinstance(value, Fault):
            yield Reject(locator, value.error.code, value.error.what, value.raw)
        else:
            yield Reject(locator, "JSON", "not an object", str(value)[:MAX_RAW])


class _Registry:
    """The models and versions of one file, which come in any order."""

    def __init__(self) -> None:
        self._models: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._versions: dict[str, list[Version]] = defaultdict(list)
        self._aliases: dict[str, list[Alias]] = defaultdict(list)
        self._silent = 0

    def add(self, kind: str, record: Mapping[str, Any], at: str) -> None:
        """Take a model with its latest versions, or a version."""
        name = text(record.get("name")) or ""
        if kind == "version":
            self._version(name, record, at)
            return
        self._models.setdefault(name, (at, record))
        self._aliases[name] += _aliases(record, at)
        for position, one in enumerate(sequence(of_json(record.get("latest_versions")))):
            if isinstance(one, Mapping):  # some are saved as the text of a Python object
                self._version(name, one, f"{at}/latest_versions/{position}")

    def models(self, source: Source) -> Iterator[Model]:
        """The models, with the instant at which their aliases are known."""
        for name in dict.fromkeys([*self._models, *self._versions]):
            _, fields = self._models.get(name, ("", {}))
            versions = tuple(sorted(self._versions[name], key=_order))
            tags = tags_of(of_json(fields.get("tags")))
            if versions and all(is_prompt(one.tags) for one in versions):
                tags = {**versions[0].tags, **tags}
            noted = [from_ms(one.fields.get("creation_timestamp")) for one in versions]
            aliases = tuple(self._aliases[name])
            lists_aliases = bool(aliases) and name in self._models
            self._silent += 0 if lists_aliases else len(versions)
            yield Model(
                name=name,
                tags=tags,
                fields=fields,
                versions=versions,
                aliases=aliases,
                known_at=max([source.changed_at, *filter(None, noted)]),
                known_by=source.changed_by,
                lists_aliases=lists_aliases,
            )

    def notes(self) -> Iterator[Note]:
        """Say what the absence of aliases does not mean."""
        if self._silent:
            told = several(self._silent, "version lists", "versions list")
            yield Note(f"{told} no alias, which searches of MLflow leave out: whether there is "
                       "one is not known")  # fmt: skip

    def _version(self, name: str, record: Mapping[str, Any], at: str) -> None:
        unread = python_texts(record, ("aliases", "tags"))
        version = Version(at, {**record, **unread}, tags_of(of_json(record.get("tags"))))
        self._versions[name].append(version)
        named = [alias for alias in map(text, sequence(of_json(record.get("aliases")))) if alias]
        for position, alias in enumerate(named):
            self._aliases[name].append(
                Alias(f"{at}/aliases/{position}", alias, version.label or "")
            )


def _aliases(model: Mapping[str, Any], at: str) -> Iterator[Alias]:
    """The aliases of a model: an object of versions, or a list of aliases and versions."""
    value = of_json(model.get("aliases"))
    for name, version in sorted(mapping(value).items()):
        yield Alias(f"{at}/aliases/{name}", name, text(version) or "")
    for position, entry in enumerate(map(mapping, sequence(value))):
        name, version = text(entry.get("alias")) or "", text(entry.get("version")) or ""
        yield Alias(f"{at}/aliases/{position}", name, version)


def _order(version: Version) -> tuple[int, str]:
    label = version.label or ""
    return (int(label), "") if label.isdecimal() and len(label) < 19 else (2**63, label)


mlflow_search = Importer(
    name="mlflow_search",
    doc=__doc__ or "",
    tables=(*_mlflow.TABLES, *_mlflow_runs.TABLES, *_mlflow_trace.TABLES),
    recognises=_recognises,
    read=_read,
)
