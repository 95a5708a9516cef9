"""Signatures of models (`model.sig`): which digests were signed, and whether the files have them.

## Reads
Sigstore bundles of model-signing 0.2 and 1.0, and the in-toto statement by itself.

## Fills
One row of `checkpoints` for each signed model.

| column | from |
|---|---|
| `checkpoint` | the digest of the subject; of version 0.2, which signs files singly, that of the \
SHA-256 of `digest  name` lines in the order of names |
| `uri` | the name of the subject |
| `exists` | true where all signed files lie beside the signature with the signed digests |
| `attributes` | the signed files and digests, `files_matching`, `files_missing`, \
`files_different`, `files_not_compared`, how it was signed |

## Leaves out
Signatures, certificates and log entries; what else the statement says, counted.

## Known limits
The signature itself is not verified. Only SHA-256 digests of whole files are compared; those of
shards are kept and not compared, nor are files of a statement beyond the first 10,000.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._intoto import (
    ENVELOPE,
    UNVERIFIED,
    Statement,
    digest,
    kinds_of,
    statements,
)
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, checkpoints
from casework.words import several

_TYPE = "https://model_signing/"
_SHA256 = "sha256:"
_MOST_FILES = 10_000
_STATEMENT = Form(
    checkpoints,
    of="statement",
    columns={},
    uses={
        "checkpoint": ("subject",),
        "uri": ("subject",),
        ATTRIBUTES: ("predicateType", "predicate.resources", "predicate.serialization"),
    },
    left_out=("_type",),
    keeps=False,
)
_SIGNED_FILE = Form(
    checkpoints,
    of="signed file",
    columns={},
    uses={ATTRIBUTES: ("name", "digest"), "exists": ("name", "digest", "algorithm")},
    keeps=False,
)


def _recognises(source: Source) -> bool:
    if kind := next(kinds_of(source), None):
        return kind.startswith(_TYPE)
    found = source.first_object  # of many files the head holds the beginning of the payload only
    is_cut = "dsseEnvelope" in found and found["dsseEnvelope"] is None
    return is_cut and source.bare_name.endswith(".sig")


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, signed = FieldLog(options.timezone), 0
    known: dict[Path, str | None] = {}  # digests of files: many may sign the same
    for found in statements(source):
        if isinstance(found, Reject):
            yield found._replace(table=checkpoints)
            continue
        yield from _rows(source, log, found, known)
        signed += found.signed
    if signed:
        yield Note(UNVERIFIED)
        log.leave(ENVELOPE, signed)
    yield from log.items()


def _rows(
    source: Source, log: FieldLog, found: Statement, known: dict[Path, str | None]
) -> Iterator[Item]:
    predicate = mapping(found.content.get("predicate"))
    listed = [mapping(one) for one in sequence(found.content.get("subject"))]
    log.fill(_STATEMENT, found.content)
    for one in map(mapping, sequence(predicate.get("resources")) or listed):
        log.fill(_SIGNED_FILE, one)
    if resources := sequence(predicate.get("resources")):
        name = text(listed[0].get("name")) if listed else None
        signed = [_resource(one) for one in map(mapping, resources)]
        model = digest(listed[0].get("digest")) if listed else None
    else:
        name = source.folder or source.name
        signed = [(text(one.get("name")) or "", digest(one.get("digest"))) for one in listed]
        model = _of_files(signed)
    method = mapping(predicate.get("serialization")).get("method")
    if method == "shards":
        yield Note("digests of shards were not compared with the files")
    states = Counter[str]() if method == "shards" else _compared(source, name, signed, known)
    different = states["different"]
    if different:
        told = several(different, "file beside the signature does", "files beside the signature do")
        yield Note(f"{told} not have the signed digest")
    attributes = {
        "signed_files": {path: value and value.removeprefix(_SHA256) for path, value in signed},
        "serialization": predicate.get("serialization"),
        "predicate_type": found.content.get("predicateType"),
        **{f"files_{state}": count for state, count in sorted(states.items())},
    }
    values = {
        "checkpoint": model,
        "uri": name,
        "exists": True if states["matching"] == len(signed) > 0 else None,
        "attributes": filled(attributes),
    }
    yield Row(checkpoints, found.locator, values)


def _resource(resource: Mapping[str, Any]) -> tuple[str, str | None]:
    """Name and digest of a signed file, `sha256:<hex>`, of which the algorithm may be left out."""
    value, algorithm = text(resource.get("digest")), text(resource.get("algorithm")) or "sha256"
    return text(resource.get("name")) or "", f"{algorithm}:{value}" if value else None


def _of_files(signed: list[tuple[str, str | None]]) -> str | None:
    """The digest of a list of files with their digests; None where one of them has none."""
    values = [(path, value.removeprefix(_SHA256)) for path, value in signed if value]
    if not signed or len(values) < len(signed):
        return None
    listing = "".join(f"{value}  {path}\n" for path, value in sorted(values))
    return f"{_SHA256}{sha256(listing.encode()).hexdigest()}"


def _compared(
    source: Source,
    model: str | None,
    signed: list[tuple[str, str | None]],
    known: dict[Path, str | None],
) -> Counter[str]:
    """How many of the signed files match, differ, are missing beside the signature, or neither."""
    folder = source.path.parent.resolve()
    states = Counter(
        _state(folder, (model or "") if name == "." else name, value or "", known)
        for name, value in signed[:_MOST_FILES]
    )
    return states + Counter(not_compared=max(0, len(signed) - _MOST_FILES))


def _state(folder: Path, name: str, value: str, known: dict[Path, str | None]) -> str:
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            return "missing"
    except (OSError, ValueError):  # what no file can be named
        return "missing"
    if not value.startswith(_SHA256):
        return "not_compared"
    if path not in known:
        known[path] = _sha256(path)
    found = known[path]
    if found is None:
        return "not_compared"
    return "matching" if found == value.removeprefix(_SHA256).lower() else "different"


def _sha256(path: Path) -> str | None:
    """The digest of a file in hexadecimal; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


model_signature = Importer(
    name="model_signature",
    doc=__doc__ or "",
    tables=(checkpoints,),
    recognises=_recognises,
    read=_read,
)
