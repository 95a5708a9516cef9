"""Two-sample drift of every column of a table, against Evidently's preset, in one run.

`python -m benchmarks.drift [ROWS] [COLUMNS]` draws two tables of numbers, a million rows by ten
columns by default, and compares each column before and after: Kolmogorov-Smirnov, Wasserstein and
the stability index in ours, what `DataDriftPreset` chooses in Evidently. Evidently is no dependency
of the project; where it is not installed the line says so and ours is measured alone.
"""

import importlib.util
import sys

import numpy as np
from benchmarks._measuring import Measured, measured

TARGET = 50


def tables(rows: int, columns: int) -> list[dict[str, np.ndarray]]:
    """Draw normal columns, each moved a little more than the one before."""
    rng = np.random.default_rng(1)
    return [
        {f"c{i}": rng.normal(0.01 * i * later, 1, rows) for i in range(columns)}
        for later in (False, True)
    ]


def ours(rows: int, columns: int) -> tuple[float, list[float]]:
    """Seconds of the comparison alone, and the Wasserstein distances."""
    import time

    from casework.stats.distributions import column_drift

    before, after = tables(rows, columns)
    column_drift({"warm": before["c0"][:100]}, {"warm": after["c0"][:100]})
    began = time.perf_counter()
    found = column_drift(before, after)
    return time.perf_counter() - began, [drift.wasserstein or 0.0 for drift in found]


def evidently(rows: int, columns: int) -> tuple[float, list[float]]:
    """The same of Evidently's preset."""
    import time

    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    before, after = (pd.DataFrame(table) for table in tables(rows, columns))
    began = time.perf_counter()
    metrics = Report([DataDriftPreset()]).run(after, before).dict()["metrics"]
    seconds = time.perf_counter() - began
    values = [m["value"] for m in metrics if not isinstance(m["value"], dict)]
    return seconds, [float(value) for value in values]


def said(name: str, step: Measured) -> str:
    """One line."""
    return f"{name:22} {step.value[0]:8.2f} s  peak {step.megabytes:6.0f} MB"


def main(rows: int = 1_000_000, columns: int = 10) -> None:
    """Print seconds, memory, the ratio, and how far the distances agree."""
    print(f"{rows:,} rows by {columns} columns, before and after")
    mine = measured(ours, rows, columns)
    print(said("casework column_drift", mine))
    if importlib.util.find_spec("evidently") is None:
        print("Evidently              skipped: the package evidently is not installed here")
        return
    theirs = measured(evidently, rows, columns)
    print(said("Evidently preset", theirs))
    apart = max(abs(a - b) for a, b in zip(mine.value[1], theirs.value[1], strict=True))
    print(
        f"ratio {theirs.value[0] / mine.value[0]:.0f} (at least {TARGET} wanted); normed "
        f"Wasserstein distances agree within {apart:.1e}"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
