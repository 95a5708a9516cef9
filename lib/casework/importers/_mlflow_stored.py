"""What a database of MLflow holds, table by table, as the values that all its stores share."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from casework.errors import CaseworkError
from casework.importers._fields import FieldLog
from casework.importers._instants import from_ms
from casework.importers._mlflow import Alias, Model, Version
from casework.importers._mlflow_entries import dataset_uri, of_json, run_of_mark, span_texts
from casework.importers._mlflow_marks import Mark
from casework.importers._mlflow_runs import Dataset, Run
from casework.importers._mlflow_trace import Trace
from casework.importers._shape import filled, mapping, number, parsed, text
from casework.importers._source import Source
from casework.importers._sqlite import rows

Tables = Mapping[str, set[str]]
NEEDED = {"registered_models", "model_versions", "runs", "experiments"}
_COLUMNS = {
    "registered_models": {"name"},
    "model_versions": {"name", "version"},
    "registered_model_aliases": {"alias", "version", "name"},
    "registered_model_tags": {"key", "value", "name"},
    "model_version_tags": {"key", "value", "name", "version"},
    "experiments": {"experiment_id", "name"},
    "runs": {"run_uuid", "experiment_id", "start_time"},
    **{name: {"key", "value", "run_uuid"} for name in ("params", "tags", "latest_metrics")},
    "inputs": {"input_uuid", "source_id", "destination_id", "destination_type"},
    "input_tags": {"input_uuid", "name", "value"},
    "datasets": {"dataset_uuid", "name", "digest", "dataset_source"},
    "trace_info": {"request_id", "timestamp_ms"},
    "trace_tags": {"key", "value", "request_id"},
    "trace_request_metadata": {"key", "value", "request_id"},
    "spans": {"trace_id", "parent_span_id", "start_time_unix_nano", "content"},
    "assessments": {"trace_id"},
    "endpoints": {"endpoint_id"},
    "model_definitions": {"model_definition_id"},
}
_TIMES = {"creation_time": "creation_timestamp", "last_updated_time": "last_updated_timestamp"}


def usable(known: Tables) -> Tables:
    """The tables that have the columns that are read of them; of the others none is read.

    Raises:
        CaseworkError: DATABASE_SCHEMA, one is among them without which nothing makes sense.
    """
    found = {name: columns for name, columns in known.items()
             if columns >= _COLUMNS.get(name, set())}  # fmt: skip
    missing = sorted(NEEDED - found.keys())
    if missing:
        what = f"tables of MLflow lack columns: {', '.join(missing)}"
        raise CaseworkError("DATABASE_SCHEMA", what, "export it again, with a released MLflow")
    return found


def models(database: sqlite3.Connection, known: Tables, source: Source) -> Iterator[Model]:
    """Registered models. Their aliases are known at the instant of the file, and not before.

    A database does not note when an alias moved, nor does the model count as updated then.
    """
    tags = _grouped(database, known, "registered_model_tags", ("name",))
    of_versions = _grouped(database, known, "model_version_tags", ("name", "version"))
    aliases: dict[tuple[Any, ...], list[Alias]] = defaultdict(list)
    if "registered_model_aliases" in known:
        for row in rows(database, "registered_model_aliases"):
            at = f"registered_model_aliases/{row['rowid']}"
            aliases[_key(row, "name")].append(Alias(at, str(row["alias"]), str(row["version"])))
    versions: dict[tuple[Any, ...], list[Version]] = defaultdict(list)
    for row in rows(database, "model_versions", "name, version"):
        at = f"model_versions/{row.pop('rowid')}"
        fields = {_TIMES.get(name, name): value for name, value in row.items()}
        own = of_versions.get(_key(row, "name", "version"), {})
        versions[_key(row, "name")].append(Version(at, fields, own))
    registered = {_key(row, "name"): row for row in rows(database, "registered_models", "name")}
    for of_model in dict.fromkeys([*registered, *versions, *aliases]):
        row = registered.get(of_model, {})
        fields = {_TIMES.get(key, key): value for key, value in row.items() if key != "rowid"}
        listed = tuple(versions[of_model])
        noted = [from_ms(one.fields.get("creation_timestamp")) for one in listed]
        yield Model(
            name=str(of_model[0]),
            tags=tags.get(of_model, {}),
            fields=fields,
            versions=listed,
            aliases=tuple(aliases[of_model]),
            known_at=max([source.changed_at, *filter(None, noted)]),
            known_by=source.changed_by,
        )


def runs(database: sqlite3.Connection, known: Tables) -> Iterator[Run]:
    """Runs with their parameters, last metrics, tags and data sets."""
    names = {str(row["experiment_id"]): text(row["name"]) for row in rows(database, "experiments")}
    params = _grouped(database, known, "params", ("run_uuid",))
    tags = _grouped(database, known, "tags", ("run_uuid",))
    metrics = _metrics(database, known)
    inputs = _datasets(database, known)
    for row in rows(database, "runs", "start_time, run_uuid"):
        run, locator = _key(row, "run_uuid"), f"runs/{row.pop('rowid')}"
        yield Run(
            locator=locator,
            fields={**row, "run_id": row["run_uuid"]},
            params=params.get(run, {}),
            metrics=metrics.get(row["run_uuid"], {}),
            tags=tags.get(run, {}),
            experiment=names.get(str(row["experiment_id"])),
            datasets=tuple(inputs.get(row["run_uuid"], ())),
        )


def traces(database: sqlite3.Connection, known: Tables, log: FieldLog) -> Iterator[Trace]:
    """Traces with what was asked and answered, and the marks that were given to them."""
    about = {
        table: _grouped(database, known, table, ("request_id",))
        for table in ("trace_request_metadata", "trace_tags")
    }
    roots, called = _spans(database, known)
    marks = _marks(database, known, log)
    for row in rows(database, "trace_info", "timestamp_ms, request_id"):
        name, locator = row["request_id"], f"trace_info/{row.pop('rowid')}"
        asked, said = _texts(database, roots.get(name))
        yield Trace(
            locator=locator,
            fields={key: value for key, value in row.items() if key != "db_payload_generation"},
            metadata=about["trace_request_metadata"].get((name,), {}),
            tags=about["trace_tags"].get((name,), {}),
            inputs=asked,
            outputs=said,
            models=tuple(sorted(called.get(name, ()))),
            marks=tuple(marks.pop(name, ())),
        )
    log.leave("assessments of traces that are not here", sum(map(len, marks.values())))


def _key(row: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    """What a row belongs to; where the store has workspaces, within its own."""
    return (*(row[name] for name in names), *([row["workspace"]] if "workspace" in row else []))


def _grouped(
    database: sqlite3.Connection, known: Tables, table: str, names: tuple[str, ...]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Entries of a table of keys and values, by what they belong to."""
    found: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    if table in known:
        for row in rows(database, table):
            found[_key(row, *names)][str(row["key"])] = row["value"]
    return found


