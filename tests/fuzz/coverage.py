"""Fuzz importers guided by coverage: `python -m tests.fuzz.coverage SECONDS [IMPORTER...]`.

Atheris changes exports such that they reach code that none has reached. It comes from `.tools/`,
where `make fuzz-coverage` installs it. Prints a line for each importer; how many features of the
code the exports reach as they are, and how many in the end. An input with which one crashes is kept
in `build/fuzz/`, and what libFuzzer tells of it goes to standard error. Ends with status 1 where
there was one.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
CRASHES = ROOT / "build" / "fuzz"
SEEDS = 17
LONGEST = 1 << 16
"""Longest input in bytes. A longer export is no seed."""


def main(seconds: float, names: list[str]) -> int:
    """Fuzz importers one after the other, each in a process of its own, which libFuzzer ends."""
    from casework import importers

    crashed = False
    CRASHES.mkdir(parents=True, exist_ok=True)
    for name in names or [importer.name for importer in importers.ALL]:
        process = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", __spec__.name, "--one", name, f"{seconds:.0f}"],
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        done = re.search(r"Done (\d+) runs in (\d+) second", process.stderr)
        reached = re.findall(r"cov: (\d+) ft: (\d+)", process.stderr)
        if process.returncode or not done:
            crashed = True
            print(process.stderr[-4_000:], file=sys.stderr)
        count, taken = map(int, done.groups()) if done else (0, 0)
        features = f"{reached[0][1]} to {reached[-1][1]} features" if reached else "no features"
        told = "crash" if process.returncode else "no crash"
        print(f"{name:24} {count:>9,} iterations {taken:>7,} s {features} {told}", flush=True)
    return int(crashed)


def fuzz(name: str, seconds: str) -> None:
    """Fuzz one importer; libFuzzer ends the process."""
    sys.path += map(str, ROOT.glob(".tools/atheris-*/lib/python*/site-packages"))
    import atheris

    with atheris.instrument_imports(include=["casework.importers"]):
        import casework.importers  # noqa: F401 - it is instrumented as it is imported
    with TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        for number, data in enumerate(seeds(name, Path(folder, "export"))):
            (corpus / str(number)).write_bytes(data)
        atheris.Setup(
            [
                *(sys.argv[0], str(corpus), f"-max_total_time={seconds}", f"-max_len={LONGEST}"),
                *("-rss_limit_mb=4096", f"-artifact_prefix={CRASHES}/{name}-"),
            ],
            reader(name, Path(folder, "read")),
        )
        atheris.Fuzz()


def seeds(name: str, folder: Path) -> Iterator[bytes]:
    """Yield the largest file of small exports."""
    for seed in range(SEEDS):
        data = exported(name, folder / str(seed), seed)[1].read_bytes()
        if len(data) <= LONGEST:
            yield data


def exported(name: str, folder: Path, seed: int) -> tuple[Path, Path]:
    """Write an export; what is loaded of it, and its largest file."""
    from fixtures.exports import EXPORTS

    folder.mkdir(parents=True)
    path = EXPORTS[name](folder, Random(seed)).path
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return path, max(sorted(files), key=lambda one: one.stat().st_size)


def reader(name: str, folder: Path) -> Callable[[bytes], None]:
    """What reads an export whose largest file has other bytes; only a CaseworkError may come."""
    from tests.importers.loading import source_of

    from casework.errors import CaseworkError
    from casework.importers import Options, get

    importer = get(name)
    path, file = exported(name, folder, 0)

    def read(data: bytes) -> None:
        file.write_bytes(data)
        source = source_of(path)
        try:
            importer.recognises(source)
            for _ in importer.read(source, Options()):
                pass
        except CaseworkError:
            pass

    return read


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        fuzz(*sys.argv[2:])
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
