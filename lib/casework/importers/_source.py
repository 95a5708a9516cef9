"""A source of evidence as it lies on disk: a file, or a folder that is one export."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from casework.errors import CaseworkError

_HEAD_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Source:
    """One source. `name` is how it is shown and cited; `files` are the members of a folder.

    `refusal` is set where the source was found but must not be opened.
    """

    path: Path
    name: str
    files: tuple[Path, ...] = field(default=())
    refusal: CaseworkError | None = None

    @property
    def compression(self) -> str | None:
        """`gzip`, `zstd` or None, by the first bytes and not by the name."""
        with self.path.open("rb") as file:
            magic = file.read(4)
        if magic.startswith(_GZIP):
            return "gzip"
        return "zstd" if magic == _ZSTD else None

    def open(self) -> BinaryIO:
        """Open the bytes, decompressed."""
        match self.compression:
            case "gzip":
                return cast(BinaryIO, gzip.open(self.path, "rb"))
            case "zstd":
                import zstandard

                opened = zstandard.open(self.path, "rb", dctx=zstandard.ZstdDecompressor())
                return cast(BinaryIO, opened)
            case _:
                return self.path.open("rb")

    def head(self) -> bytes:
        """The first 64 KiB, decompressed; empty for a folder and for broken compression."""
        if self.path.is_dir():
            return b""
        try:
            with self.open() as file:
                return file.read(_HEAD_BYTES)
        except (OSError, EOFError, ValueError):
            return b""

    @property
    def bare_name(self) -> str:
        """File name without folders and without the suffix of its compression."""
        name = self.name.rsplit("/", 1)[-1]
        for suffix in (".gz", ".zst", ".zstd"):
            name = name.removesuffix(suffix)
        return name
