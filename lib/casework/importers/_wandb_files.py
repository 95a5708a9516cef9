"""Files that the client of Weights & Biases leaves in the folder of a run: where and how it ran."""

import re
import shlex
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from casework.case import Item, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._records import read_object
from casework.importers._shape import mapping, sequence, text
from casework.importers._source import Source, storable
from casework.importers._wandb_runs import part_of, run_items, without
from casework.importers._yaml import MAX_BYTES, parse_yaml
from casework.tables import artifact_inputs

_METADATA = {"os", "python", "startedAt"}
_CONFIG = re.compile(rb"^_wandb:\n +(?:desc: [^\n]*\n +)?value:", re.MULTILINE)
_FOLDER = re.compile(r"run-\d{8}_\d{6}-([^/\\]+)")
_SOFTWARE = ("python", "os", "executable", "docker", "cuda", "cudaVersion")
_MACHINE = ("gpu", "gpu_count", "gpu_devices", "gpu_nvidia", "gpu_apple", "apple", "tpu",
            "cpu_count", "cpu_count_logical", "memory")  # fmt: skip
_CODE = Form(
    artifact_inputs,
    of="metadata",
    columns={"uri": ("git.remote", "codePath", "program"), "digest": ("git.commit",)},
)
_PROGRAM = Form(artifact_inputs, of="metadata", columns={}, uses={"uri": ("program", "args")})
_INSTALLED = Form(artifact_inputs, of="metadata", columns={}, uses={"uri": ("python", "os")})
_RAN_ON = Form(artifact_inputs, of="metadata", columns={"uri": ("gpu", "cpu_count")})
_REST = Form(artifact_inputs, of="metadata", columns={}, keeps=False)


def is_file_of_run(source: Source) -> bool:
    """Whether it is a `wandb-metadata.json` or the `config.yaml` beside it, by what it says."""
    if source.first_object.keys() >= _METADATA:
        return True
    return _CONFIG.search(source.head().replace(b"\r\n", b"\n")) is not None


def file_items(source: Source, log: FieldLog) -> Iterator[Item]:
    """The inputs of the run that a file is of, which goes by the id in the name of its folder."""
    named = _FOLDER.search(source.name) or _FOLDER.search(storable(str(source.path.resolve())))
    run = named[1] if named else source.folder
    if not source.first_object:
        config = parse_yaml(source.read(MAX_BYTES), source.name)
        yield from run_items(log, {"id": run, "config": mapping(config)}, "")
        return
    for kind, values in _inputs(read_object(source), log):
        yield Row(artifact_inputs, f"/{kind}", {"artifact": run, "kind": kind, **values})


def _inputs(about: Mapping[str, Any], log: FieldLog) -> Iterator[tuple[str, dict[str, Any]]]:
    code = log.fill(_CODE, part_of(about, "git", "codePath", "program"))
    yield "code", {**code, "pin": "pinned" if code.get("digest") else "floating"}
    said = shlex.join(map(str, (about.get("program") or "", *sequence(about.get("args")))))
    digest = f"sha256:{sha256(said.encode('utf-8', 'replace')).hexdigest()}"
    log.fill(_PROGRAM, part_of(about, "program", "args"))
    yield "procedure", {"uri": said, "digest": digest, "pin": "pinned"}
    installed = log.fill(_INSTALLED, part_of(about, *_SOFTWARE))
    named = ", ".join(filter(None, (text(about.get("python")), text(about.get("os")))))
    yield "environment", {**installed, "uri": named, "pin": "floating"}
    machine = part_of(about, *_MACHINE)
    if machine:
        yield "hardware", {**log.fill(_RAN_ON, machine), "pin": "floating"}
    log.fill(_REST, without(about, "git", "codePath", "program", "args", *_SOFTWARE, *_MACHINE))
