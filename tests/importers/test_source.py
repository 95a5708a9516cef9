"""Sources that are compressed: read piece by piece, however much a piece holds."""

import tracemalloc
from pathlib import Path

import zstandard
from tests.importers.loading import source_of


def test_what_unpacks_to_very_much_takes_little_memory(tmp_path: Path) -> None:
    whole = 256 << 20
    path = tmp_path / "x.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packer:
        for _ in range(16):
            packer.write(bytes(whole // 16))
    tracemalloc.start()
    try:
        with source_of(path).open() as unpacked:
            assert len(unpacked.read(1 << 16)) == 1 << 16
            rest = 1 << 16
            while piece := unpacked.read(1 << 20):
                rest += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rest == whole
    assert peak < 100 << 20
