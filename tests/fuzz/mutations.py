"""Damage to an export: bytes flipped, cut, repeated, moved; numbers and texts of JSON exchanged."""

import re
import shutil
from pathlib import Path
from random import Random

from fixtures.exports import EXPORTS
from tests.importers.loading import source_of

from casework.errors import CaseworkError
from casework.importers import Options, get

_VALUES = (b"null", b"-1", b"1e999", b"NaN", b"[]", b"{}", b'""', b'"\\ud800"', b"true",
           b"99999999999999999999", b'"2026-13-45"', b"[[[[[[]]]]]]", b'{"a":1,"a":2}')  # fmt: skip
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?')


def damage(data: bytes, random: Random) -> bytes:
    """Damage some bytes in one to four ways."""
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.randrange(1, 40))
        match random.randrange(7):
            case 0 if data:
                at = min(at, len(data) - 1)
                data = data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + data[end:]
            case 3:
                data = data[:end] + data[at:end] * random.randrange(1, 4) + data[end:]
            case 4:
                data = data[:at] + random.randbytes(random.randrange(1, 9)) + data[at:]
            case _:
                data = _exchanged(data, random)
    return data


def _exchanged(data: bytes, random: Random) -> bytes:
    """Put another value in the place of a text or a number."""
    tokens = list(_TOKEN.finditer(data[: 1 << 16]))
    if not tokens:
        return data
    found = random.choice(tokens)
    other = random.choice((random.choice(_VALUES), random.choice(tokens).group()))
    return data[: found.start()] + other + data[found.end() :]


def read_damaged(importer: str, folder: Path, seed: int) -> int:
    """Write an export, damage one of its files, and read it; return how many items came.

    The only error there may be is a CaseworkError.
    """
    random = Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    export = EXPORTS[importer](folder, Random(seed % 17))
    files = sorted(path for path in export.path.rglob("*") if path.is_file())
    path = random.choice(files) if export.path.is_dir() else export.path
    path.write_bytes(damage(path.read_bytes(), random))
    chosen, source = get(importer), source_of(export.path)
    chosen.recognises(source)
    items = 0
    try:
        for _ in chosen.read(source, Options()):
            items += 1
    except CaseworkError:
        return items
    return items
