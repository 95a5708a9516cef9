"""MLflow tracking and registry database (SQLite), of MLflow 2 and 3.

## Reads
Tables of the registry, of runs and their inputs, of traces and assessments, and of the AI gateway,
as far as the version of the schema has them.

## Fills
Registered models and prompts as `mlflow_registry` does. Runs: their code, parameters, seeds and
data sets become `artifact_inputs` of `runs:/<run_id>`; runs with a data set logged for evaluation,
a tag `suite`, or made by `mlflow.evaluate` or `mlflow.genai.evaluate` become `eval_runs`.

| source | row |
|---|---|
| metrics of a run | `eval_runs.score`: the metric that the tag `metric` names, else the only one |
| `trace_info` | `requests`: `request_id`, `timestamp_ms`, `execution_time_ms`, `status`, own \
fields from tags and metadata |
| the root of its `spans` | `input_text`, `output_text`, whole; else previews, which is told |
| `spans.model_name` | `endpoint`, where all spans of a trace called the same; else the own field |
| `mlflow.modelId` of a trace | `checkpoint`, where no own field stamps a digest |
| `assessments` of people that say up or down | `feedback` |
| `assessments` that an evaluation made | one row of `eval_samples` a trace and run; the score of \
the only scorer, all in `attributes`; the only expectation is the `target` |
| other `assessments` | `eval_samples` of the run `mlflow:<source type>:<name>:<source id>`, \
`epoch` counting repetitions |
| `endpoints` with the models behind | `config_events` `route:<endpoint>`, one event an endpoint |

A person's mark is up or down where it is a flag or a word for one, or a number of a set that holds
-1, 0 and 1 alone, and more than one of them: a 1 may be one star of five.

## Leaves out
Histories of metrics, artifacts, jobs, secrets, webhooks; spans below the root of a trace;
assessments that were overridden. Traces that an evaluation made are samples and no requests.

## Known limits
A data set is one for evaluation where its context begins with a word for that: `eval`, `test`,
`val`, `validation`, `dev`, `bench`; where none was logged it is taken for training, and its
`attributes` say so.
The tables keep the present alias only, and moving one leaves no instant in them: `valid_from` is
the last change of the file, when it pointed there; since when is not known. An alias
that several models bear goes by `model@alias`. NaN and infinite metrics are no score. Traces of
MLflow 2 keep their spans outside: their texts are previews, cut off by MLflow. Of a version that
was deleted, stage `Deleted_Internal`, MLflow strikes out source and run: it has the checkpoint that
its tags name, or none. A route is in force
from the last change of its endpoint or models at the latest; a hosted model's name is no digest,
and makes no alias event. A database must be copied with its `-wal` file checkpointed: what stands
only there is not read, and that is told.
"""

from collections.abc import Iterator

from casework.case import Item, Note
from casework.importers import _mlflow, _mlflow_runs, _mlflow_stored, _mlflow_trace
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._mlflow_routes import TABLES as OF_ROUTES
from casework.importers._mlflow_routes import routes
from casework.importers._mlflow_runs import Runs
from casework.importers._mlflow_trace import Traces
from casework.importers._source import Source
from casework.importers._sqlite import columns, open_database, table_names, unread_journal


def _recognises(source: Source) -> bool:
    return table_names(source) >= _mlflow_stored.NEEDED


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    runs, traces = Runs(log), Traces(log)
    yield from unread_journal(source)
    with open_database(source) as database:
        there = columns(database)
        known = _mlflow_stored.usable(there)
        if unread := sorted(there.keys() - known.keys()):
            yield Note(f"tables that lack columns and were not read: {', '.join(unread)}")
        models = _mlflow_stored.models(database, known, source)
        yield from _mlflow.registries_items(models, log)
        for run in _mlflow_stored.runs(database, known):
            yield from runs.rows(run)
        yield from runs.notes()
        if "trace_info" in known:
            for trace in _mlflow_stored.traces(database, known, log):
                yield from traces.rows(trace)
            yield from traces.rest()
        if known.keys() >= set(OF_ROUTES):
            yield from routes(database, log)
        if "spans" in known:
            (count,) = database.execute(
                "SELECT count(*) FROM spans WHERE parent_span_id IS NOT NULL"
            ).fetchone()
            log.leave("spans below the root of a trace", count)
    yield from log.items()


mlflow_database = Importer(
    name="mlflow_database",
    doc=__doc__ or "",
    tables=(*_mlflow.TABLES, *_mlflow_runs.TABLES, *_mlflow_trace.TABLES),
    recognises=_recognises,
    read=_read,
)
