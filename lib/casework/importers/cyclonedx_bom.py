"""CycloneDX bills of materials with models in them (ML-BOM), versions 1.5 to 1.7, as JSON.

## Reads
Components of type `machine-learning-model`, in `metadata.component` and in `components`.

## Fills
| column | from |
|---|---|
| `checkpoints.checkpoint` | the strongest of `hashes` |
| `checkpoints.uri` | `purl`, else the first external reference, else group, name and version |
| `artifact_inputs` | `modelCard.modelParameters.datasets` as `train_data`, `pedigree.ancestors` \
as `base_checkpoint`, pinned where they have hashes |
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

from casework.case import Item, Note, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import read_document
from casework.importers._shape import mapping, number, sequence, text
from casework.importers._source import Source
from casework.tables import artifact_inputs, checkpoints, model_versions

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
_STRENGTH = ("SHA-512", "SHA-384", "SHA-256", "BLAKE3", "SHA-1", "MD5")


def _recognises(source: Source) -> bool:
    return source.first_object.get("bomFormat") == "CycloneDX"


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    bom = mapping(read_document(source).value())
    top = mapping(mapping(bom.get("metadata")).get("component"))
    listed = [("/metadata/component", top)] if top else []
    listed += [(f"/components/{n}", mapping(one)) for n, one in
               enumerate(sequence(bom.get("components")))]  # fmt: skip
    data = {text(one.get("bom-ref")): one for _, one in listed if one.get("type") == "data"}
    models = [(at, one) for at, one in listed if one.get("type") == _MODEL]
    for locator, model in models:
        yield from _rows(model, locator, data, log)
    for name in bom:
        if name not in ("bomFormat", "specVersion", "components", "metadata"):
            log.leave(f"bom.{name}")
    others = len(listed) - len(models)
    log.leave("components that are no models", others)
    yield from log.items()
    if others:
        yield Note(f"left out: {others} components that are no models")


def _rows(
    model: Mapping[str, Any],
    locator: str,
    data: Mapping[str | None, Mapping[str, Any]],
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
    artifact = digest or "@".join(filter(None, (name, text(model.get("version")))))
    for pointer, kind, one in _inputs(model, card, data):
        made_of = _digest(one)
        log.took(_INPUT, pointer.rpartition("/")[0].lstrip("/").replace("/", "."), "digest")
        values = {
            "artifact": artifact,
            "kind": kind,
            "uri": _address(one),
            "digest": made_of,
            "pin": "pinned" if made_of else "floating",
        }
        yield Row(artifact_inputs, locator + pointer, values)


def _inputs(
    model: Mapping[str, Any],
    card: Mapping[str, Any],
    data: Mapping[str | None, Mapping[str, Any]],
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    listed = mapping(card.get("modelParameters")).get("datasets")
    for position, one in enumerate(map(mapping, sequence(listed))):
        found = data.get(text(one.get("ref"))) if "ref" in one else one
        pointer = f"/modelCard/modelParameters/datasets/{position}"
        yield pointer, "train_data", found or one
    ancestors = mapping(model.get("pedigree")).get("ancestors")
    for position, one in enumerate(map(mapping, sequence(ancestors))):
        yield f"/pedigree/ancestors/{position}", "base_checkpoint", one


def _digest(component: Mapping[str, Any]) -> str | None:
    listed = map(mapping, sequence(component.get("hashes")))
    found = {text(one.get("alg")): text(one.get("content")) for one in listed}
    for name in _STRENGTH:
        if found.get(name):
            return f"{name.replace('-', '').lower()}:{found[name]}"
    return None


def _address(component: Mapping[str, Any]) -> str | None:
    links = [mapping(one).get("url") for one in sequence(component.get("externalReferences"))]
    contents = mapping(component.get("contents")).get("url")
    known = (component.get("purl"), *links, contents, component.get("ref"), _name(component))
    return next((name for value in known if (name := text(value))), None)


def _name(component: Mapping[str, Any]) -> str | None:
    parts = (text(component.get("group")), text(component.get("name")))
    return "/".join(part for part in parts if part) or None


def _value(value: Any) -> float | None:
    try:
        return number(float(value))
    except (TypeError, ValueError):
        return None


cyclonedx_bom = Importer(
    name="cyclonedx_bom",
    doc=__doc__ or "",
    tables=(model_versions, checkpoints, artifact_inputs),
    recognises=_recognises,
    read=_read,
)
