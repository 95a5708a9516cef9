"""Registered models and prompts of MLflow as evidence rows, from whichever store or export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._instants import Instants, from_ms
from casework.importers._own_fields import OwnFields
from casework.importers._shape import filled, text
from casework.tables import Table, alias_events, checkpoints, config_events, model_versions

TABLES: tuple[Table, ...] = (model_versions, checkpoints, alias_events, config_events)
CURRENT_ONLY = "mlflow registry (current only)"
REGISTERED_ONLY = "mlflow prompt registry (registered, not deployed)"

_NATIVE = {"model", "version", "stage", "aliases", "run_id", "source_uri", "created_at"}
_NATIVE_OF_CHECKPOINT = {"checkpoint", "uri"}
# Own fields that describe a model whatever its version.
_OF_MODEL = {"owner", "benchmark", "metric"}
_DIGEST = "digest"
_IS_PROMPT = "mlflow.prompt.is_prompt"
_TEMPLATE = "mlflow.prompt.text"
_TAKEN = {
    "name", "version", "creation_timestamp", "_creation_timestamp", "current_stage", "run_id",
    "source", "tags", "aliases", "last_updated_timestamp", "_last_updated_timestamp",
}  # fmt: skip


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
    do, and `known_by` says how; a registry keeps no history of them. `lost_aliases` are versions
    by alias that an import did not carry over.
    """

    name: str
    tags: Mapping[str, Any]
    fields: Mapping[str, Any]
    versions: tuple[Version, ...]
    aliases: tuple[Alias, ...]
    known_at: datetime | None
    known_by: str
    lost_aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_prompt(self) -> bool:
        """Whether MLflow marks it as a prompt."""
        return self.tags.get(_IS_PROMPT) == "true"


def registry_items(model: Model, timezone: str | None) -> Iterator[Item]:
    """Yield the rows of a registered model or prompt, and what a reader should know of them."""
    own = OwnFields(Instants(timezone))
    if model.is_prompt:
        for version in model.versions:
            yield prompt_row(model.name, _prompt_fields(model, version), version.locator)
        yield from prompt_notes(len(model.versions))
        return
    served: dict[str, str] = {}
    stand_ins = 0
    for version in model.versions:
        digest = text(version.tags.get("checkpoint")) or text(version.tags.get(_DIGEST))
        source = text(version.fields.get("source"))
        stand_ins += digest is None and source is not None
        served[version.label or ""] = digest or source or ""
        yield from _version_rows(model, version, digest or source, own)
    for alias in model.aliases:
        yield _alias_row(model, alias, served)
    yield from _notes(model, stand_ins)
    yield from own.instants.notes()
    yield from own.notes()


def prompt_row(name: str, prompt: Mapping[str, Any], locator: str) -> Item:
    """Build the configuration event of a registered prompt version."""
    template = prompt.get("template")
    hashed = sha256(template.encode()).hexdigest() if isinstance(template, str) else None
    attributes = {
        "template": template,
        "template_sha256": hashed,
        **{
            key: prompt.get(key)
            for key in ("description", "commit_message", "variables", "aliases", "uri", "tags")
        },
    }
    values = {
        "occurred_at": from_ms(prompt.get("creation_timestamp")),
        "key": f"prompt:{name}",
        "new_value": text(prompt.get("version")),
        "actor": text(prompt.get("user_id")),
        "source": REGISTERED_ONLY,
        "attributes": canonical.plain(filled(attributes)),
    }
    return Row(config_events, locator, values)


def prompt_notes(count: int) -> Iterator[Note]:
    """Say what a registered prompt is evidence of."""
    if count:
        yield Note("prompt versions date from their registration; when one went live is not known")


def _prompt_fields(model: Model, version: Version) -> dict[str, Any]:
    aliases = [alias.name for alias in model.aliases if alias.version == version.label]
    tags = {key: value for key, value in version.tags.items() if key not in (_TEMPLATE, _IS_PROMPT)}
    return {
        **version.fields,
        "template": version.tags.get(_TEMPLATE),
        "aliases": sorted(aliases),
        "tags": tags,
    }


def _version_rows(
    model: Model, version: Version, checkpoint: str | None, own: OwnFields
) -> Iterator[Item]:
    if version.label is None:
        raw = canonical.dumps(version.fields)
        yield Reject(version.locator, "VERSION", "it has no version", raw, model_versions)
        return
    inherited = {key: value for key, value in model.tags.items() if key in _OF_MODEL}
    values, rest = own.take(model_versions, {**inherited, **version.tags}, _NATIVE)
    kept, rest = own.take(checkpoints, rest, _NATIVE_OF_CHECKPOINT)
    source, stage = text(version.fields.get("source")), text(version.fields.get("current_stage"))
    lost = sorted(a for a, label in model.lost_aliases.items() if label == version.label)
    named = sorted(alias.name for alias in model.aliases if alias.version == version.label)
    row = {
        **values,
        "model": model.name,
        "version": version.label,
        "checkpoint": checkpoint,
        "stage": None if stage == "None" else stage,
        "aliases": named or lost,
        "run_id": text(version.fields.get("run_id")),
        "source_uri": source,
        "created_at": from_ms(version.fields.get("creation_timestamp")),
        "attributes": _attributes(model, version, rest, lost),
    }
    yield Row(model_versions, version.locator, row)
    if checkpoint:
        where = {"checkpoint": checkpoint, "uri": source}
        yield Row(checkpoints, version.locator, {**kept, **where})


def _attributes(
    model: Model, version: Version, tags: Mapping[str, Any], lost: list[str]
) -> dict[str, Any]:
    of_model = {key: value for key, value in model.fields.items() if key not in _TAKEN}
    found = {
        **{key: value for key, value in version.fields.items() if key not in _TAKEN},
        "last_updated_at": from_ms(version.fields.get("last_updated_timestamp")),
        "tags": filled(tags),
        "registered_model": filled({**of_model, "tags": dict(model.tags)}),
        "aliases_from": "the registry that the model was imported from" if lost else None,
    }
    return dict(canonical.plain(filled(found)))


def _alias_row(model: Model, alias: Alias, served: Mapping[str, str]) -> Item:
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
    values = {
        "alias": alias.name,
        "checkpoint": served[alias.version],
        "valid_from": model.known_at,
        "source": CURRENT_ONLY,
        "attributes": {
            "model": model.name,
            "version": alias.version,
            "uri": f"models:/{model.name}@{alias.name}",
        },
    }
    return Row(alias_events, alias.locator, values)


def _notes(model: Model, stand_ins: int) -> Iterator[Note]:
    if stand_ins:
        yield Note(f"{stand_ins} versions record no digest: their source URI stands in for one")
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
