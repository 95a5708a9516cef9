"""MLflow traces in a file store, one folder of an experiment.

## Reads
`mlruns/<experiment>/traces`: of each trace `trace_info.yaml`, `request_metadata/<key>`,
`tags/<key>`, `assessments/<id>.yaml` and `artifacts/traces.json`, of MLflow 2 and 3.

## Fills
As `mlflow_database` does: `requests`, one a trace; a person's thumb becomes `feedback`, other
assessments `eval_samples`.

## Leaves out
Attachments of traces. Assessments that were overridden, counted. Of the spans, all but what went
into the first and came out of it, and the models that were called.

## Known limits
Where the artifacts lie in another store, texts are the previews that MLflow keeps in the metadata,
which it cuts off; that is told.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casework.case import Item
from casework.importers import _mlflow_trace
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._json_document import document
from casework.importers._mlflow_entries import trace_of
from casework.importers._mlflow_files import Files, content
from casework.importers._mlflow_trace import Traces
from casework.importers._source import Source

_INFO = "trace_info.yaml"
_SPANS_BYTES = 128 << 20


@dataclass
class _Parts:
    """The files of one trace by what they are."""

    info: Path | None = None
    metadata: dict[str, Path] = field(default_factory=dict)
    tags: dict[str, Path] = field(default_factory=dict)
    assessments: list[Path] = field(default_factory=list)
    spans: Path | None = None


def _recognises(source: Source) -> bool:
    return source.path.is_dir() and next(source.path.glob(f"*/{_INFO}"), None) is not None


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, files = FieldLog(options.timezone), Files(source)
    traces = Traces(log)
    parts: dict[str, _Parts] = defaultdict(_Parts)
    for path in sorted(source.files):
        if not _sort_in(parts, path, files.place(path).split("/")):
            log.leave("files that are no part of a trace")
    for name, one in parts.items():
        record = _record(files, one, source)
        if record["info"]:
            places = [files.place(path) for path in one.assessments]
            yield from traces.rows(trace_of(name, record, log.instants, places))
        else:
            files.refuse(name, "NO_TRACE", f"its {_INFO} is not there or says nothing")
        yield from files.refused()
    yield from traces.rest()
    yield from log.items()


def _sort_in(found: dict[str, _Parts], path: Path, parts: list[str]) -> bool:
    """Put a file where it belongs; whether it belongs anywhere."""
    match parts:
        case (name, "trace_info.yaml"):
            found[name].info = path
        case (name, "request_metadata", *key) if key:
            found[name].metadata["/".join(key)] = path
        case (name, "tags", *key) if key:
            found[name].tags["/".join(key)] = path
        case (name, "assessments", _):
            found[name].assessments.append(path)
        case (name, "artifacts", "traces.json"):
            found[name].spans = path
        case _:
            return False
    return True


def _record(files: Files, parts: _Parts, source: Source) -> dict[str, Any]:
    """A trace as the clients of MLflow write it, and read so."""

    def decoded(path: Path) -> Any:
        return document(content(path, source, _SPANS_BYTES), files.place(path)).value()

    info = files.entries(parts.info)
    if info:
        info["trace_metadata"] = files.values(parts.metadata)
        info["tags"] = files.values(parts.tags)
        info["assessments"] = [files.entries(path) for path in parts.assessments]
    return {"info": info, "data": files.got(decoded, parts.spans) if parts.spans else None}


mlflow_traces = Importer(
    name="mlflow_traces",
    doc=__doc__ or "",
    tables=_mlflow_trace.TABLES,
    recognises=_recognises,
    read=_read,
    of_folders=True,
)
