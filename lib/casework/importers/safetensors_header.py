"""Weights in the safetensors format: their digest and header. Tensors are not decoded.

## Reads
The header (8 bytes of length, then JSON of at most 100 MB) and, for the digest, all bytes.

## Fills
| column of `checkpoints` | from |
|---|---|
| `checkpoint` | SHA-256 of the file, decompressed |
| `uri` | name of the file |
| `exists` | true: it is here |
| `attributes` | `__metadata__`, number of tensors and parameters, data types |

## Leaves out
Names, shapes and offsets of the tensors.

## Known limits
The shards of one model are rows of their own. A file that ends before its tensors do is refused.
"""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from math import prod
from typing import Any

from casework import canonical
from casework.case import Item, Row
from casework.errors import CaseworkError
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._json_document import document
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import BROKEN_COMPRESSION, Source
from casework.tables import ATTRIBUTES, checkpoints

_HEADER = Form(checkpoints, of="", columns={}, uses={ATTRIBUTES: ("__metadata__",)}, keeps=False)
_TENSOR = Form(
    checkpoints,
    of="tensor",
    columns={},
    uses={ATTRIBUTES: ("dtype",)},
    left_out=("shape", "data_offsets"),
    keeps=False,
)
_MOST_BYTES = 100 << 20
_PART_BYTES = 1 << 20
_LENGTH = struct.Struct("<Q")


def _recognises(source: Source) -> bool:
    head = source.head()
    return len(head) > _LENGTH.size and head[8:9] == b"{" and (
        _LENGTH.size < _LENGTH.unpack(head[:8])[0] + _LENGTH.size <= _MOST_BYTES
    ) and (b'"data_offsets"' in head or b'"__metadata__"' in head)  # fmt: skip


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    header, least = _header(source)
    tensors = {name: mapping(one) for name, one in header.items() if name != "__metadata__"}
    kinds = Counter(text(one.get("dtype")) or "unknown" for one in tensors.values())
    digest, size = _digest(source)
    if size < least:
        raise _broken(source, "its tensors are not whole")
    log.fill(_HEADER, {"__metadata__": header.get("__metadata__")})
    for tensor in tensors.values():
        log.fill(_TENSOR, tensor)
    log.leave("names of tensors", len(tensors))
    about = {
        "metadata": header.get("__metadata__"),
        "tensors": len(tensors),
        "parameters": sum(_size(one) for one in tensors.values()),
        "dtypes": dict(kinds),
    }
    values = {
        "checkpoint": f"sha256:{digest}",
        "uri": source.name,
        "exists": True,
        "attributes": canonical.plain(filled(about)),
    }
    yield Row(checkpoints, "header", values)
    yield from log.items()


def _header(source: Source) -> tuple[Mapping[str, Any], int]:
    """The header, and how many bytes the file has at least by what it says of its tensors."""
    try:
        with source.open() as file:
            length = int.from_bytes(file.read(_LENGTH.size), "little")
            data = file.read(min(length, _MOST_BYTES))
    except BROKEN_COMPRESSION as error:
        raise source.broken(error) from error
    if not 2 <= length == len(data):
        raise _broken(source, "its header is not whole")
    header = mapping(document(data.rstrip(b" "), source.name).value())
    offsets = [sequence(mapping(one).get("data_offsets"))[-1:] for one in header.values()]
    ends = [end for listed in offsets for end in listed if isinstance(end, int)]
    return header, _LENGTH.size + length + max(ends, default=0)


def _digest(source: Source) -> tuple[str, int]:
    """The SHA-256 of the weights, decompressed, and how many bytes they are."""
    digest, size = sha256(), 0
    try:
        with source.open() as file:
            while part := file.read(_PART_BYTES):
                digest.update(part)
                size += len(part)
    except BROKEN_COMPRESSION as error:
        raise source.broken(error) from error
    return digest.hexdigest(), size


def _broken(source: Source, what: str) -> CaseworkError:
    return CaseworkError("SAFETENSORS", what, "ask for the file again", where=source.name)


def _size(tensor: Mapping[str, Any]) -> int:
    shape = sequence(tensor.get("shape"))
    whole = all(isinstance(one, int) and 0 <= one < 2**40 for one in shape)
    return prod(shape) if whole and len(shape) < 16 else 0


safetensors_header = Importer(
    name="safetensors_header",
    doc=__doc__ or "",
    tables=(checkpoints,),
    recognises=_recognises,
    read=_read,
)
