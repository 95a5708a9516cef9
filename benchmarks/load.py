"""Loading: OTLP traces, and requests as Parquet and CSV, against the least that could be done.

Peers in the same run, on the same bytes, each in a process of its own: msgspec decoding every line
into plain typed structs and doing nothing else, in one process and in one for each core; DuckDB
alone, `read_json` and UNNEST into a table on disk with the same columns; `CREATE TABLE AS SELECT`
of a table file, without and with the constraints of the evidence table. Ours is from the file to
the committed and closed case, which was made before.
"""

import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._decode import decode, decode_on_each_core
from benchmarks._measuring import Measured, measured
from benchmarks._spans import write_traces
from benchmarks._tables import bare, bare_with_constraints, write_requests
from benchmarks._unnest import unnest

CASE = "case.duckdb"
Contenders = dict[str, Callable[[str, str], int]]


def load(path: str, folder: str) -> int:
    """Ours: the file into the case."""
    from casework import intake

    (outcome,) = intake.load(Path(folder, CASE), [path])
    return outcome.exhibit.rows_kept if outcome.exhibit else 0


OF_TRACES: Contenders = {
    "casework": load,
    "msgspec, decode only, one process": decode,
    "msgspec, decode only, a process for each core": decode_on_each_core,
    "DuckDB, read_json and UNNEST": unnest,
}
OF_TABLES: Contenders = {
    "casework": load,
    "DuckDB, CREATE TABLE AS SELECT": bare,
    "DuckDB, the same with NOT NULL and PRIMARY KEY": bare_with_constraints,
}


def compare(path: Path, contenders: Contenders, runs: int) -> dict[str, list[Measured]]:
    """Let all do it in turn, after a round that is not counted."""
    found: dict[str, list[Measured]] = {name: [] for name in contenders}
    for turn in range(runs + 1):
        for name, contender in contenders.items():
            result = once(contender, path)
            if turn:
                found[name].append(result)
    return found


def once(contender: Callable[[str, str], int], path: Path) -> Measured:
    """Do it in a folder of its own, with an empty case."""
    from casework.case import CaseWriter

    with TemporaryDirectory(dir=path.parent) as folder:
        CaseWriter.create(Path(folder, CASE), "benchmark")
        return measured(contender, str(path), folder)


def table(found: dict[str, list[Measured]]) -> Iterator[str]:
    """Medians, the smallest and the largest beside them, and how much of each peer ours takes."""
    ours = next(iter(found.values()))
    yield "| | seconds | CPU seconds | rows/s | peak MB | ours / this, seconds | CPU |"
    yield "|---|---|---|---|---|---|---|"
    for name, runs in found.items():
        seconds = sorted(run.seconds for run in runs)
        spread = f"{statistics.median(seconds):.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f})"
        cpu = statistics.median(run.cpu_seconds for run in runs)
        pace = runs[0].value / statistics.median(seconds)
        peak = max(run.megabytes for run in runs)
        pairs = list(zip(ours, runs, strict=True))
        in_time = statistics.median(us.seconds / them.seconds for us, them in pairs)
        in_cpu = statistics.median(us.cpu_seconds / them.cpu_seconds for us, them in pairs)
        yield (
            f"| {name} | {spread} | {cpu:.2f} | {pace:,.0f} | {peak:.0f} "
            f"| {in_time:.2f} | {in_cpu:.2f} |"
        )
    yield ""


def memory(folder: Path, spans: int) -> Iterator[str]:
    """Peak memory of all processes of a load together, as the file grows fourfold."""
    yield "| spans | MB of file | peak MB |"
    yield "|---|---|---|"
    for part in (4, 2, 1):
        path = folder / f"traces-{part}.jsonl"
        write_traces(path, spans // part)
        result = once(load, path)
        size = path.stat().st_size / 1e6
        path.unlink()
        yield f"| {spans // part:,} | {size:,.0f} | {result.megabytes:,.0f} |"
    yield ""


def main(spans: int = 400_000, rows: int = 2_000_000, runs: int = 3) -> None:
    """Print a table for each kind of source, and the memory of growing traces."""
    with TemporaryDirectory() as folder:
        for name, count, write, contenders in (
            ("traces.jsonl", spans, write_traces, OF_TRACES),
            ("requests.parquet", rows, write_requests, OF_TABLES),
            ("requests.csv", rows, write_requests, OF_TABLES),
        ):
            path = Path(folder, name)
            write(path, count)
            size = path.stat().st_size / 1e6
            print(f"{name}: {count:,} rows, {size:,.0f} MB, {runs} runs\n")
            print(*table(compare(path, contenders, runs)), sep="\n", flush=True)
            path.unlink()
        print(*memory(Path(folder), spans), sep="\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
