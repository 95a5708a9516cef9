"""All diagnoses on one large case, and on a tenth of it.

`python -m benchmarks.diagnose` makes a case of 10 million requests, 2 million units, 1 million
candidates, 500,000 feedback rows and 200,000 eval samples, and another of a tenth of that. All
twelve run as `casework diagnose` runs them, one after the other in one process, whose seconds and
peak memory stand against the limit of 60 s and 4 GB; and each in a process of its own, which tells
what it takes alone, the imports of libraries with it. The growth from the small case to the large
one stands against n log n. A number as first argument scales both (0.1 for a quick look).
"""

import math
import sys
import tempfile
from pathlib import Path

from benchmarks._big_case import write_case
from benchmarks._measuring import Measured, measured

REQUESTS = 10_000_000
SECONDS, MEGABYTES = 60, 4096
TOGETHER = "all together"


def judge(case: str, name: str) -> str:
    """Run one diagnosis; return its verdict."""
    from casework.case import Case
    from casework.diagnoses import get

    with Case(case) as opened:
        return get(name)(opened).verdict


def judge_all(case: str) -> str:
    """Run all diagnoses and keep their results, as the command line does; return how many."""
    from casework import diagnose

    return f"{len(diagnose(case))} diagnoses"


def run(folder: Path, requests: int) -> dict[str, Measured]:
    """Make a case of so many requests, and run each diagnosis on it, then all together."""
    from casework.diagnoses import ALL

    made = measured(write_case, str(folder), requests)
    print(f"{requests:,} requests: case of {made.value / 1e6:,.0f} MB made in {made.seconds:.0f} s")
    case = str(folder / "case.duckdb")
    alone = {diagnosis.name: measured(judge, case, diagnosis.name) for diagnosis in ALL}
    return alone | {TOGETHER: measured(judge_all, case)}


def main(scale: float = 1.0) -> None:
    """Print seconds, memory and growth."""
    large = round(REQUESTS * scale)
    small = large // 10
    found = {}
    for requests in (small, large):
        with tempfile.TemporaryDirectory(prefix="casework-") as folder:
            found[requests] = run(Path(folder), requests)
    allowed = (large * math.log(large)) / (small * math.log(small))
    print(
        f"{'diagnosis':26} {'verdict':14} {'small, s':>9} {'large, s':>9} {'growth':>7} {'MB':>6}"
    )
    for name, after in found[large].items():
        before = found[small][name]
        growth = after.seconds / before.seconds
        print(f"{name:26} {after.value:14} {before.seconds:9.2f} {after.seconds:9.2f} "
              f"{growth:9.1f} {after.megabytes:9.0f}")  # fmt: skip
    together, before = found[large].pop(TOGETHER), found[small].pop(TOGETHER)
    seconds, peak = together.seconds, together.megabytes
    alone = sum(one.seconds for one in found[large].values())
    print(f"all together: {seconds:.1f} s = {seconds / SECONDS:.2f} of {SECONDS} s; "
          f"peak {peak:.0f} MB = {peak / MEGABYTES:.2f} of {MEGABYTES} MB; "
          f"growth {seconds / before.seconds:.1f} times, n log n {allowed:.1f}; "
          f"one by one in processes of their own {alone:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
