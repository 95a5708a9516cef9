"""MLflow tracking and registry database (SQLite), of MLflow 2 and 3.

## Reads
Tables of the registry, of runs and their inputs, of traces and assessments, and of the AI gateway,
as far as the version of the schema has them.

## Fills
Registered models and prompts as `mlflow_registry` does. Runs: their code, parameters, seeds and
data sets become `artifact_inputs` of `runs:/<run_id>`; runs with a data set logged for evaluation,
or a tag `suite`, become `eval_runs`.

| source | row |
|---|---|
| `trace_info` | `requests`: `request_id`, `timestamp_ms`, `execution_time_ms`, `status`, previews \
of request and response, own fields from tags and metadata |
| `assessments` of people that say up or down | `feedback` |
| other `assessments` | `eval_samples` of the run `mlflow:<source type>:<name>` |
| `endpoint_model_mappings` | `config_events` `route:<endpoint>`, the model and its weight |

## Leaves out
Histories of metrics, artifacts, jobs, secrets, webhooks; spans within a trace, counted.

## Known limits
The tables keep the present alias only, in force from the last update of its model at the latest.
A database must be copied with its `-wal` file checkpointed: what stands only there is not read.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from casework.case import Item, Note, Row
from casework.importers import _mlflow, _mlflow_runs, _mlflow_traces
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._instants import from_ms
from casework.importers._mlflow import Alias, Model, Version, registry_items
from casework.importers._mlflow_runs import Dataset, Run, run_items
from casework.importers._shape import mapping, text
from casework.importers._source import Source
from casework.importers._sqlite import columns, open_database, rows, table_names
from casework.tables import config_events

_NEEDED = {"registered_models", "model_versions", "runs", "experiments"}
_TIMES = {"creation_time": "creation_timestamp", "last_updated_time": "last_updated_timestamp"}


def _recognises(source: Source) -> bool:
    return table_names(source) >= _NEEDED


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    with open_database(source) as database:
        known = columns(database)
        for model in _models(database, known):
            yield from registry_items(model, options.timezone)
        for run in _runs(database, known):
            yield from run_items(run, log)
        if "trace_info" in known:
            yield from _mlflow_traces.from_database(database, known, log)
        if "endpoint_model_mappings" in known:
            yield from _routes(database)
        if "spans" in known:
            (count,) = database.execute("SELECT count(*) FROM spans").fetchone()
            log.leave("spans", count)
    yield from log.items()


def _models(database: sqlite3.Connection, known: Mapping[str, set[str]]) -> Iterator[Model]:
    tags = _grouped(database, known, "registered_model_tags", ("name",))
    of_versions = _grouped(database, known, "model_version_tags", ("name", "version"))
    aliases: dict[str, list[Alias]] = defaultdict(list)
    if "registered_model_aliases" in known:
        for row in rows(database, "registered_model_aliases"):
            at = f"registered_model_aliases/{row['rowid']}"
            aliases[row["name"]].append(Alias(at, str(row["alias"]), str(row["version"])))
    versions: dict[str, list[Version]] = defaultdict(list)
    for row in rows(database, "model_versions", "name, version"):
        at = f"model_versions/{row.pop('rowid')}"
        fields = {_TIMES.get(name, name): value for name, value in row.items()}
        own = of_versions.get((row["name"], row["version"]), {})
        versions[row["name"]].append(Version(at, fields, own))
    for row in rows(database, "registered_models", "name"):
        name = str(row["name"])
        fields = {_TIMES.get(key, key): value for key, value in row.items() if key != "rowid"}
        yield Model(
            name=name,
            tags=tags.get((name,), {}),
            fields=fields,
            versions=tuple(versions[name]),
            aliases=tuple(aliases[name]),
            known_at=from_ms(fields.get("last_updated_timestamp")),
            known_by="the last update of the model",
        )


def _runs(database: sqlite3.Connection, known: Mapping[str, set[str]]) -> Iterator[Run]:
    names = {str(row["experiment_id"]): text(row["name"]) for row in rows(database, "experiments")}
    params = _grouped(database, known, "params", ("run_uuid",))
    tags = _grouped(database, known, "tags", ("run_uuid",))
    metrics = _grouped(database, known, "latest_metrics", ("run_uuid",))
    inputs = _datasets(database, known)
    for row in rows(database, "runs", "start_time, run_uuid"):
        run = (row["run_uuid"],)
        yield Run(
            locator=f"runs/{row['rowid']}",
            fields={**row, "run_id": row["run_uuid"]},
            params=params.get(run, {}),
            metrics=metrics.get(run, {}),
            tags=tags.get(run, {}),
            experiment=names.get(str(row["experiment_id"])),
            datasets=tuple(inputs.get(row["run_uuid"], ())),
        )


def _datasets(
    database: sqlite3.Connection, known: Mapping[str, set[str]]
) -> dict[str, list[Dataset]]:
    found: dict[str, list[Dataset]] = defaultdict(list)
    if not {"inputs", "datasets", "input_tags"} <= known.keys():
        return found
    listed = database.execute(
        """
        SELECT i.destination_id, d.name, d.digest, d.dataset_source,
               (SELECT t.value FROM input_tags t
                WHERE t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context')
        FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
        WHERE i.destination_type = 'RUN' ORDER BY i.rowid
        """
    )
    for run, name, digest, source, context in listed:
        found[run].append(Dataset(text(name), text(digest), _uri(source), text(context)))
    return found


def _uri(source: Any) -> str | None:
    """The address in the JSON text of a data set's source, else the text."""
    try:
        held = mapping(msgspec.json.decode(source)) if isinstance(source, str) else {}
    except (ValueError, RecursionError):
        held = {}
    return text(held.get("uri")) or text(held.get("url")) or text(held.get("path")) or text(source)


def _grouped(
    database: sqlite3.Connection,
    known: Mapping[str, set[str]],
    table: str,
    key: tuple[str, ...],
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Entries of a table of keys and values, by what they belong to."""
    found: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    if table in known:
        for row in rows(database, table):
            found[tuple(row[name] for name in key)][str(row["key"])] = row["value"]
    return found


def _routes(database: sqlite3.Connection) -> Iterator[Item]:
    listed = list(rows(database, "endpoint_model_mappings"))
    endpoints = {one["endpoint_id"]: one for one in rows(database, "endpoints")}
    models = {one["model_definition_id"]: one for one in rows(database, "model_definitions")}
    for row in listed:
        endpoint = mapping(endpoints.get(row.get("endpoint_id")))
        model = mapping(models.get(row.get("model_definition_id")))
        name = text(endpoint.get("name")) or text(row.get("endpoint_id"))
        yield Row(config_events, f"endpoint_model_mappings/{row['rowid']}", {
            "occurred_at": from_ms(row.get("created_at") or endpoint.get("last_updated_at")),
            "key": f"route:{name}",
            "new_value": "/".join(filter(None, map(text, (model.get("provider"),
                                                          model.get("model_name"))))) or None,
            "scope": f"weight {text(row.get('weight'))}",
            "actor": text(row.get("created_by")),
            "source": "mlflow gateway (current only)",
        })  # fmt: skip
    if listed:
        yield Note("routes of the gateway are the present ones; earlier ones are not recorded")


mlflow_database = Importer(
    name="mlflow_database",
    doc=__doc__ or "",
    tables=(*_mlflow.TABLES, *_mlflow_runs.TABLES, *_mlflow_traces.TABLES),
    recognises=_recognises,
    read=_read,
)
