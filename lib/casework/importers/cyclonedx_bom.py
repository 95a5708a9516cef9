"""CycloneDX bills of materials with models in them (ML-BOM), versions 1.5 to 1.7, as JSON.

## Reads
Components of type `machine-learning-model`, in `metadata.component`, in `components` and within
other components. Several bills may come as JSON Lines or as an array.

## Fills
| column | from |
|---|---|
| `checkpoints.checkpoint` | of `hashes` the SHA-256, by which all else names it, else the \
strongest |
| `checkpoints.uri` | `purl`, else the first external reference, else group, name and version |
| `artifact_inputs` | `modelCard.modelParameters.datasets` as `train_data`, those of type \
`source-code` as `code` and of type `configuration` as `hyperparameters`; `pedigree.ancestors` as \
`base_checkpoint`; of the components that `dependencies` says a model depends on, data as above, \
models as `base_checkpoint`, software as `environment`, devices as `hardware`; pinned where they \
have hashes |
| `model_versions.model`, `version` | `group/name`, `version` |
| `model_versions.metric`, `metric_value` | the first of \
`modelCard.quantitativeAnalysis.performanceMetrics` |
| `attributes` | all else that the bill says of the model: card, properties, hashes, licences |

## Leaves out
Components of other types, counted, and what else the bill holds. A model without a version is a
reject; its hash still makes a checkpoint.

## Known limits
What a bill says of data and metrics is a claim of its author; digests alone can be checked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import Record, records
from casework.importers._shape import mapping, number, sequence, text
from casework.importers._source import Source
from casework.tables import artifact_inputs, checkpoints, model_versions
from casework.words import several

_MODEL = "machine-learning-model"
_METRICS = "modelCard.quantitativeAnalysis.performanceMetrics"
_MODEL_FORM = Form(
    model_versions,
    of="model",
    columns={"version": ("version",)},
    uses={"model": ("group", "name"), "source_uri": ("purl",)},
    left_out=("type", "bom-ref"),
)
_INPUT = Form(artifact_inputs, of="model", columns={})
_BILL = Form(artifact_inputs, of="bom", columns={})
_KINDS = {"source-code": "code", "configuration": "hyperparameters"}
_DEPENDED = {_MODEL: "base_checkpoint", "device": "hardware", **dict.fromkeys(
    ("application", "container", "framework", "library", "operating-system", "platform"),
    "environment")}  # fmt: skip
_BY_CHOICE = ("SHA-256", "SHA-512", "SHA-384", "SHA3-512", "SHA3-384", "SHA3-256", "BLAKE2b-512",
              "BLAKE2b-384", "BLAKE2b-256", "BLAKE3", "SHA-1", "MD5")  # fmt: skip


def _recognises(source: Source) -> bool:
    found = source.first_object
    # some libraries write what it is after all that is in it
    is_cut = "components" in found and found["components"] is None
    return found.get("bomFormat") == "CycloneDX" or (
        is_cut and {"bom-ref", "name", "type"} <= source.within("components").keys()
    )


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, others = FieldLog(options.timezone), 0
    for found in records(source):
        if isinstance(found, Reject):
            yield found._replace(table=model_versions)
            continue
        listed = list(_components(found.values, found.locator))
        known = {ref: one for _, one in listed if (ref := text(one.get("bom-ref")))}
        models = [(at, one) for at, one in listed if one.get("type") == _MODEL]
        others += len(listed) - len(models)
        told = {"bomFormat", "specVersion", "components", "metadata"}
        for locator, model in models:
            yield from _rows(model, locator, known, log)
            for row in _depended(model, found, known):
                log.took(_BILL, "dependencies", "kind")
                told.add("dependencies")
                yield row
        for name in found.values.keys() - told:
            log.leave(f"bom.{name}")
        for name in mapping(found.values.get("metadata")).keys() - {"component"}:
            log.leave(f"bom.metadata.{name}")
    log.leave("components that are no models", others)
    yield from log.items()
    if others:
        what = several(others, "component that is no model", "components that are no models")
        yield Note(f"left out: {what}")


def _components(holder: Mapping[str, Any], at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where each component stands that a bill or a component holds, and within those, and it."""
    listed = [(f"{at}/components/{position}", mapping(one))
              for position, one in enumerate(sequence(holder.get("components")))]  # fmt: skip
    if top := mapping(mapping(holder.get("metadata")).get("component")):
        listed.insert(0, (f"{at}/metadata/component", top))
    for locator, one in listed:
        yield locator, one
        yield from _components(one, locator)


