"""Verdicts of the diagnoses over seeds of the planted, healthy and trap incidents.

`python -m benchmarks.validity --seeds 40` writes every incident with every seed, loads it and
diagnoses it, and prints a line for each incident: how often each verdict was reached, how often it
was a right one, and how often the planted numbers lay where the measures put them.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from fixtures import ALL, Incident, Truth

from casework.case import Case
from casework.diagnoses import get
from casework.findings import VERDICTS, Result
from casework.importers import Options
from casework.intake import load
from casework.stats.estimates import clopper_pearson


def diagnose(incident: Incident, seed: int) -> tuple[Result, Truth]:
    """Write one incident, load it as an investigator would, and diagnose it."""
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        evidence, case = Path(folder, "evidence"), Path(folder, "case.duckdb")
        truth = incident.write(evidence, seed)
        Case.create(case).close()
        load_with_maps(case, evidence, truth)
        with Case(case) as opened:
            return get(incident.diagnosis)(opened), truth


def load_with_maps(case: Path, evidence: Path, truth: Truth) -> None:
    """Load the files that need a map with it, then the folder with the rest."""
    import tomllib

    maps = set(truth.maps.values())
    for source, mapping in truth.maps.items():
        options = Options(mapping=tomllib.loads((evidence / mapping).read_text()))
        _refuse_failures(load(case, [evidence / source], options=options))
    rest = [path for path in sorted(evidence.iterdir())
            if path.name not in maps and path.name not in truth.maps]  # fmt: skip
    _refuse_failures(load(case, rest))


def _refuse_failures(outcomes: list[Any]) -> None:
    failed = [o for o in outcomes if o.status == "failed"]
    if failed:
        raise RuntimeError(f"{failed[0].path}: {failed[0].code} {failed[0].reason}")


def measured_rightly(result: Result, numbers: Mapping[str, Any]) -> bool | None:
    """Whether the planted numbers are what the measures say; None where there are none."""
    if result.diagnosis == "output_attribution":
        names = ("decisions", "grade_a", "grade_b", "grade_c", "grade_d", "grade_e", "rotations",
                 "boundaries", "unlogged_rotations", "coverage")  # fmt: skip
        planted = {name: numbers[name] for name in names if name in numbers}
        return all(_near(result.measures[name].value, value) for name, value in planted.items())
    lift = numbers.get("true_lift")
    everyone = result.measures.get("lift_population")
    if lift != 0 or everyone is None or everyone.ci95 is None:
        return None
    return everyone.ci95[0] <= 0 <= everyone.ci95[1]


def _near(found: Any, planted: Any) -> bool:
    return bool(abs(found - planted) < 1e-9)


def _run(task: tuple[int, int]) -> tuple[int, int, str, bool | None, str]:
    index, seed = task
    try:
        result, truth = diagnose(ALL[index], seed)
    except Exception as error:
        return index, seed, "error", None, f"{type(error).__name__}: {error}"
    return index, seed, result.verdict, measured_rightly(result, truth.numbers), result.headline


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of names of incidents")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first", type=int, default=1000, help="first seed")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    chosen = [i for i, incident in enumerate(ALL)
              if not args.names or incident.name.startswith(tuple(args.names))]  # fmt: skip
    tasks = [(i, args.first + seed) for i in chosen for seed in range(args.seeds)]
    began = time.monotonic()
    with ProcessPoolExecutor(args.workers) as pool:
        rows = list(pool.map(_run, tasks, chunksize=2))
    heads = " | ".join(VERDICTS)
    print(f"| incident | right | {heads} | right verdict (95 %) | measures right |")
    print("|---|---|" + "---:|" * (len(VERDICTS) + 2))
    for i in chosen:
        _print_row(ALL[i], [row for row in rows if row[0] == i])
    print(f"\n{len(tasks)} cases in {time.monotonic() - began:.0f} s", file=sys.stderr)


def _print_row(incident: Incident, rows: list[tuple[int, int, str, bool | None, str]]) -> None:
    verdicts = Counter(row[2] for row in rows)
    right = sum(verdicts[v] for v in incident.verdicts)
    interval = clopper_pearson(right, len(rows))
    checked = [row[3] for row in rows if row[3] is not None]
    cells = " | ".join(str(verdicts[v]) for v in VERDICTS)
    print(f"| {incident.name} | {', '.join(incident.verdicts)} | {cells} | "
          f"{right}/{len(rows)} ({interval.low:.2f} to {interval.high:.2f}) | "
          f"{sum(checked)}/{len(checked)} |")  # fmt: skip
    for _, seed, verdict, exact, headline in rows:
        if verdict not in incident.verdicts or exact is False:
            print(f"  {incident.name} seed {seed}: {verdict}: {headline}", file=sys.stderr)


if __name__ == "__main__":
    main()
