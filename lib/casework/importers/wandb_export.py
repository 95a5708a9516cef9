"""Weights & Biases: artifacts and runs, as JSON of the API, and files of the folder of a run.

## Reads
Objects, arrays and JSON Lines of artifacts (`type`, `digest`, `version`) and of runs (`config`,
`summary` or `summaryMetrics`), in camelCase or snake_case. Of the folder of a run that the client
keeps (`wandb/run-<time>-<id>/files`) `wandb-metadata.json` and `config.yaml`, each for itself.

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
| `wandb-metadata.json` | `artifact_inputs` of `<id>`: `code` from `git`, else the path of the \
program; `procedure` from program and arguments; `environment` and `hardware` |
| `config.yaml` | as the `config` of a run `<id>` |

## Leaves out
Histories, system metrics, files; `wandb-summary.json`, which names neither run nor suite. What the
client notes of itself in a config (`_wandb`), artifacts that are no models and that no run used,
what a run without a suite holds beside its config and commit, and who ran it where: counted.

## Known limits
Aliases of W&B have no history in these exports: `source` says so. The automatic aliases `v3` and
`latest` are no aliases of a person and make no event. The folder of a run does not name its
project.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import records
from casework.importers._shape import mapping, parsed, sequence, text
from casework.importers._source import Source
from casework.importers._wandb_files import file_items, is_file_of_run
from casework.importers._wandb_runs import (
    MADE,
    SUMMARY,
    first_of,
    name_of,
    part_of,
    project_of,
    run_items,
    without,
)
from casework.tables import (
    Table,
    alias_events,
    artifact_inputs,
    checkpoints,
    eval_runs,
    model_versions,
)
from casework.words import several

_NOW = "wandb (current only)"
_OF_RUNS = {"createdAt", "created_at", "project", "entity", "displayName"}
_STATES = ("running", "finished", "crashed", "failed", "killed", "preempted")
_NOTED = {"_runtime", "_timestamp", "_step", "_wandb"}
_OWN_ALIAS = re.compile(r"v\d+|latest")
_NAME, _VERSION = ("name", "collection"), ("version", "versionIndex")
_CHANGED = ("updatedAt", "updated_at")
_TYPE, _USERS = ("type", "artifactType", "artifact_type"), ("usedBy", "used_by")
_MODEL = Form(
    model_versions,
    of="artifact",
    columns={"created_at": MADE},
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
_TABLES: tuple[Table, ...] = (model_versions, checkpoints, alias_events, artifact_inputs, eval_runs)


def _recognises(source: Source) -> bool:
    """By the first record, and where that is a run by what any record of the head says of W&B."""
    if is_file_of_run(source):
        return True
    kind = _kind(source.first_object)
    return kind == "artifact" or (kind == "run" and any(map(_is_of_wandb, source.first_objects())))


def _kind(record: Mapping[str, Any]) -> str | None:
    keys = record.keys()
    if {"digest", "aliases"} <= keys and ({"type", "artifactType", "artifact_type"} & keys):
        return "artifact"
    summaries = [parsed(record[name], constants=True) for name in SUMMARY if name in keys]
    # in a head that is cut off within it a summary is None
    is_summary = any(one is None or isinstance(one, Mapping) for one in summaries)
    return "run" if is_summary and "config" in keys and {"name", "id", "state"} & keys else None


def _is_of_wandb(record: Mapping[str, Any]) -> bool:
    """Whether something besides a configuration and a summary speaks for W&B."""
    if (kind := _kind(record)) != "run":
        return kind is not None
    noted = {key for name in SUMMARY for key in mapping(parsed(record.get(name), constants=True))}
    return bool(_OF_RUNS & record.keys() or record.get("state") in _STATES or _NOTED & noted)


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, has_alias, undecided, undated = FieldLog(options.timezone), False, 0, 0
    if is_file_of_run(source):
        yield from file_items(source, log)
        yield from log.items()
        return
    for found in records(source, constants=True):
        if isinstance(found, Reject):
            yield found
            continue
        kind = _kind(found.values)
        if kind == "artifact":
            is_undated = log.instants.find(first_of(found.values, *_CHANGED)) is None
            for item in _artifact(log, found.values, found.locator, source.changed_at):
                is_alias = isinstance(item, Row) and item.table is alias_events
                has_alias, undated = has_alias or is_alias, undated + (is_alias and is_undated)
                yield item
        elif kind == "run" and name_of(found.values):
            for item in run_items(log, found.values, found.locator):
                if isinstance(item, Row) and item.table is eval_runs:
                    undecided += item.values["score"] is None
                yield item
        else:
            reason = "a run without a name" if kind else "neither an artifact nor a run"
            yield Reject(found.locator, "UNKNOWN_RECORD", reason, found.raw or "")
    if undecided:
        told = several(undecided, "run sums", "runs sum")
        yield Note(f"{told} up to no number or to several: no score")
    if has_alias:
        yield Note("aliases are the present ones; where they pointed before is not recorded")
    if undated:
        told = several(undated, "alias has no instant: it is", "aliases have no instant: they are")
        yield Note(f"{told} in force from {source.changed_by} at the latest, and unknown before")
    yield from log.items()


def _artifact(log: FieldLog, one: Mapping[str, Any], at: str, known_at: datetime) -> Iterator[Item]:
    kind = first_of(one, *_TYPE)
    kind = text(mapping(kind).get("name")) if isinstance(kind, Mapping) else text(kind)
    name = (text(first_of(one, *_NAME)) or "").partition(":")[0]
    full = "/".join(filter(None, (project_of(one), name)))
    uri = ":".join(filter(None, ("wandb", full, text(first_of(one, *_VERSION)))))
    listed = sequence(first_of(one, *_USERS))
    users = [user if isinstance(user, Mapping) else {"id": user} for user in listed]
    shown: Mapping[str, Any] = one
    if kind == "model":
        yield from _model(log, one, at, full, uri, known_at)
        shown = part_of(one, *_NAME, *_VERSION, *_TYPE, *_USERS, "digest")
    elif not users:
        log.leave("artifacts that are no models and that no run used")
    values = log.fill(_USED, shown) if users else {}
    for user in users:
        yield Row(artifact_inputs, at, {
            **values,
            "artifact": name_of(user),
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
    held = part_of(one, *_NAME, *_VERSION, "digest", "metadata", "state")
    yield Row(checkpoints, at, {**log.fill(_BYTES, held), "uri": uri})
    values = log.fill(_MODEL, without(one, *_USERS))
    version, digest = text(first_of(one, *_VERSION)), text(one.get("digest"))
    named = {"model": name, "version": version, "checkpoint": digest, "aliases": aliases}
    yield Row(model_versions, at, {**values, **named})
    # An alias may have been set long after its version was made.
    changed = log.instants.find(first_of(one, *_CHANGED)) or known_at
    for position, alias in enumerate(aliases):
        if not _OWN_ALIAS.fullmatch(alias):
            told = log.fill(_ALIAS, part_of(one, "project", *_NAME, "aliases", "digest", *_CHANGED))
            yield Row(alias_events, f"{at}/aliases/{position}", {
                **told, "alias": f"{name}:{alias}", "valid_from": changed, "source": _NOW,
            })  # fmt: skip


wandb_export = Importer(
    name="wandb_export",
    doc=__doc__ or "",
    tables=_TABLES,
    recognises=_recognises,
    read=_read,
)