def _rows(
    model: Mapping[str, Any],
    locator: str,
    known: Mapping[str, Mapping[str, Any]],
    log: FieldLog,
) -> Iterator[Item]:
    card = mapping(model.get("modelCard"))
    name, digest = _name(model), _digest(model)
    listed = mapping(card.get("quantitativeAnalysis")).get("performanceMetrics")
    metrics = [mapping(one) for one in sequence(listed)]
    version = {
        **log.fill(_MODEL_FORM, model),
        "model": name,
        "checkpoint": digest,
        "source_uri": _address(model),
        "metric": text(metrics[0].get("type")) if metrics else None,
        "metric_value": _value(metrics[0].get("value")) if metrics else None,
    }
    yield Row(model_versions, locator, version)  # without a version it is a reject
    if metrics:
        log.took(_MODEL_FORM, _METRICS, "metric_value")
    if digest:
        log.took(_MODEL_FORM, "hashes", "checkpoint")
        yield Row(checkpoints, locator, {"checkpoint": digest, "uri": _address(model)})
    for pointer, kind, one in _inputs(model, card, known):
        log.took(_INPUT, pointer.rpartition("/")[0].lstrip("/").replace("/", "."), "digest")
        yield _made_of(model, locator + pointer, kind, one)


def _depended(
    model: Mapping[str, Any], bill: Record, known: Mapping[str, Mapping[str, Any]]
) -> Iterator[Item]:
    """What the bill says, apart from its components, that a model depends on."""
    ref = text(model.get("bom-ref"))
    for n, one in enumerate(map(mapping, sequence(bill.values.get("dependencies")))):
        if ref is None or text(one.get("ref")) != ref:
            continue
        for m, name in enumerate(sequence(one.get("dependsOn"))):
            part = known.get(text(name) or "", {})
            kind = text(part.get("type"))
            made_of = _kind_of_data(part) if kind == "data" else _DEPENDED.get(kind or "")
            if made_of:
                at = f"{bill.locator}/dependencies/{n}/dependsOn/{m}"
                yield _made_of(model, at, made_of, part)


def _made_of(model: Mapping[str, Any], at: str, kind: str, one: Mapping[str, Any]) -> Item:
    digest = _digest(one)
    return Row(artifact_inputs, at, {
        "artifact": _digest(model) or _release(model),
        "kind": kind,
        "uri": _address(one),
        "digest": digest,
        "pin": "pinned" if digest else "floating",
    })  # fmt: skip


def _inputs(
    model: Mapping[str, Any],
    card: Mapping[str, Any],
    known: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    listed = mapping(card.get("modelParameters")).get("datasets")
    for position, one in enumerate(map(mapping, sequence(listed))):
        pointer = f"/modelCard/modelParameters/datasets/{position}"
        found = known.get(text(one.get("ref")) or "", one)
        yield pointer, _kind_of_data(found), found
    ancestors = mapping(model.get("pedigree")).get("ancestors")
    for position, one in enumerate(map(mapping, sequence(ancestors))):
        yield f"/pedigree/ancestors/{position}", "base_checkpoint", one


def _kind_of_data(data: Mapping[str, Any]) -> str:
    """What a bill says that data are; of a component of type `data` its first entry says so."""
    listed = [mapping(one) for one in sequence(data.get("data"))]
    said = [text(one.get("type")) for one in (data, *listed)]
    return _KINDS.get(next((kind for kind in said if kind and kind != "data"), ""), "train_data")


def _digest(component: Mapping[str, Any]) -> str | None:
    listed = map(mapping, sequence(component.get("hashes")))
    found = {text(one.get("alg")): text(one.get("content")) for one in listed}
    for name in _BY_CHOICE:
        if found.get(name):
            return f"{name.replace('SHA-', 'SHA').lower()}:{found[name]}"
    return None


def _address(component: Mapping[str, Any]) -> str | None:
    links = [mapping(one).get("url") for one in sequence(component.get("externalReferences"))]
    contents = mapping(component.get("contents")).get("url")
    known = (component.get("purl"), *links, contents, component.get("ref"), _release(component))
    return next((name for value in known if (name := text(value))), None)


def _release(component: Mapping[str, Any]) -> str | None:
    """Name and version, by which what has no hash is known."""
    parts = (_name(component), text(component.get("version")))
    return "@".join(filter(None, parts)) or None


def _name(component: Mapping[str, Any]) -> str | None:
    parts = (text(component.get("group")), text(component.get("name")))
    return "/".join(part for part in parts if part) or None


def _value(value: Any) -> float | None:
    """A number, or a text that is one and nothing else."""
    try:
        return number(float(value) if isinstance(value, str) else value)
    except ValueError:
        return None


cyclonedx_bom = Importer(
    name="cyclonedx_bom",
    doc=__doc__ or "",
    tables=(model_versions, checkpoints, artifact_inputs),
    recognises=_recognises,
    read=_read,
)
