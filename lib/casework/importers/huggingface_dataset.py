"""Data sets on disk, as the `datasets` library saves them (`dataset_info.json`, `state.json`).

## Reads
The two JSON files of a saved data set, each a source by itself. The rows lie beside them in Arrow
files: load those with `--as training_rows`, `eval_samples` or `exemplars`.

## Fills
| column of `artifact_inputs` | from |
|---|---|
| `artifact` | the name of the folder |
| `kind` | `train_data`; `eval_data` where the split is a test or validation |
| `uri` | `builder_name` or `dataset_name`, and `config_name`; of a state its split |
| `digest` | `_fingerprint`; of an info the checksums of its downloads, hashed together |
| `pin` | `pinned` with a digest, else `floating` |

## Leaves out
Features, sizes and citation: kept in `attributes`.

## Known limits
A fingerprint names the steps that made the data, not its bytes.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Row
from casework.importers._importer import Importer, Options
from casework.importers._records import read_document
from casework.importers._shape import filled, mapping, text
from casework.importers._source import Source
from casework.tables import artifact_inputs

_EVALUATES = ("test", "validation", "valid", "dev", "eval")
_INFO = {"features", "citation", "homepage", "license", "description"}


def _recognises(source: Source) -> bool:
    found = source.first_object.keys()
    return {"_fingerprint", "_data_files"} <= found or len(_INFO & found) >= len(_INFO) - 1


def _read(source: Source, _options: Options) -> Iterator[Item]:
    info = mapping(read_document(source).value())
    folder = source.name.rpartition("/")[0].rpartition("/")[2] or source.bare_name
    split = text(info.get("_split"))
    sums = mapping(info.get("download_checksums"))
    digest = text(info.get("_fingerprint"))
    if digest:
        digest = f"fingerprint:{digest}"
    elif sums:
        digest = f"sha256:{sha256(canonical.dumps(sums).encode()).hexdigest()}"
    named: list[Any] = [info.get("dataset_name") or info.get("builder_name"),
                        info.get("config_name"), split]  # fmt: skip
    yield Row(artifact_inputs, "/", {
        "artifact": folder,
        "kind": "eval_data" if split in _EVALUATES else "train_data",
        "uri": "/".join(name for one in named if (name := text(one))) or folder,
        "digest": digest,
        "pin": "pinned" if digest else "floating",
        "attributes": canonical.plain(filled(dict(info))),
    })  # fmt: skip


huggingface_dataset = Importer(
    name="huggingface_dataset",
    doc=__doc__ or "",
    tables=(artifact_inputs,),
    recognises=_recognises,
    read=_read,
)
