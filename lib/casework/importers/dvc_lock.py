"""DVC lock files (`dvc.lock`, schema 2.0): what each stage read, ran and wrote.

## Reads
One lock file; YAML without aliases, of at most 10 MiB.

## Fills
Each output of a stage is an artifact; dependencies, parameters and command of the stage are its
inputs.

| column of `artifact_inputs` | from |
|---|---|
| `artifact` | digest of the output, `md5:<hex>` |
| `kind` | of a dependency by its path: `code` for program text, `base_checkpoint` for models, \
`environment` for lists of packages, `hyperparameters` for other files of settings (YAML, TOML, \
INI), `train_data` for all else, `eval_data` in a stage that is named after evaluation; \
`hyperparameters` for `params`, `procedure` for `cmd` |
| `uri`, `digest` | `path`, `md5` |
| `pin` | `pinned` with a digest, else `floating` |

Outputs become rows of `checkpoints`.

## Leaves out
`size`, `nfiles`, `isexec` and the name of the hash, which the digest bears. Outputs without a
digest, counted.

## Known limits
A lock file has no instant. The digest of a folder is that of DVC's listing (`.dir`). Of a stage
with more than 200,000 pairs of output and input the inputs are one reject.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Reject, Row
from casework.errors import CaseworkError
from casework.importers._fields import MOST_PAIRS, FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.importers._yaml import MAX_BYTES, parse_yaml
from casework.tables import artifact_inputs, checkpoints
from casework.words import count, number

_CODE = re.compile(r"\.(?:py|r|jl|sh|ipynb|sql|cpp|rs|go|js|ts|java|scala)$", re.IGNORECASE)
_MODEL = re.compile(r"\.(?:safetensors|pt|pth|bin|onnx|gguf|ckpt|h5|pkl|joblib)(?:\.dir)?$|(?:^|/)"
                    r"(?:models?|checkpoints?)(?:/|$)", re.IGNORECASE)  # fmt: skip
_PACKAGES = re.compile(r"(?:^|/)(?:requirements[^/]*\.txt|[^/]*\.lock|pyproject\.toml"
                       r"|(?:environment|conda)\.ya?ml|dockerfile)$", re.IGNORECASE)  # fmt: skip
_SETTINGS = re.compile(r"\.(?:ya?ml|toml|ini|cfg)$", re.IGNORECASE)
_DIGESTS = ("md5", "etag", "checksum")
_SIZES = ("size", "nfiles", "isexec", "hash")
_OUT = Form(checkpoints, of="out", columns={"uri": ("path",)}, uses={"checkpoint": _DIGESTS},
            left_out=_SIZES)  # fmt: skip
_DEPENDENCY = Form(artifact_inputs, of="dep", columns={"uri": ("path",)},
                   uses={"digest": _DIGESTS, "kind": ("path",)}, left_out=_SIZES)  # fmt: skip
_STAGE = Form(artifact_inputs, of="stage", columns={})
# A word may begin with one of these, or end so after a mark; `latest` is none.
_EVALUATES = re.compile(r"(?<![a-z])(?:eval|test|valid|benchmark|backtest)", re.IGNORECASE)
# A lock has stages by their names; a list of them is the pipeline of some other tool.
_PIPELINE = re.compile(rb"^stages:\s*(?:#[^\n]*\n\s*)*(?:-\s|\[)", re.MULTILINE)


def _recognises(source: Source) -> bool:
    head = source.head().removeprefix(b"\xef\xbb\xbf").lstrip()
    is_lock = head.startswith((b"schema:", b"stages:")) and b"stages:" in head
    return is_lock and not _PIPELINE.search(head)


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    lock = mapping(parse_yaml(source.read(MAX_BYTES), source.name))
    stages = mapping(lock.get("stages"))
    if not stages:
        raise CaseworkError("NOT_A_LOCK", "it has no stages", "see `casework formats`",
                            where=source.name)  # fmt: skip
    silent = 0
    for name, stage in stages.items():
        items = list(_rows(str(name), mapping(stage), log))
        silent += not items
        yield from items
    for name in lock:
        if name != "stages":
            log.leave(str(name))
    what = "stages that lock no output with a digest"
    yield from log.leave_told(what, silent, "stage that locks no output with a digest")
    yield from log.items()


def _rows(name: str, stage: Mapping[str, Any], log: FieldLog) -> Iterator[Item]:
    at = f"/stages/{name}"
    outs = [mapping(out) for out in sequence(stage.get("outs"))]
    made = [(position, out) for position, out in enumerate(outs) if _digest(out)]
    inputs = list(_inputs(name, stage, log)) if made else []
    if len(made) * len(inputs) > MOST_PAIRS:
        pairs = f"{count(len(made), 'outputs')} and {count(len(inputs), 'inputs')}"
        reason = f"{pairs} make more than {number(MOST_PAIRS)} rows, one for each pair"
        yield Reject(at, "STAGE_TOO_LARGE", reason, "", artifact_inputs)
        inputs = []
    log.leave("outputs without a digest", len(outs) - len(made) if made else 0)
    for position, out in made:
        artifact, locator = _digest(out), f"{at}/outs/{position}"
        values = log.fill(_OUT, out)
        about = {**values.get("attributes", {}), "stage": name}
        yield Row(checkpoints, locator, {**values, "checkpoint": artifact, "attributes": about})
        for pointer, values in inputs:
            yield Row(artifact_inputs, at + pointer, {"artifact": artifact, **values})


def _inputs(
    name: str, stage: Mapping[str, Any], log: FieldLog
) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, one in enumerate(map(mapping, sequence(stage.get("deps")))):
        path, digest = text(one.get("path")) or "", _digest(one)
        pin = "pinned" if digest else "floating"
        values = {"kind": _kind(name, path), "digest": digest, "pin": pin}
        yield f"/deps/{position}", {**log.fill(_DEPENDENCY, one), **values}
    for file, settings in mapping(stage.get("params")).items():
        log.took(_STAGE, "params", "digest")
        digest = f"sha256:{sha256(canonical.dumps(settings).encode()).hexdigest()}"
        kept = filled({"values": canonical.plain(settings)})
        yield f"/params/{file}", {"kind": "hyperparameters", "uri": str(file), "digest": digest,
                                  "pin": "pinned", "attributes": kept}  # fmt: skip
    command = stage.get("cmd")
    said = "\n".join(map(str, command)) if isinstance(command, list) else text(command)
    if said:
        log.took(_STAGE, "cmd", "uri")
        digest = f"sha256:{sha256(said.encode('utf-8', 'replace')).hexdigest()}"
        yield "/cmd", {"kind": "procedure", "uri": said, "digest": digest, "pin": "pinned"}


def _kind(stage: str, path: str) -> str:
    path = path.replace("\\", "/")  # as older versions wrote it on Windows
    if _CODE.search(path):
        return "code"
    if _MODEL.search(path):
        return "base_checkpoint"
    if _PACKAGES.search(path):
        return "environment"
    if _SETTINGS.search(path):
        return "hyperparameters"
    return "eval_data" if _EVALUATES.search(stage) else "train_data"


def _digest(entry: Mapping[str, Any]) -> str | None:
    for name in _DIGESTS:
        if found := text(entry.get(name)):
            return f"{name}:{found}"
    return None


dvc_lock = Importer(
    name="dvc_lock",
    doc=__doc__ or "",
    tables=(artifact_inputs, checkpoints),
    recognises=_recognises,
    read=_read,
)
