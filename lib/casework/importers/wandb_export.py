"""Weights & Biases: artifacts and runs, as JSON of the API.

## Reads
Objects, arrays and JSON Lines of artifacts (`type`, `digest`, `version`) and of runs (`config`,
`summary` or `summaryMetrics`), in camelCase or snake_case.

## Fills
| source | row |
|---|---|
| artifact of type `model` | `checkpoints` with its `digest`; `model_versions` with name, version \
and aliases |
| its aliases | `alias_events` `<name>:<alias>` from `updatedAt` on, present ones only |
| other artifacts that a run used | `artifact_inputs` of `<project>/<run>` |
| run with a `suite` in its config | `eval_runs`: suite, start, score from `summary` |
| run | `artifact_inputs`: `code` from `commit`, `hyperparameters` from `config` |

## Leaves out
Histories, system metrics, files.

## Known limits
Aliases of W&B have no history in these exports: `source` says so. The automatic aliases `v3` and
`latest` are no aliases of a person and make no event.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._instants import later
from casework.importers._records import records
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.importers._source import Source
from casework.tables import (
    Table,
    alias_events,
    artifact_inputs,
    checkpoints,
    eval_runs,
    model_versions,
)

_NOW = "wandb (current only)"
_OWN_ALIAS = re.compile(r"v\d+|latest")
_TABLES: tuple[Table, ...] = (model_versions, checkpoints, alias_events, artifact_inputs, eval_runs)


def _recognises(source: Source) -> bool:
    return _kind(source.first_object) is not None


def _kind(record: Mapping[str, Any]) -> str | None:
    keys = record.keys()
    if {"digest", "aliases"} <= keys and ({"type", "artifactType", "artifact_type"} & keys):
        return "artifact"
    summary = {"summary", "summaryMetrics", "summary_metrics"} & keys
    return "run" if summary and "config" in keys and {"name", "id", "state"} & keys else None


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, has_alias = FieldLog(options.timezone), False
    for found in records(source, constants=True):
        if isinstance(found, Reject):
            yield found
            continue
        kind = _kind(found.values)
        if kind == "artifact":
            for item in _artifact(log, found.values, found.locator):
                has_alias |= isinstance(item, Row) and item.table is alias_events
                yield item
        elif kind == "run":
            yield from _run(log, found.values, found.locator)
        else:
            reason = "neither an artifact nor a run"
            yield Reject(found.locator, "UNKNOWN_RECORD", reason, found.raw or "")
    if has_alias:
        yield Note("aliases are the present ones; where they pointed before is not recorded")
    yield from log.items()


def _one(record: Mapping[str, Any], *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def _artifact(log: FieldLog, one: Mapping[str, Any], at: str) -> Iterator[Item]:
    kind = _one(one, "type", "artifactType", "artifact_type")
    kind = text(mapping(kind).get("name")) if isinstance(kind, Mapping) else text(kind)
    name = (text(_one(one, "name", "collection")) or "").partition(":")[0]
    digest, version = text(one.get("digest")), text(_one(one, "version", "versionIndex"))
    listed = [text(mapping(a).get("alias")) if isinstance(a, Mapping) else text(a)
              for a in sequence(one.get("aliases"))]  # fmt: skip
    aliases = [alias for alias in listed if alias]
    made = log.instants.find(_one(one, "createdAt", "created_at"))
    changed = log.instants.find(_one(one, "updatedAt", "updated_at")) or made
    about = canonical.plain(filled({"metadata": one.get("metadata"), "state": one.get("state")}))
    if kind == "model":
        where = {"checkpoint": digest, "uri": f"wandb:{name}:{version}", "attributes": about}
        yield Row(checkpoints, at, where)
        yield Row(model_versions, at, {"model": name, "version": version, "checkpoint": digest,
                                       "aliases": aliases, "created_at": made,
                                       "attributes": about})  # fmt: skip
        for position, alias in enumerate(aliases):
            if not _OWN_ALIAS.fullmatch(alias):
                yield Row(alias_events, f"{at}/aliases/{position}", {
                    "alias": f"{name}:{alias}", "checkpoint": digest, "valid_from": changed,
                    "source": _NOW,
                })  # fmt: skip
    for user in map(mapping, sequence(_one(one, "usedBy", "used_by"))):
        yield Row(artifact_inputs, at, {
            "artifact": text(_one(user, "name", "id")),
            "kind": "base_checkpoint" if kind == "model" else "train_data",
            "uri": f"wandb:{name}:{version}", "digest": digest,
            "pin": "pinned" if digest else "floating",
        })  # fmt: skip


def _run(log: FieldLog, run: Mapping[str, Any], at: str) -> Iterator[Item]:
    project, name = text(run.get("project")), text(_one(run, "id", "name"))
    artifact = "/".join(part for part in (project, name) if part)
    config = {key: mapping(value).get("value", value) if isinstance(value, Mapping) else value
              for key, value in mapping(run.get("config")).items()}  # fmt: skip
    if commit := text(_one(run, "commit", "gitCommit")):
        code = {"kind": "code", "uri": text(run.get("repo")), "digest": commit, "pin": "pinned"}
        yield Row(artifact_inputs, f"{at}/commit", {"artifact": artifact, **code})
    if config:
        told = canonical.plain(config)
        digest = sha256(canonical.dumps(told).encode("utf-8", "replace")).hexdigest()
        yield Row(artifact_inputs, f"{at}/config", {
            "artifact": artifact, "kind": "hyperparameters", "uri": f"{artifact}/config",
            "digest": f"sha256:{digest}", "pin": "pinned", "attributes": told,
        })  # fmt: skip
    suite = text(config.get("suite"))
    if suite:
        yield Row(eval_runs, at, {"run_id": name, "suite": suite, **_measured(log, run, config)})


def _measured(log: FieldLog, run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    summary = mapping(_one(run, "summary", "summaryMetrics", "summary_metrics"))
    scores = {key: found for key, value in summary.items()
              if not key.startswith("_") and (found := number(value)) is not None}  # fmt: skip
    named = next(
        (name for name in ("score", "accuracy") if name in scores), next(iter(scores), None)
    )
    began = log.instants.find(_one(run, "createdAt", "created_at"))
    taken = number(summary.get("_runtime"))
    finished = text(run.get("state")) == "finished"
    return {
        "started_at": began,
        "ended_at": later(began, taken) if finished else None,
        "endpoint": text(config.get("model")) or text(config.get("endpoint")),
        "checkpoint": text(config.get("checkpoint")),
        "harness": "wandb",
        "score": scores[named] if named else None,
        "attributes": filled({"score_from": named, "summary": scores, "state": run.get("state")}),
    }


wandb_export = Importer(
    name="wandb_export",
    doc=__doc__ or "",
    tables=_TABLES,
    recognises=_recognises,
    read=_read,
)
