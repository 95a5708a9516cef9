"""Registered models of MLflow as evidence rows, from whichever store, search or export."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._instants import from_ms
from casework.importers._mlflow_prompt import is_prompt, prompt_notes, prompt_row
from casework.importers._shape import filled, text
from casework.tables import Table, alias_events, checkpoints, config_events, model_versions
from casework.words import several

TABLES: tuple[Table, ...] = (model_versions, checkpoints, alias_events, config_events)
CURRENT_ONLY = "mlflow registry (current only)"

# Own fields that describe a model whatever its version.
_OF_MODEL = {"owner", "benchmark", "metric"}
_OF_CHECKPOINT = {column.name for column in checkpoints.columns} - {"checkpoint", "uri"}
_DELETED = "Deleted_Internal"
_STRUCK_OUT = ("REDACTED-SOURCE-PATH", "REDACTED-RUN-ID", "REDACTED-RUN-LINK")
# The id of a logged model, whose files never change; traces name it in `mlflow.modelId`.
_LOGGED_MODEL = re.compile(r"(?:^models:/|/)(m-[0-9a-f]{32})(?:/|$)")
_READABLE = ("_creation_timestamp", "_last_updated_timestamp")
_VERSION = Form(
    model_versions,
    of="version",
    columns={
        "model": ("name",),
        "version": ("version",),
        "run_id": ("run_id",),
        "source_uri": ("source",),
    },
    uses={
        "checkpoint": ("tags.checkpoint", "model_id"),
        "stage": ("current_stage",),
        "aliases": ("aliases",),
        "created_at": ("creation_timestamp",),
    },
    own=("tags",),
    left_out=_READABLE,
)
_CHECKPOINT = Form(checkpoints, of="version", columns={"uri": ("source",)}, own=("tags",))
_ALIAS = Form(alias_events, of="alias", columns={})


@dataclass(frozen=True, slots=True)
class Version:
    """One version as the registry describes it; `fields` under the names of MLflow."""

    locator: str
    fields: Mapping[str, Any]
    tags: Mapping[str, Any]

    @property
    def label(self) -> str | None:
        """The version, as text."""
        return text(self.fields.get("version"))

    @property
    def known(self) -> dict[str, Any]:
        """The fields, without those that MLflow struck out as it deleted the version."""
        return {name: value for name, value in self.fields.items() if value not in _STRUCK_OUT}

    @property
    def checkpoint(self) -> tuple[str, str] | None:
        """Its digest, else its logged model, else its source, behind the field that says so."""
        tags = {f"tags.{name}": self.tags.get(name) for name in ("checkpoint", "digest")}
        source = text(self.known.get("source"))
        logged = _LOGGED_MODEL.search(source or "")
        said = {
            **tags, "model_id": self.known.get("model_id"),
            "source": logged.group(1) if logged else source,
        }  # fmt: skip
        return next(((name, found) for name, value in said.items() if (found := text(value))), None)

    @property
    def has_no_digest(self) -> bool:
        """Whether nothing but where its files lay says what it is."""
        return self.checkpoint == ("source", text(self.known.get("source")))


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias and the version it points at."""

    locator: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model, or a prompt, which MLflow keeps in the same way.

    `known_at` is the earliest instant at which the aliases are known to have pointed where they
    do, and `known_by` says how; a registry keeps no history of them. `lists_aliases` is false
    where the source would not show an alias that there is. `lost_aliases` are versions by alias
    that an import did not carry over.
    """

    name: str
    tags: Mapping[str, Any]
    fields: Mapping[str, Any]
    versions: tuple[Version, ...]
    aliases: tuple[Alias, ...]
    known_at: datetime | None
    known_by: str
    lists_aliases: bool = True
    lost_aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_prompt(self) -> bool:
        """Whether MLflow marks it as a prompt."""
        return is_prompt(self.tags)


def registries_items(models: Iterable[Model], log: FieldLog) -> Iterator[Item]:
    """Yield the rows of several models of one source; what they share goes by `model@alias`."""
    listed = list(models)
    bearers = Counter(
        name
        for model in listed
        if not model.is_prompt
        for name in {alias.name for alias in model.aliases}
    )
    shared = frozenset(name for name, count in bearers.items() if count > 1)
    for model in listed:
        yield from registry_items(model, log, shared)


def registry_items(
    model: Model, log: FieldLog, shared: frozenset[str] = frozenset()
) -> Iterator[Item]:
    """Yield the rows of a registered model or prompt, and what a reader should know of them.

    Args:
        model: the model.
        log: takes note of the fields.
        shared: aliases that other models of the source bear too.
    """
    named = _named(model)
    if model.is_prompt:
        for version in model.versions:
            aliases = named.get(version.label, [])
            yield prompt_row(
                log, model.name, version.fields, version.tags, aliases, version.locator
            )
        yield from prompt_notes(len(model.versions))
        return
    served: dict[str, str] = {}
    stand_ins = 0
    for version in model.versions:
        _, checkpoint = version.checkpoint or ("", "")
        stand_ins += version.has_no_digest
        served.setdefault(version.label or "", checkpoint)
        yield from _version_rows(model, version, named, log)
    for alias in model.aliases:
        yield _alias_row(model, alias, served, log, shared)
    yield from _notes(model, stand_ins)
    common = sorted(alias.name for alias in model.aliases if alias.name in shared)
    if common:
        yield Note(f"aliases that several models bear go by model@alias: {', '.join(common)}")
    if not model.versions:
        log.leave("registered models without versions")


def _version_rows(
    model: Model, version: Version, named: Mapping[str | None, list[str]], log: FieldLog
) -> Iterator[Item]:
    if version.label is None:
        raw = canonical.dumps(version.fields)
        yield Reject(version.locator, "VERSION", "it has no version", raw, model_versions)
        return
    came, checkpoint = version.checkpoint or ("", None)
    of_checkpoint = {k: v for k, v in version.tags.items() if k in _OF_CHECKPOINT and checkpoint}
    tags = {key: value for key, value in version.tags.items() if key not in of_checkpoint}
    stage = text(version.fields.get("current_stage"))
    lost = bool(model.lost_aliases) and version.label in named
    values = log.fill(_VERSION, _record(model, version, tags, lost=lost))
    row = {
        **values,
        "model": model.name or None,
        "checkpoint": checkpoint,
        "stage": None if stage == "None" else stage,
        "aliases": named.get(version.label, [] if model.lists_aliases else None),
        "created_at": from_ms(version.fields.get("creation_timestamp")),
    }
    yield Row(model_versions, version.locator, row)
    if checkpoint:
        log.took(_VERSION, came, "checkpoint")
        source = {"source": version.known.get("source"), "tags": of_checkpoint}
        where = {**log.fill(_CHECKPOINT, source), "checkpoint": checkpoint}
        yield Row(checkpoints, version.locator, where)


def _record(
    model: Model, version: Version, tags: Mapping[str, Any], *, lost: bool
) -> dict[str, Any]:
    """A version with what its model adds, as a form reads it."""
    inherited = {key: value for key, value in model.tags.items() if key in _OF_MODEL}
    hidden = ("aliases", "last_updated_timestamp", "latest_versions", "versions")
    of_model = {key: value for key, value in model.fields.items() if key not in hidden}
    return {
        **{key: value for key, value in version.known.items() if key != "last_updated_timestamp"},
        "name": model.name,
        "last_updated_at": from_ms(version.fields.get("last_updated_timestamp")),
        "tags": {**inherited, **tags},
        "registered_model": filled({
            **{k: v for k, v in of_model.items() if k not in ("name", *_READABLE)},
            "tags": dict(model.tags),
        }),
        "aliases_from": "the registry that the model was imported from" if lost else None,
    }  # fmt: skip


def _named(model: Model) -> dict[str | None, list[str]]:
    """The aliases of each version that has some: those in force, or those that were lost."""
    found: dict[str | None, set[str]] = defaultdict(set)
    for name, label in (*((one.name, one.version) for one in model.aliases),
                        *model.lost_aliases.items()):  # fmt: skip
        found[label].add(name)
    return {label: sorted(names) for label, names in found.items()}


def _alias_row(
    model: Model, alias: Alias, served: Mapping[str, str], log: FieldLog, shared: frozenset[str]
) -> Item:
    raw = canonical.dumps({"alias": alias.name, "version": alias.version})
    if alias.version not in served:
        reason = f"{alias.name!r} points at version {alias.version!r}, which is not here"
        return Reject(alias.locator, "ALIAS_VERSION", reason, raw, alias_events)
    if not served[alias.version]:
        reason = f"version {alias.version} of {alias.name!r} has neither digest nor source"
        return Reject(alias.locator, "ALIAS_CHECKPOINT", reason, raw, alias_events)
    if model.known_at is None:
        reason = f"no instant says when {alias.name!r} pointed at version {alias.version}"
        return Reject(alias.locator, "ALIAS_TIME", reason, raw, alias_events)
    log.took(_ALIAS, "alias", "alias")
    log.took(_ALIAS, "version", "checkpoint")
    values = {
        "alias": f"{model.name}@{alias.name}" if alias.name in shared else alias.name,
        "checkpoint": served[alias.version],
        "valid_from": model.known_at,
        "source": CURRENT_ONLY,
        "attributes": {
            "model": model.name,
            "version": alias.version,
            "uri": f"models:/{model.name}@{alias.name}",
            "known_by": model.known_by,
        },
    }
    return Row(alias_events, alias.locator, values)


def _notes(model: Model, stand_ins: int) -> Iterator[Note]:
    if stand_ins:
        told = several(stand_ins, "version records", "versions record")
        yield Note(f"{told} no digest: the source URI stands in for one")
    if deleted := sum(one.fields.get("current_stage") == _DELETED for one in model.versions):
        one = f"version of {model.name!r} was deleted; MLflow keeps its number"
        more = f"versions of {model.name!r} were deleted; MLflow keeps their numbers"
        yield Note(several(deleted, one, more))
    if model.aliases:
        yield Note(
            f"aliases are the present ones of {model.name!r}, in force from {model.known_by} at "
            "the latest and unknown before"
        )
    if model.lost_aliases:
        yield Note(
            "the aliases were lost when the model was imported; versions show those of the "
            "registry it came from, and no alias is in force here"
        )
    if not model.versions:
        yield Note("a registered model without versions: it holds no evidence rows")
