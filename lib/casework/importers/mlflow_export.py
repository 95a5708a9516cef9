"""MLflow exports of mlflow-export-import, one JSON file a model, version, prompt, run or summary.

## Reads
`model.json`, `version.json`, `prompt.json` and `run.json`. The other files of an export
(`experiment.json`, `logged_models.json`, `evaluation_dataset.json`, manifests and summaries) are
recognised and hold no evidence rows.

## Fills
As `mlflow_registry` does, from `mlflow.registered_model` and its `versions`, or `latest_versions`
in older exports, or from `mlflow.model_version`, a version for itself. `aliases` come from the
model, a list or an object, since its versions list none; a version for itself lists its own.
A prompt becomes a `config_events` row `prompt:<name>` whose `new_value` is its version.
A run gives `artifact_inputs` and `eval_runs` as in `mlflow_database`.

## Leaves out
Histories of metrics; records of evaluation datasets; permissions.

## Known limits
The registry keeps no history of aliases. `valid_from` is the time of the export, the only instant
at which they are known to have been in force: a database store does not date them. Aliases of the
same name, of several models, are told apart by `attributes` only, and of two that were exported in
the same second the second is a reject. Where a model had been imported before, its aliases were
lost; the tag `mlflow_exim.field.aliases` keeps those of the registry it came from, which
`model_versions.aliases` then shows, and `alias_events` does not. Versions that the export could
not write are rejects.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject
from casework.errors import CaseworkError
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._instants import from_ms
from casework.importers._json_document import first_entries
from casework.importers._mlflow import TABLES, Alias, Model, Version, registry_items
from casework.importers._mlflow_entries import run_of, tags_of
from casework.importers._mlflow_prompt import prompt_notes, prompt_row
from casework.importers._mlflow_runs import TABLES as OF_RUNS
from casework.importers._mlflow_runs import Runs
from casework.importers._records import read_document
from casework.importers._shape import mapping, sequence, text
from casework.importers._source import Source
from casework.tables import model_versions

_MODEL, _VERSION = "/mlflow/registered_model", "/mlflow/model_version"
_COPY = "mlflow_exim.field."
# The tag is the text of a Python list, written by `str`. Only what the exporter writes is read:
# alias names are letters, digits, `_` and `-`, versions are digits.
_COPIED = re.compile(r"\{'alias': '([\w-]+)', 'version': '(\d+)'\}")
_COPIED_LIST = re.compile(rf"\[(?:{_COPIED.pattern}(?:, (?=\{{)|(?=\])))*\]")


def _recognises(source: Source) -> bool:
    system = mapping(first_entries(source.head()).get("system"))
    return {"mlflow_version", "export_time"} <= system.keys()


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    yield from _items(mapping(read_document(source).value()), source, log)
    yield from log.items()


def _items(export: Mapping[str, Any], source: Source, log: FieldLog) -> Iterator[Item]:
    held = mapping(export.get("mlflow"))
    info = mapping(export.get("info"))
    if "registered_model" in held:
        yield from _model_items(export, source, log)
    elif "model_version" in held:
        yield from registry_items(_version(_named(held["model_version"], source), export), log)
    elif "prompt" in held:
        prompt = _named(held["prompt"], source)
        tags = tags_of(prompt.get("tags"))
        aliases = [alias for alias in map(text, sequence(prompt.get("aliases"))) if alias]
        yield prompt_row(log, str(prompt["name"]), prompt, tags, aliases, "/mlflow/prompt")
        yield from prompt_notes(1)
    elif "info" in held and "run_id" in mapping(held["info"]):
        yield from _run_items(held, log)
    else:
        what = ", ".join(sorted(held)) or "a summary of the export"
        log.leave(f"export of {what}")
        yield Note(f"recognised, holds no evidence rows: {what}")
    for position, failed in enumerate(sequence(info.get("failed_versions"))):
        reason = f"the export could not write version {text(mapping(failed).get('version'))}"
        locator, raw = f"/info/failed_versions/{position}", canonical.dumps(failed)
        yield Reject(locator, "NOT_EXPORTED", reason, raw, model_versions)


def _model_items(export: Mapping[str, Any], source: Source, log: FieldLog) -> Iterator[Item]:
    registered = _named(mapping(export["mlflow"])["registered_model"], source)
    listed = "versions" if "versions" in registered else "latest_versions"
    if listed in registered and listed == "latest_versions":
        yield Note("the export holds the latest version of each stage only")
    versions = tuple(
        Version(f"{_MODEL}/{listed}/{n}", mapping(entry), tags_of(mapping(entry).get("tags")))
        for n, entry in enumerate(sequence(registered.get(listed)))
    )
    tags = tags_of(registered.get("tags"))
    aliases = tuple(_aliases(registered))
    model = Model(
        name=str(registered["name"]),
        tags=tags,
        fields={k: v for k, v in registered.items() if k not in ("versions", "latest_versions")},
        versions=versions,
        aliases=aliases,
        known_at=_exported_at(export),
        known_by="the export",
        lost_aliases={} if aliases else _lost_aliases(tags, versions),
    )
    copied = text(tags.get(f"{_COPY}aliases"))
    if copied and not _COPIED_LIST.fullmatch(copied):
        pointer = f"{_MODEL}/tags"
        yield Reject(pointer, "ALIASES_TAG", "not a list of aliases as the tool writes it", copied)
    yield from registry_items(model, log)


def _version(fields: Mapping[str, Any], export: Mapping[str, Any]) -> Model:
    """A version that was exported for itself, as the only one of its model."""
    version = Version(_VERSION, fields, tags_of(fields.get("tags")))
    named = enumerate(map(text, sequence(fields.get("aliases"))))
    return Model(
        name=str(fields["name"]),
        tags={},
        fields={},
        versions=(version,),
        aliases=tuple(
            Alias(f"{_VERSION}/aliases/{position}", name, version.label or "")
            for position, name in named
            if name
        ),
        known_at=_exported_at(export),
        known_by="the export",
    )


def _exported_at(export: Mapping[str, Any]) -> datetime | None:
    seconds = mapping(export.get("system")).get("export_time")
    return from_ms(seconds * 1000) if isinstance(seconds, int | float) else None


def _run_items(held: Mapping[str, Any], log: FieldLog) -> Iterator[Item]:
    runs = Runs(log)
    yield from runs.rows(run_of("/mlflow", held["info"], held, held.get("inputs")))
    yield from runs.notes()


def _named(value: Any, source: Source) -> dict[str, Any]:
    found = dict(mapping(value))
    name = text(found.get("name"))
    if name is None:
        raise CaseworkError(
            "NOT_AN_EXPORT", "what it exports has no name", "export it again", where=source.name
        )
    return {**found, "name": name}


def _aliases(registered: Mapping[str, Any]) -> Iterator[Alias]:
    value = registered.get("aliases")
    at = f"{_MODEL}/aliases"
    if isinstance(value, Mapping):
        for name, version in sorted(value.items()):
            yield Alias(f"{at}/{name}", name, text(version) or "")
    for position, entry in enumerate(map(mapping, sequence(value))):
        name, version = text(entry.get("alias")) or "", text(entry.get("version")) or ""
        yield Alias(f"{at}/{position}", name, version)


def _lost_aliases(tags: Mapping[str, Any], versions: tuple[Version, ...]) -> dict[str, str]:
    """Aliases of the registry that the model was imported from, by the versions of this one."""
    copied = text(tags.get(f"{_COPY}aliases")) or ""
    if not _COPIED_LIST.fullmatch(copied):
        return {}
    here = {text(version.tags.get(f"{_COPY}version")): version.label for version in versions}
    found = {name: here.get(version) for name, version in _COPIED.findall(copied)}
    return {name: label for name, label in found.items() if label is not None}


mlflow_export = Importer(
    name="mlflow_export",
    doc=__doc__ or "",
    tables=(*TABLES, *OF_RUNS),
    recognises=_recognises,
    read=_read,
)
