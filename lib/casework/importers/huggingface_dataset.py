"""Data sets on disk, as the `datasets` library saves them (`dataset_info.json`, `state.json`).

## Reads
The two JSON files of a saved data set, each a source by itself. The rows lie beside them in Arrow
files: load those with `--as training_rows`, `eval_samples` or `exemplars`.

## Fills
| column of `artifact_inputs` | from |
|---|---|
| `artifact` | the name of the folder, or of that above it where each split has its own |
| `kind` | `train_data`; `eval_data` where the name of the split begins with a word for \
evaluation: `eval`, `test`, `val`, `validation`, `dev`, `bench` |
| `uri` | `builder_name` or `dataset_name`, and `config_name`; of a state its split |
| `digest` | `_fingerprint`; of an info the checksums of its downloads, hashed together, where \
each has one or its address names a commit of the hub |
| `pin` | `pinned` with a digest, else `floating` |

In a folder of splits (`dataset_dict.json`) the name of the folder is the split: `_split` may be
that of the data before they were divided.

## Leaves out
Features, sizes and citation: kept in `attributes`. An info that names neither builder nor downloads
and lies beside a state, which stands for the same data.

## Known limits
A fingerprint names the steps that made the data, not its bytes.
"""

import os
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from casework import canonical
from casework.case import Item, Note, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import read_object
from casework.importers._shape import mapping, text
from casework.importers._source import Source, storable
from casework.importers._splits import evaluates
from casework.tables import artifact_inputs

_OF_SPLITS, _STATE = "dataset_dict.json", "state.json"
_FORM = Form(
    artifact_inputs,
    of="",
    columns={},
    uses={"kind": ("_split",), "uri": ("config_name", "_split"), "digest": ("_fingerprint",)},
)
# Checksums of many files fill the head alone.
_BUILT = {"builder_name", "citation", "description", "download_checksums"}
# Without a checksum an address pins bytes by a commit alone.
_AT_COMMIT = re.compile(r"hf://[^@]+@[0-9a-f]{40}/")
_INFO = {"features", "citation", "homepage", "license", "description"}


def _recognises(source: Source) -> bool:
    found = source.first_object.keys()
    is_info = len(_INFO & found) >= len(_INFO) - 1 or found >= _BUILT
    return {"_fingerprint", "_data_files"} <= found or is_info


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    info = read_object(source)
    is_of_splits = (source.path.parent.parent / _OF_SPLITS).is_file()
    split = source.folder if is_of_splits else text(info.get("_split"))
    folder = _folder(source, split)
    values, digest = log.fill(_FORM, info), _digest(info, log)
    data = next((name for name in ("dataset_name", "builder_name") if info.get(name)), None)
    if data:
        log.took(_FORM, data, "uri")
    is_state = "_fingerprint" in info
    named = [info.get(data) if data else None, info.get("config_name"), split if is_state else None]
    uri = "/".join(name for one in named if (name := text(one)))
    if not (uri or digest or is_state) and (source.path.parent / _STATE).is_file():
        log = FieldLog(options.timezone)
        what = f"info that names no origin, beside a {_STATE}"
        log.leave(what)
        yield Note(f"left out: {what}")
    else:
        yield Row(artifact_inputs, "/", {
            **values,
            "artifact": folder,
            "kind": "eval_data" if evaluates(split) else "train_data",
            "uri": uri or folder,
            "digest": digest,
            "pin": "pinned" if digest else "floating",
        })  # fmt: skip
    yield from log.items()


def _folder(source: Source, split: str | None) -> str:
    """The folder of the data set, in which each split may have a folder of its own."""
    folder = source.folder or source.bare_name
    if folder != split:
        return folder
    above = source.name.split("/")[-3:-2]
    if above in ([], [""], ["."], [".."]):
        return storable(Path(os.path.abspath(source.path)).parents[1].name) or folder
    return above[0]


def _digest(info: Mapping[str, Any], log: FieldLog) -> str | None:
    if fingerprint := text(info.get("_fingerprint")):
        return f"fingerprint:{fingerprint}"
    sums = mapping(info.get("download_checksums"))
    if not sums or not all(
        mapping(one).get("checksum") or _AT_COMMIT.match(address) for address, one in sums.items()
    ):
        return None
    log.took(_FORM, "download_checksums", "digest")
    return f"sha256:{sha256(canonical.dumps(sums).encode()).hexdigest()}"


huggingface_dataset = Importer(
    name="huggingface_dataset",
    doc=__doc__ or "",
    tables=(artifact_inputs,),
    recognises=_recognises,
    read=_read,
)
