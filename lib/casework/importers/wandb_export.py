"""Weights & Biases: artifacts and runs, as JSON of the API.

## Reads
Objects, arrays and JSON Lines of artifacts (`type`, `digest`, `version`) and of runs (`config`,
`summary` or `summaryMetrics`), in camelCase or snake_case.

## Fills
| source | row |
|---|---|
| artifact of type `model` | `checkpoints` with its `digest`; `model_versions` with name, version \
and aliases |
| its aliases | `alias_events` `<project>/<name>:<alias>` from `updatedAt` on, else from the last \
change of the file, present ones only |
| other artifacts that a run used | `artifact_inputs` of `<project>/<run>` |
| run with a `suite` in its config | `eval_runs`: suite, start; the score is `score` or `accuracy` \
of its summary, else the only number there; where there are several it is none, which is told |
| run | `artifact_inputs`: `code` from `commit`, `hyperparameters` from `config` |

## Leaves out
Histories, system metrics, files. What the client notes of itself in a config (`_wandb`), artifacts
that are no models and that no run used, and what a run without a suite holds beside its config and
commit: counted.

## Known limits
Aliases of W&B have no history in these exports: `source` says so. The automatic aliases `v3` and
`latest` are no aliases of a person and make no event.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._instants import later
from casework.importers._records import records
from casework.importers._shape import filled, mapping, number, parsed, sequence, text
from casework.importers._source import Source
from casework.tables import (
    ATTRIBUTES,
    Table,
    alias_events,
    artifact_inputs,
    checkpoints,
    eval_runs,
    model_versions,
)

_NOW = "wandb (current only)"
_OF_RUNS = {"createdAt", "created_at", "project", "entity", "displayName"}
_STATES = ("running", "finished", "crashed", "failed", "killed", "preempted")
_NOTED = {"_runtime", "_timestamp", "_step", "_wandb"}
_OF_CLIENT = ("_wandb", "wandb_version")
_OWN_ALIAS = re.compile(r"v\d+|latest")
_NAME, _VERSION = ("name", "collection"), ("version", "versionIndex")
_MADE, _CHANGED = ("createdAt", "created_at"), ("updatedAt", "updated_at")
_TYPE, _USERS = ("type", "artifactType", "artifact_type"), ("usedBy", "used_by")
_SUMMARY = ("summary", "summaryMetrics", "summary_metrics")
_MODEL = Form(
    model_versions,
    of="artifact",
    columns={"created_at": _MADE},
    uses={"model": _NAME, "version": _VERSION, "checkpoint": ("digest",), "aliases": ("aliases",)},
    left_out=_TYPE,
)
_BYTES = Form(
    checkpoints, of="artifact", columns={"checkpoint": ("digest",)}, uses={"uri": _NAME + _VERSION}
)
_ALIAS = Form(
    alias_events,
    of="artifact",
    columns={"checkpoint": ("digest",)},
    uses={"alias": ("project", "name", "collection", "aliases"), "valid_from": _CHANGED},
)
_USED = Form(
    artifact_inputs,
    of="artifact",
    columns={"digest": ("digest",)},
    uses={"kind": _TYPE, "uri": _NAME + _VERSION, "artifact": _USERS},
)
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
    columns={"run_id": ("id", "name"), "started_at": _MADE},
    uses={"ended_at": ("state", *_SUMMARY), "score": _SUMMARY, ATTRIBUTES: ("state", *_SUMMARY)},
)
_CONFIGURED = Form(
    eval_runs,
    of="config",
    columns={"suite": ("suite",), "checkpoint": ("checkpoint",)},
    uses={"endpoint": ("model", "endpoint")},
)
_OTHER = Form(artifact_inputs, of="run", columns={}, keeps=False)
_TABLES: tuple[Table, ...] = (model_versions, checkpoints, alias_events, artifact_inputs, eval_runs)


def _recognises(source: Source) -> bool:
    """By the first record, and where that is a run by what any record of the head says of W&B."""
    kind = _kind(source.first_object)
    return kind == "artifact" or (kind == "run" and any(map(_is_of_wandb, source.first_objects())))


def _kind(record: Mapping[str, Any]) -> str | None:
    keys = record.keys()
    if {"digest", "aliases"} <= keys and ({"type", "artifactType", "artifact_type"} & keys):
        return "artifact"
    summaries = [parsed(record[name], constants=True) for name in _SUMMARY if name in keys]
    # in a head that is cut off within it a summary is None
    is_summary = any(one is None or isinstance(one, Mapping) for one in summaries)
    return "run" if is_summary and "config" in keys and {"name", "id", "state"} & keys else None


def _is_of_wandb(record: Mapping[str, Any]) -> bool:
    """Whether something besides a configuration and a summary speaks for W&B."""
    if (kind := _kind(record)) != "run":
        return kind is not None
    noted = {key for name in _SUMMARY for key in mapping(parsed(record.get(name), constants=True))}
    return bool(_OF_RUNS & record.keys() or record.get("state") in _STATES or _NOTED & noted)


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, has_alias, undecided, undated = FieldLog(options.timezone), False, 0, 0
    for found in records(source, constants=True):
        if isinstance(found, Reject):
            yield found
            continue
        kind = _kind(found.values)
        if kind == "artifact":
            is_undated = log.instants.find(_one(found.values, *_CHANGED)) is None
            for item in _artifact(log, found.values, found.locator, source.changed_at):
                is_alias = isinstance(item, Row) and item.table is alias_events
                has_alias, undated = has_alias or is_alias, undated + (is_alias and is_undated)
                yield item
        elif kind == "run" and _named(found.values):
            for item in _run(log, found.values, found.locator):
                if isinstance(item, Row) and item.table is eval_runs:
                    undecided += item.values["score"] is None
                yield item
        else:
            reason = "a run without a name" if kind else "neither an artifact nor a run"
            yield Reject(found.locator, "UNKNOWN_RECORD", reason, found.raw or "")
    if undecided:
        yield Note(f"{undecided} runs sum up to no number or to several: they have no score")
    if has_alias:
        yield Note("aliases are the present ones; where they pointed before is not recorded")
    if undated:
        yield Note(f"{undated} aliases have no instant: they are in force from {source.changed_by} "
                   "at the latest, and unknown before")  # fmt: skip
    yield from log.items()


def _one(record: Mapping[str, Any], *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def _part(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def _named(run: Mapping[str, Any]) -> str | None:
    """What inputs of a run go by: `<project>/<run>`; None where it has no name."""
    name = text(_one(run, "id", "name"))
    return "/".join(filter(None, (_project(run), name))) if name else None


def _project(record: Mapping[str, Any]) -> str | None:
    project = record.get("project")
    return text(mapping(project).get("name", project))


def _artifact(log: FieldLog, one: Mapping[str, Any], at: str, known_at: datetime) -> Iterator[Item]:
    kind = _one(one, *_TYPE)
    kind = text(mapping(kind).get("name")) if isinstance(kind, Mapping) else text(kind)
    name = (text(_one(one, *_NAME)) or "").partition(":")[0]
    full = "/".join(filter(None, (_project(one), name)))
    uri = ":".join(filter(None, ("wandb", full, text(_one(one, *_VERSION)))))
    listed = sequence(_one(one, *_USERS))
    users = [user if isinstance(user, Mapping) else {"id": user} for user in listed]
    shown: Mapping[str, Any] = one
    if kind == "model":
        yield from _model(log, one, at, full, uri, known_at)
        shown = _part(one, *_NAME, *_VERSION, *_TYPE, *_USERS, "digest")
    elif not users:
        log.leave("artifacts that are no models and that no run used")
    values = log.fill(_USED, shown) if users else {}
    for user in users:
        yield Row(artifact_inputs, at, {
            **values,
            "artifact": _named(user),
            "kind": "base_checkpoint" if kind == "model" else "train_data",
            "uri": uri,
            "pin": "pinned" if values.get("digest") else "floating",
        })  # fmt: skip


def _model(
    log: FieldLog, one: Mapping[str, Any], at: str, name: str, uri: str, known_at: datetime
) -> Iterator[Item]:
    listed = [text(mapping(a).get("alias")) if isinstance(a, Mapping) else text(a)
              for a in sequence(one.get("aliases"))]  # fmt: skip
    aliases = [alias for alias in listed if alias]
    held = _part(one, *_NAME, *_VERSION, "digest", "metadata", "state")
    yield Row(checkpoints, at, {**log.fill(_BYTES, held), "uri": uri})
    values = log.fill(_MODEL, _without(one, *_USERS))
    version, digest = text(_one(one, *_VERSION)), text(one.get("digest"))
    named = {"model": name, "version": version, "checkpoint": digest, "aliases": aliases}
    yield Row(model_versions, at, {**values, **named})
    # An alias may have been set long after its version was made.
    changed = log.instants.find(_one(one, *_CHANGED)) or known_at
    for position, alias in enumerate(aliases):
        if not _OWN_ALIAS.fullmatch(alias):
            told = log.fill(_ALIAS, _part(one, "project", *_NAME, "aliases", "digest", *_CHANGED))
            yield Row(alias_events, f"{at}/aliases/{position}", {
                **told, "alias": f"{name}:{alias}", "valid_from": changed, "source": _NOW,
            })  # fmt: skip


def _run(log: FieldLog, run: Mapping[str, Any], at: str) -> Iterator[Item]:
    artifact, held = _named(run), mapping(parsed(run.get("config"), constants=True))
    for key in held.keys() & set(_OF_CLIENT):
        log.leave(f"config.{key}")
    config = {
        key: value["value"] if isinstance(value, Mapping) and _is_setting(value) else value
        for key, value in _without(held, *_OF_CLIENT).items()
    }
    commit = text(_one(run, *_COMMIT))
    if commit:
        code = log.fill(_CODE, _part(run, *_NAMES, "repo", *_COMMIT))
        about = {"artifact": artifact, "kind": "code", "digest": commit, "pin": "pinned"}
        yield Row(artifact_inputs, f"{at}/commit", {**code, **about})
    if config:
        told = canonical.plain(config)
        digest = sha256(canonical.dumps(told).encode("utf-8", "replace")).hexdigest()
        yield Row(artifact_inputs, f"{at}/config", {
            **log.fill(_CONFIG, _part(run, *_NAMES, "config")),
            "artifact": artifact, "kind": "hyperparameters", "uri": f"{artifact}/config",
            "digest": f"sha256:{digest}", "pin": "pinned", ATTRIBUTES: told,
        })  # fmt: skip
    rest = _without(run, "config", *(("repo", *_COMMIT) if commit else ()))
    if suite := text(config.get("suite")):
        yield Row(eval_runs, at, {**_measured(log, rest, config), "suite": suite})
    else:
        log.fill(_OTHER, _without(rest, *(_NAMES if commit or config else ())))


def _is_setting(value: Mapping[str, Any]) -> bool:
    """Whether an object of a configuration is how W&B itself writes a value, and not one."""
    return "value" in value and value.keys() <= {"value", "desc"}


def _measured(log: FieldLog, run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    summary = mapping(parsed(_one(run, *_SUMMARY), constants=True))
    scores = {key: found for key, value in summary.items()
              if not key.startswith("_") and (found := number(value)) is not None}  # fmt: skip
    log.leave("values of a summary that are no score", len(summary) - len(scores))
    only = next(iter(scores)) if len(scores) == 1 else None
    named = next((name for name in ("score", "accuracy") if name in scores), only)
    values, taken = log.fill(_RUN, run), number(summary.get("_runtime"))
    log.fill(_CONFIGURED, _part(config, "suite", "checkpoint", "model", "endpoint"))
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


wandb_export = Importer(
    name="wandb_export",
    doc=__doc__ or "",
    tables=_TABLES,
    recognises=_recognises,
    read=_read,
)
