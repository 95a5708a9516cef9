"""Fuzz importers for long: `python -m tests.fuzz SECONDS [IMPORTER...]`, seconds for each.

Prints a line for each importer: iterations, seconds, crashes. A crash is told with the seed that
makes it again. Ends with status 1 where there was one.
"""

import sys
import time
import traceback
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.mutations import read_damaged

from casework import importers


def fuzz(importer: str, seconds: float, start: int) -> tuple[int, int]:
    """Read damaged exports until the time is over; return iterations and crashes."""
    until, seed, crashes = time.monotonic() + seconds, start, 0
    with TemporaryDirectory() as folder:
        while time.monotonic() < until:
            try:
                read_damaged(importer, Path(folder, "damaged"), seed)
            except Exception:
                crashes += 1
                print(f"{importer} crashes with seed {seed}:", traceback.format_exc(limit=-2))
            seed += 1
    return seed - start, crashes


def main(seconds: float, names: list[str]) -> int:
    """Fuzz importers one after the other."""
    warnings.simplefilter("error")
    total, start = 0, time.time_ns()
    for name in names or [importer.name for importer in importers.ALL]:
        iterations, crashes = fuzz(name, seconds, start)
        total += crashes
        print(f"{name:24} {iterations:>9,} iterations {seconds:>7,.0f} s {crashes:>4} crashes",
              flush=True)  # fmt: skip
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
