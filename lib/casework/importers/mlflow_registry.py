"""MLflow model registry in a file store, one folder a registered model.

## Reads
`mlruns/models/<name>`: `meta.yaml`, `version-<n>/meta.yaml`, `tags/<key>` of both, and
`aliases/<alias>`, whose content is a version. The `aliases` of a `meta.yaml` are not authoritative
and not used; those without a file are told. Prompts of MLflow 3, which it keeps the same way.

## Fills
| column of `model_versions` | from |
|---|---|
| `model`, `version`, `run_id` | `name`, `version`, `run_id` |
| `stage` | `current_stage`; `None` is no stage |
| `aliases` | the alias files that name the version |
| `checkpoint` | the tag `checkpoint`, else `digest`, else the logged model (`m-…`) of `model_id` \
or `source`, as traces name it; else the `source` URI, which is told; none where MLflow struck it \
out |
| `source_uri`, `created_at` | `source`, `creation_timestamp` |
| any other | the version's tag of that name; `owner`, `benchmark`, `metric` also the model's |

`checkpoints` gets a row for each checkpoint, its `uri` the source, and its other columns from
tags. `alias_events` gets one open row an alias, its `source` `mlflow registry (current only)`;
`attributes` hold model and version. `config_events` gets `prompt:<name>` for each version of a
prompt.

## Leaves out
Every other file, model files above all: nothing is unpickled, nor opened. Runs are read by
`mlflow_experiment`.

## Known limits
The registry keeps no history of aliases. `valid_from` is when the model was last updated: the file
store updates it whenever an alias is set, so the alias was in force then, and since when is not
known. An alias belongs to its model: where several models of a case have one of the same name,
`attributes` tell them apart and the name does not, and of two that are known from the same
millisecond the second is a reject. A prompt version dates from its registration, not from going
live.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casework.case import Item, Note, Reject
from casework.errors import CaseworkError
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._instants import from_ms
from casework.importers._mlflow import TABLES, Alias, Model, Version, registry_items
from casework.importers._mlflow_files import META, content, meta_keys, place_of, words
from casework.importers._shape import mapping, text
from casework.importers._source import Source
from casework.importers._yaml import parse_yaml
from casework.tables import model_versions
from casework.words import count

_VERSION = re.compile(r"version-[^/]+")
_RAW = 4_000
_MODEL_KEYS = {b"name", b"creation_timestamp", b"last_updated_timestamp"}
_OTHER_KEYS = {b"version", b"experiment_id", b"artifact_location", b"run_id"}


def _recognises(source: Source) -> bool:
    if not source.path.is_dir() or _VERSION.fullmatch(source.path.name):
        return False
    keys = meta_keys(source)
    return keys >= _MODEL_KEYS and keys.isdisjoint(_OTHER_KEYS)


@dataclass
class _Folder:
    """The files of a registered model by what they are; `other` are not opened."""

    tags: dict[str, str] = field(default_factory=dict)
    version_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    metas: dict[str, bytes] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


def _read(source: Source, options: Options) -> Iterator[Item]:
    folder = _Folder()
    for path in sorted(source.files):
        place = place_of(path, source)
        try:
            _sort_in(folder, path, place, source)
        except CaseworkError as error:
            yield Reject(place, error.code, error.what, "")
    meta = mapping(parse_yaml(folder.metas.pop(META, b""), f"{source.name}/{META}"))
    name = text(meta.get("name"))
    if name is None:
        raise CaseworkError(
            "NOT_A_REGISTERED_MODEL",
            "its meta.yaml names no model",
            "load the folder of a registered model, mlruns/models/<name>",
            where=source.name,
        )
    versions: list[Version] = []
    for place, data in folder.metas.items():
        version = _version(place, data, folder.version_tags, source)
        if isinstance(version, Reject):
            yield version
        else:
            versions.append(version)
    for place in folder.version_tags:
        if f"{place}/{META}" not in folder.metas:
            yield Reject(place, "VERSION", f"its {META} is not there", "", model_versions)
    model = Model(
        name=name,
        tags=folder.tags,
        fields=meta,
        versions=tuple(sorted(versions, key=_order)),
        aliases=tuple(folder.aliases),
        known_at=from_ms(meta.get("last_updated_timestamp")),
        known_by="the last update of the model",
    )
    log = FieldLog(options.timezone)
    yield from registry_items(model, log)
    log.leave("files that are no part of the registry", len(folder.other))
    yield from log.items()
    yield from _notes(folder, meta)


def _notes(folder: _Folder, meta: Mapping[str, Any]) -> Iterator[Note]:
    noted = set(map(str, mapping(meta.get("aliases")))) - {alias.name for alias in folder.aliases}
    if noted:
        yield Note(
            f"{META} names aliases of which there is no file, and which are not in force for "
            f"MLflow: {', '.join(sorted(noted))}; a copy of the store may lack files"
        )
    if folder.other:
        others = count(len(folder.other), "other files")
        yield Note(f"not opened: {others}, first {folder.other[0]}")


def _sort_in(folder: _Folder, path: Path, place: str, source: Source) -> None:
    """Read a file if it is a part of the registry, and put it where it belongs."""
    first, _, rest = place.partition("/")
    if place == META or (_VERSION.fullmatch(first) and rest == META):
        folder.metas[place] = content(path, source)
    elif first == "aliases" and rest:
        folder.aliases.append(Alias(place, rest, words(path, source).strip()))
    elif first == "tags" and rest:
        folder.tags[rest] = words(path, source)
    elif _VERSION.fullmatch(first) and rest.startswith("tags/"):
        tags = folder.version_tags.setdefault(first, {})
        tags[rest.removeprefix("tags/")] = words(path, source)
    else:
        folder.other.append(place)


def _version(
    place: str, data: bytes, tags: Mapping[str, Mapping[str, str]], source: Source
) -> Version | Reject:
    try:
        fields: Any = parse_yaml(data, f"{source.name}/{place}")
    except CaseworkError as error:
        raw = data[:_RAW].decode("utf-8", "replace")
        return Reject(place, error.code, error.what, raw, model_versions)
    return Version(place, mapping(fields), tags.get(place.partition("/")[0], {}))


def _order(version: Version) -> tuple[int, str]:
    label = version.label or ""
    return (int(label), "") if label.isdecimal() and len(label) < 19 else (2**63, label)


mlflow_registry = Importer(
    name="mlflow_registry",
    doc=__doc__ or "",
    tables=TABLES,
    recognises=_recognises,
    read=_read,
    of_folders=True,
)
