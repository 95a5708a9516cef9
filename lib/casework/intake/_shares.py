"""Reading one large text with a process for each core, in the order of the source."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

from casework.case import Item
from casework.importers import Importer, Source
from casework.intake._confined import Confined

_LEAST_BYTES = 16 << 20
_MOST_PROCESSES = 8


def can_share(source: Source, importer: Importer) -> bool:
    """Whether a source is worth the start of several processes, and can be read by them."""
    if importer.shares is None or source.files or _processes() < 2:
        return False
    return source.path.stat().st_size >= _LEAST_BYTES and importer.shares.fits(source)


def read_shared(source: Source, importer: Importer) -> Iterator[Item]:
    """Yield what the importer reads, with a confined reader for each core.

    Raises:
        CaseworkError: what the importer raises; IMPORT_CRASHED, IMPORT_MEMORY, IMPORT_TIME.
    """
    if importer.shares is None:
        raise ValueError(f"{importer.name} has no shares")
    with ExitStack() as stack:
        readers = [stack.enter_context(Confined()) for _ in range(_processes())]
        for reader in readers:
            reader.start()
        shares = [
            reader.share(source, importer, first, len(readers))
            for first, reader in enumerate(readers)
        ]
        try:
            yield from importer.shares.join(_in_turn(shares))
        except (ValueError, OSError) as error:
            raise readers[0].broken(source, str(error).splitlines()[0]) from None


def _in_turn(shares: list[Iterator[memoryview]]) -> Iterator[memoryview]:
    """One piece of each share after the other: the first share that ends, ends the source."""
    while True:
        for share in shares:
            piece = next(share, None)
            if piece is None:
                return
            yield piece


def _processes() -> int:
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    return min(count, _MOST_PROCESSES)
