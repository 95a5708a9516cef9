"""Configuration of a PEFT adapter (`adapter_config.json`): what it was tuned from.

## Reads
One JSON object with `peft_type` and `base_model_name_or_path`.

## Fills
| column of `artifact_inputs` | from |
|---|---|
| `artifact` | the digest of `adapter_model.safetensors` beside it, else the name of the folder |
| `kind`, `uri`, `digest` | `base_checkpoint`, `base_model_name_or_path`, `revision` |
| `pin` | `pinned` with a commit as `revision`, else `floating`: a branch moves; `absent` where no \
base is named |
| second row | `hyperparameters`: the whole configuration and its SHA-256, for which the names of \
modules are sorted: PEFT writes sets of them, in any order |

Where the weights lie beside it, `checkpoints` says that they were tuned from that base.

## Leaves out
Nothing: the configuration stands in `attributes`.

## Known limits
A base that is a path names bytes that nobody else can find: it is floating.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import file_digest, sha256
from typing import Any

from casework import canonical
from casework.case import Item, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import read_object
from casework.importers._shape import text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, artifact_inputs, checkpoints

_NAMES = ("base_model_name_or_path", "revision")
_BASE = Form(
    artifact_inputs,
    of="",
    columns={"uri": ("base_model_name_or_path",), "digest": ("revision",)},
    uses={"pin": ("revision",)},
)
_ALL = Form(artifact_inputs, of="", columns={})
_TUNED = Form(checkpoints, of="", columns={}, uses={"base_checkpoint": _NAMES})
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SETS = ("target_modules", "exclude_modules")
_WEIGHTS = "adapter_model.safetensors"


def _recognises(source: Source) -> bool:
    return {"peft_type", "base_model_name_or_path"} <= source.first_object.keys()


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    config = read_object(source)
    base, revision = text(config.get("base_model_name_or_path")), text(config.get("revision"))
    digest = _weights(source)
    artifact = digest or source.folder or source.name
    pinned = bool(revision and _COMMIT.fullmatch(revision))
    named = {name: config.get(name) for name in _NAMES}
    yield Row(artifact_inputs, "/base_model_name_or_path", {
        **log.fill(_BASE, named), "artifact": artifact, "kind": "base_checkpoint",
        "pin": "pinned" if pinned else "floating" if base else "absent",
    })  # fmt: skip
    told = canonical.plain(dict(config))
    yield Row(artifact_inputs, "/", {
        **log.fill(_ALL, config),
        "artifact": artifact, "kind": "hyperparameters", "uri": source.bare_name, "pin": "pinned",
        "digest": _digest(told),
        ATTRIBUTES: told,
    })  # fmt: skip
    if digest:
        yield Row(checkpoints, "/", {
            **log.fill(_TUNED, named),
            "checkpoint": digest, "uri": _WEIGHTS, "exists": True,
            "base_checkpoint": revision if pinned else base,
        })  # fmt: skip
    yield from log.items()


def _digest(told: Mapping[str, Any]) -> str:
    sets = {name: sorted(map(str, told[name])) for name in _SETS
            if isinstance(told.get(name), list)}  # fmt: skip
    plain = canonical.dumps({**told, **sets})
    return f"sha256:{sha256(plain.encode('utf-8', 'replace')).hexdigest()}"


def _weights(source: Source) -> str | None:
    path = source.path.parent / _WEIGHTS
    if not path.is_file() or path.is_symlink():
        return None
    with path.open("rb") as file:
        return f"sha256:{file_digest(file, 'sha256').hexdigest()}"


peft_adapter = Importer(
    name="peft_adapter",
    doc=__doc__ or "",
    tables=(artifact_inputs, checkpoints),
    recognises=_recognises,
    read=_read,
)
