"""Runs of MLflow as evidence rows, from whichever store or export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Row
from casework.importers._fields import FieldLog
from casework.importers._instants import from_ms
from casework.importers._own_fields import OwnFields
from casework.importers._shape import filled, number, text
from casework.tables import Table, artifact_inputs, eval_runs

TABLES: tuple[Table, ...] = (eval_runs, artifact_inputs)
_SEEDS = ("seed", "random_seed", "random_state")
_EVALUATES = ("eval", "evaluation", "test", "validation")
_NATIVE = {"run_id", "started_at", "ended_at", "harness", "code_revision", "attributes"}
_FINISHED = ("FINISHED", "3")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set that a run logged as its input; `context` says for what."""

    name: str | None
    digest: str | None
    source: str | None
    context: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run, under the names of MLflow. `metrics` has the last value of each."""

    locator: str
    fields: Mapping[str, Any]
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, Any]
    experiment: str | None = None
    datasets: tuple[Dataset, ...] = field(default=())


def run_items(run: Run, log: FieldLog) -> Iterator[Item]:
    """Yield the inputs of what a run made, and where it evaluated something, the run of the eval.

    A run is an eval where it has metrics and a tag `suite`, or a data set that was logged for
    evaluation. What it made is named `runs:/<run_id>`, as MLflow itself names it.
    """
    name = text(run.fields.get("run_id")) or text(run.fields.get("run_uuid"))
    if name is None:
        return
    for pointer, values in _inputs(run):
        yield Row(artifact_inputs, run.locator + pointer, {"artifact": f"runs:/{name}", **values})
    evaluated = [one for one in run.datasets if one.context in _EVALUATES]
    if run.metrics and ("suite" in run.tags or evaluated):
        yield _eval(run, name, evaluated, OwnFields(log.instants))


def _eval(run: Run, name: str, evaluated: list[Dataset], own: OwnFields) -> Item:
    values, rest = own.take(eval_runs, run.tags, _NATIVE)
    status = text(run.fields.get("status"))
    first = next(iter(run.metrics), None)
    native = {
        "run_id": name,
        "started_at": from_ms(run.fields.get("start_time")),
        "ended_at": from_ms(run.fields.get("end_time")) if status in _FINISHED else None,
        "harness": "mlflow",
        "code_revision": text(run.tags.get("mlflow.source.git.commit")),
    }
    known = {
        "suite": (evaluated[0].name if evaluated else None) or run.experiment,
        "dataset_hash": evaluated[0].digest if evaluated else None,
        "score": number(run.metrics[first]) if first else None,
    }
    attributes = {
        "status": status,
        "metrics": run.metrics,
        "score_from": first,
        "params": run.params,
        "tags": filled(rest),
        "experiment": run.experiment,
    }
    row = {**known, **values, **native, "attributes": canonical.plain(filled(attributes))}
    return Row(eval_runs, run.locator, row)


def _inputs(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    commit = text(run.tags.get("mlflow.source.git.commit"))
    place = text(run.tags.get("mlflow.source.git.repoURL")) or text(
        run.tags.get("mlflow.source.name")
    )
    if commit or place:
        pin = "pinned" if commit else "floating"
        yield "/tags", {"kind": "code", "uri": place, "digest": commit, "pin": pin}
    if run.params:
        digest = sha256(canonical.dumps(run.params).encode("utf-8", "replace")).hexdigest()
        about = {"params": canonical.plain(run.params)}
        yield "/params", {"kind": "hyperparameters", "uri": None, "digest": f"sha256:{digest}",
                          "pin": "pinned", "attributes": about}  # fmt: skip
    for name in _SEEDS:
        if seed := text(run.params.get(name)):
            yield f"/params/{name}", {"kind": "seed", "uri": f"{name}={seed}", "pin": "pinned"}
    for position, one in enumerate(run.datasets):
        kind = "eval_data" if one.context in _EVALUATES else "train_data"
        pin = "pinned" if one.digest else "floating"
        address = one.source or one.name
        yield (
            f"/inputs/{position}",
            {"kind": kind, "uri": address, "digest": one.digest, "pin": pin},
        )