def _metrics(database: sqlite3.Connection, known: Tables) -> dict[Any, dict[str, float]]:
    """Last values of metrics by run; NaN where the database marks a number as none."""
    found: dict[Any, dict[str, float]] = defaultdict(dict)
    if "latest_metrics" in known:
        for row in rows(database, "latest_metrics"):
            is_nan = row.get("is_nan") or number(row["value"]) is None
            value = float("nan") if is_nan else float(row["value"])
            found[row["run_uuid"]][str(row["key"])] = value
    return found


def _datasets(database: sqlite3.Connection, known: Tables) -> dict[str, list[Dataset]]:
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
        found[run].append(Dataset(text(name), text(digest), dataset_uri(source), text(context)))
    return found


def _spans(
    database: sqlite3.Connection, known: Tables
) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Where the root span of each trace stands, and which models its spans called."""
    roots: dict[str, int] = {}
    called: dict[str, set[str]] = defaultdict(set)
    columns = known.get("spans", set())
    if columns:
        roots = dict(database.execute(
            "SELECT trace_id, rowid FROM spans WHERE parent_span_id IS NULL "
            "ORDER BY start_time_unix_nano DESC"
        ))  # fmt: skip
    if "model_name" in columns:
        listed = "SELECT DISTINCT trace_id, model_name FROM spans WHERE model_name IS NOT NULL"
        for name, model in database.execute(listed):
            called[name].add(str(model))
    return roots, called


def _texts(database: sqlite3.Connection, root: int | None) -> tuple[Any, Any]:
    if root is None:
        return None, None
    (content,) = database.execute("SELECT content FROM spans WHERE rowid = ?", [root]).fetchone()
    return span_texts(of_json(content))


def _marks(database: sqlite3.Connection, known: Tables, log: FieldLog) -> dict[str, list[Mark]]:
    found: dict[str, list[Mark]] = defaultdict(list)
    if "assessments" not in known:
        return found
    for row in rows(database, "assessments"):
        if not row.get("valid", 1):
            log.leave("assessments that were overridden")
            continue
        metadata = mapping(of_json(row.get("assessment_metadata")))
        rest = {
            **{name: row.get(name) for name in ("assessment_id", "rationale", "span_id", "error")},
            "overrides": row.get("overrides"),
            "metadata": metadata,
        }
        found[str(row["trace_id"])].append(Mark(
            locator=f"assessments/{row['rowid']}",
            name=text(row.get("name")) or "",
            value=parsed(row.get("value")),
            source=text(row.get("source_type")) or "unknown",
            who=text(row.get("source_id")),
            about=text(row.get("trace_id")),
            created=from_ms(row.get("created_timestamp") or row.get("last_updated_timestamp")),
            run=run_of_mark(metadata) or text(row.get("run_id")),
            is_expectation=row.get("assessment_type") == "expectation",
            rest=filled(rest),
        ))  # fmt: skip
    return found
