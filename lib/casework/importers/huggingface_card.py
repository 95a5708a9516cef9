"""Model cards of Hugging Face (`README.md` with YAML front matter).

## Reads
The front matter of a model card: `model-index`, `base_model`, `datasets`. Text below it is not
read.

## Fills
| column | from |
|---|---|
| `model_versions.model` | `name` of the entry in `model-index`, else the folder |
| `model_versions.version` | `card` |
| `benchmark`, `metric`, `metric_value` | the first result and its first metric; all results stand \
in `attributes` |
| `review_words` | words of the card below the front matter |
| `artifact_inputs` | `base_model` as `base_checkpoint`, `datasets` as `train_data`, data sets of \
results as `eval_data`, pinned where the card names a commit, else floating: a branch moves |

## Leaves out
The text below the front matter, counted in words. Widgets, pipeline tags and other settings of the
site are kept in `attributes`.

## Known limits
A card has no date and names no digest of the weights. What it says of results is a claim. Models
of one card beyond the hundredth are rejects.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.importers._yaml import MAX_BYTES, parse_yaml
from casework.tables import ATTRIBUTES, artifact_inputs, model_versions

_CARD = Form(model_versions, of="card", columns={})
_MADE_OF = Form(artifact_inputs, of="card", columns={}, uses={"uri": ("base_model", "datasets")})
_MODEL = Form(model_versions, of="model-index", columns={"model": ("name",)})
_RESULT = Form(model_versions, of="result", columns={"benchmark": ("dataset.name",)})
_METRIC = Form(
    model_versions,
    of="metric",
    columns={"metric": ("type", "name"), "metric_value": ("value",)},
)
_DATASET = Form(
    artifact_inputs,
    of="dataset",
    columns={},
    uses={"uri": ("type", "name"), "digest": ("revision",)},
)
_FENCE = b"---"
_SHORT = 60_000
_MOST_MODELS = 100  # each has all that the card says beside them
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MARKS_OF_MODELS = (b"\nmodel-index:", b"\nbase_model:")
_MARKS = (*_MARKS_OF_MODELS, b"\nlibrary_name:", b"\npipeline_tag:")
# Cards of data sets may name the library and the task that they are for.
_MARKS_OF_DATA = (b"\ndataset_info:", b"\nconfigs:", b"\nsize_categories:")


def _recognises(source: Source) -> bool:
    head = source.head().removeprefix(b"\xef\xbb\xbf")
    front, end, _ = head.removeprefix(_FENCE).replace(b"\r\n", b"\n").partition(b"\n---")
    is_front = bool(end) or len(head) > _SHORT  # of a card with many results the head is a part
    if not (head.startswith(_FENCE) and is_front) or not any(mark in front for mark in _MARKS):
        return False
    is_of_data = any(mark in front for mark in _MARKS_OF_DATA)
    return not is_of_data or any(mark in front for mark in _MARKS_OF_MODELS)


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    front, body = _parts(source)
    card = mapping(parse_yaml(front, source.name))
    folder = source.folder or source.bare_name
    words = len(body.split())
    models = [mapping(one) for one in sequence(card.get("model-index"))] or [{}]
    for position, model in enumerate(models):
        if position >= _MOST_MODELS:
            reason = f"a card of more than {_MOST_MODELS} models"
            yield Reject(f"/model-index/{position}", "CARD_TOO_LARGE", reason, "", model_versions)
            continue
        name = text(model.get("name")) or folder
        version = {**_version(log, card, model), "model": name, "review_words": words}
        yield Row(model_versions, f"/model-index/{position}", version)
        for pointer, values in _inputs(log, card, model, position):
            yield Row(artifact_inputs, pointer, {"artifact": name, **values})
    log.leave("words below the front matter", words)
    yield from log.items()


def _parts(source: Source) -> tuple[bytes, bytes]:
    text_of = (
        source.read(MAX_BYTES)
        .removeprefix(b"\xef\xbb\xbf")
        .replace(b"\r\n", b"\n")
        .removeprefix(_FENCE)
    )
    front, _, body = text_of.partition(b"\n---")
    return front, body


def _version(log: FieldLog, card: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """What the card claims of a model; the first result fills columns, and all stand beside it."""
    first = next(map(mapping, sequence(model.get("results"))), {})
    metric = next(map(mapping, sequence(first.get("metrics"))), {})
    others = {key: value for key, value in card.items() if key != "model-index"}
    values, about = log.fill(_MODEL, model), log.fill(_CARD, others).get(ATTRIBUTES)
    claims = {name: value for form, record in ((_RESULT, first), (_METRIC, metric))
              for name, value in log.fill(form, record).items() if name != ATTRIBUTES}  # fmt: skip
    attributes = filled({**values.get(ATTRIBUTES, {}), "card": about})
    return {**values, "version": "card", **claims, ATTRIBUTES: attributes}


def _inputs(
    log: FieldLog, card: Mapping[str, Any], model: Mapping[str, Any], position: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, name in (("base_checkpoint", "base_model"), ("train_data", "datasets")):
        listed = card.get(name)
        for n, one in enumerate(listed if isinstance(listed, list) else [listed]):
            if address := text(one):
                log.fill(_MADE_OF, {name: listed})
                yield f"/{name}/{n}", {"kind": kind, "uri": address, "pin": "floating"}
    for n, result in enumerate(map(mapping, sequence(model.get("results")))):
        dataset = mapping(result.get("dataset"))
        revision = text(dataset.get("revision"))
        field = next((name for name in ("type", "name") if text(dataset.get(name))), None)
        if field:
            log.fill(_DATASET, {key: dataset.get(key) for key in (field, "revision")})
            yield f"/model-index/{position}/results/{n}/dataset", {
                "kind": "eval_data", "uri": text(dataset.get(field)), "digest": revision,
                "pin": "pinned" if revision and _COMMIT.fullmatch(revision) else "floating",
            }  # fmt: skip


huggingface_card = Importer(
    name="huggingface_card",
    doc=__doc__ or "",
    tables=(model_versions, artifact_inputs),
    recognises=_recognises,
    read=_read,
)
