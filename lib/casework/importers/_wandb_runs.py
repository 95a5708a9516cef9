"""Runs of Weights & Biases as evidence rows: what made them, and what they measured."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._instants import later
from casework.importers._shape import filled, mapping, number, parsed, text
from casework.tables import ATTRIBUTES, artifact_inputs, eval_runs

_OF_CLIENT = ("_wandb", "wandb_version")
MADE = ("createdAt", "created_at")
SUMMARY = ("summary", "summaryMetrics", "summary_metrics")
_NAMES, _COMMIT = ("project", "id", "name"), ("commit", "gitCommit")
_CODE = Form(
    artifact_inputs,
    of="run",
    columns={"uri": ("repo",)},
    uses={"artifact": _NAMES, "digest": _COMMIT},
)
_CONFIG = Form(
    artifact_inputs,
    of="run",
    columns={},
    uses={"artifact": _NAMES, "digest": ("config",), ATTRIBUTES: ("config",)},
)
_RUN = Form(
    eval_runs,
    of="run",
    columns={"run_id": ("id", "name"), "started_at": MADE},
    uses={"ended_at": ("state", *SUMMARY), "score": SUMMARY, ATTRIBUTES: ("state", *SUMMARY)},
)
_CONFIGURED = Form(
    eval_runs,
    of="config",
    columns={"suite": ("suite",), "checkpoint": ("checkpoint",)},
    uses={"endpoint": ("model", "endpoint")},
)
_OTHER = Form(artifact_inputs, of="run", columns={}, keeps=False)


def first_of(record: Mapping[str, Any], *names: str) -> Any:
    """The first value of these names that says something."""
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def part_of(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The record with these names alone."""
    return {name: record[name] for name in names if name in record}


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The record without these names."""
    return {name: value for name, value in record.items() if name not in names}


def name_of(run: Mapping[str, Any]) -> str | None:
    """What inputs of a run go by: `<project>/<run>`; None where it has no name."""
    name = text(first_of(run, "id", "name"))
    return "/".join(filter(None, (project_of(run), name))) if name else None


def project_of(record: Mapping[str, Any]) -> str | None:
    """The name of its project."""
    project = record.get("project")
    return text(mapping(project).get("name", project))


def run_items(log: FieldLog, run: Mapping[str, Any], at: str) -> Iterator[Item]:
    """The inputs of a run, and where its configuration names a suite, what it measured."""
    artifact, held = name_of(run), mapping(parsed(run.get("config"), constants=True))
    for key in held.keys() & set(_OF_CLIENT):
        log.leave(f"config.{key}")
    config = {
        key: value["value"] if isinstance(value, Mapping) and _is_setting(value) else value
        for key, value in without(held, *_OF_CLIENT).items()
    }
    commit = text(first_of(run, *_COMMIT))
    if commit:
        code = log.fill(_CODE, part_of(run, *_NAMES, "repo", *_COMMIT))
        about = {"artifact": artifact, "kind": "code", "digest": commit, "pin": "pinned"}
        yield Row(artifact_inputs, f"{at}/commit", {**code, **about})
    if config:
        told = canonical.plain(config)
        digest = sha256(canonical.dumps(told).encode("utf-8", "replace")).hexdigest()
        yield Row(artifact_inputs, f"{at}/config", {
            **log.fill(_CONFIG, part_of(run, *_NAMES, "config")),
            "artifact": artifact, "kind": "hyperparameters", "uri": f"{artifact}/config",
            "digest": f"sha256:{digest}", "pin": "pinned", ATTRIBUTES: told,
        })  # fmt: skip
    rest = without(run, "config", *(("repo", *_COMMIT) if commit else ()))
    if suite := text(config.get("suite")):
        yield Row(eval_runs, at, {**_measured(log, rest, config), "suite": suite})
    else:
        log.fill(_OTHER, without(rest, *(_NAMES if commit or config else ())))


def _is_setting(value: Mapping[str, Any]) -> bool:
    """Whether an object of a configuration is how W&B itself writes a value, and not one."""
    return "value" in value and value.keys() <= {"value", "desc"}


def _measured(log: FieldLog, run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    summary = mapping(parsed(first_of(run, *SUMMARY), constants=True))
    scores = {key: found for key, value in summary.items()
              if not key.startswith("_") and (found := number(value)) is not None}  # fmt: skip
    log.leave("values of a summary that are no score", len(summary) - len(scores))
    only = next(iter(scores)) if len(scores) == 1 else None
    named = next((name for name in ("score", "accuracy") if name in scores), only)
    values, taken = log.fill(_RUN, run), number(summary.get("_runtime"))
    log.fill(_CONFIGURED, part_of(config, "suite", "checkpoint", "model", "endpoint"))
    finished = text(run.get("state")) == "finished"
    return {
        **values,
        "ended_at": later(values.get("started_at"), taken) if finished else None,
        "endpoint": text(config.get("model")) or text(config.get("endpoint")),
        "checkpoint": text(config.get("checkpoint")),
        "harness": "wandb",
        "score": scores[named] if named else None,
        ATTRIBUTES: filled({**values.get(ATTRIBUTES, {}), "score_from": named, "summary": scores,
                            "state": run.get("state")}),
    }  # fmt: skip
