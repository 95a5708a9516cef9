"""Verdicts of the diagnoses over seeds of the planted, healthy and trap incidents.

`python -m benchmarks.validity --seeds 200` writes every incident with every seed, loads it and
diagnoses it. What became of each is a line in `benchmarks/out/validity.jsonl`; a run that was cut
off goes on where it stopped. `--page` writes `docs/validity.md` from those lines, and keeps them
beside this file for the next run. With `--all` what is planted or healthy goes through all
diagnoses, which the confusion matrix needs.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks._validity_page import Outcome, read_outcomes, verdict_table, write_page
from fixtures import ALL, Incident, Truth

from casework.case import Case
from casework.diagnoses import ALL as DIAGNOSES
from casework.diagnoses import get
from casework.findings import Result
from casework.importers import Options
from casework.intake import Confined, load

OUT = Path(__file__).parent / "out" / "validity.jsonl"


def diagnose(
    empty: Path,
    incident: Incident,
    seed: int,
    names: tuple[str, ...] = (),
    confined: Confined | None = None,
) -> tuple[list[Result], Truth]:
    """Write one incident, load it as an investigator would, and diagnose it.

    The case is a copy of an empty one, which is quicker than a new one. Without names it goes
    through the diagnosis that it was made for.
    """
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        evidence, case = Path(folder, "evidence"), Path(folder, "case.duckdb")
        truth = incident.write(evidence, seed)
        shutil.copy(empty, case)
        load_with_maps(case, evidence, truth, confined)
        with Case(case) as opened:
            return [get(name)(opened) for name in names or (incident.diagnosis,)], truth


def load_with_maps(
    case: Path, evidence: Path, truth: Truth, confined: Confined | None = None
) -> None:
    """Load the files that need a map with it, then the folder with the rest."""
    import tomllib

    maps = set(truth.maps.values())
    for source, mapping in truth.maps.items():
        options = Options(mapping=tomllib.loads((evidence / mapping).read_text()))
        _refuse_failures(load(case, [evidence / source], options=options, confined=confined))
    rest = [path for path in sorted(evidence.iterdir())
            if path.name not in maps and path.name not in truth.maps]  # fmt: skip
    _refuse_failures(load(case, rest, confined=confined))


def _refuse_failures(outcomes: list[Any]) -> None:
    failed = [o for o in outcomes if o.status == "failed"]
    if failed:
        raise RuntimeError(f"{failed[0].path}: {failed[0].code} {failed[0].reason}")


EXACT: Mapping[str, tuple[str, ...]] = {
    "stale_eval_config": (
        "blind_seconds", "blind_requests", "blind_accounts", "coverage_requests", "configs_served",
        "configs_never_evaluated", "time_to_signal_s", "time_to_measurement_s",
        "detection_after_measurement_s", "evidence_grade"),
    "reproducibility_closure": ("closure_score", "critical_broken", "bus_factor", "reruns"),
    "registry_rot": (
        "governed_traffic_share", "unregistered_traffic_share", "absent_owners",
        "deprecated_benchmarks", "approvals_below_reading_time", "approvals_without_engagement",
        "card_mismatches"),
    "retired_checkpoint": ("resolved", "ambiguous", "unresolved", "unreachable"),
    "output_attribution": (
        "decisions", "grade_a", "grade_b", "grade_c", "grade_d", "grade_e", "rotations",
        "boundaries", "unlogged_rotations", "coverage"),
    "debug_feedback": ("rows", "internal_share", "non_production_share", "unmatched_share"),
}  # fmt: skip
"""Measures that are counted, not estimated: they must be the planted numbers of their names.

Slices that rose or fell are none: a test finds most of those that did, and others by chance.
"""

COVERED: Mapping[str, tuple[str, str]] = {
    "cohort_skew": ("lift_population", "true_lift"),
    "prompt_leakage": ("leave_one_out_drop", "true_drop"),
    "threshold_drift": ("drop_ratio_same_threshold", "drop_ratio_all"),
    "substrate_rotation": ("lift_shipping", "lift_last"),
    "reproducibility_closure": ("rerun_gap", "true_gap"),
    "alignment_loss": ("refusal_change", "true_change"),
    "debug_feedback": ("contamination", "contamination"),
    "feedback_poisoning": ("coverage_gap", "true_gap"),
}
"""The estimate of a diagnosis whose 95 % interval should hold the planted number of that name."""


def counted_rightly(result: Result, numbers: Mapping[str, Any]) -> bool | None:
    """Whether what is counted is exactly what was planted; None where nothing is."""
    names = [name for name in EXACT.get(result.diagnosis, ()) if name in numbers]
    if not names or result.verdict == "not_testable":
        return None
    return all(_same(result.measures[name].value, numbers[name]) for name in names)


def covered(result: Result, numbers: Mapping[str, Any]) -> bool | None:
    """Whether the interval holds the planted value; None where there is no interval or value."""
    measure, planted = COVERED.get(result.diagnosis, ("", ""))
    found = result.measures.get(measure)
    if numbers.get(planted) is None or found is None or found.ci95 is None:
        return None
    if result.diagnosis == "cohort_skew" and numbers[planted]:
        return None  # planted as a share of the level, measured in the unit of the metric
    if result.diagnosis == "feedback_poisoning" and (
        result.parameters["target"].value != numbers["target"]
    ):
        return None  # by chance the NPS of another tier fell; the gap is planted for one
    low, high = found.ci95
    return bool(low <= numbers[planted] <= high)


def _same(found: Any, planted: Any) -> bool:
    if isinstance(planted, list):
        return sorted(found) == sorted(planted)
    if isinstance(planted, str) or found is None:
        return bool(found == planted)
    return bool(abs(found - planted) < 1e-6)


@cache
def _confined() -> Confined:
    """The confined reader of this process, for all its cases; it ends with the process."""
    return Confined()


def _run(empty: Path, commit: str, task: tuple[int, int, bool]) -> list[Outcome]:
    index, seed, through_all = task
    incident = ALL[index]
    names = tuple(d.name for d in DIAGNOSES) if through_all else (incident.diagnosis,)
    try:
        results, truth = diagnose(empty, incident, seed, names, _confined())
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        return [Outcome(incident.name, seed, incident.diagnosis, "error", None, None, None, said,
                        commit)]  # fmt: skip
    return [_outcome(incident, seed, result, truth, commit) for result in results]


def _outcome(incident: Incident, seed: int, result: Result, truth: Truth, commit: str) -> Outcome:
    own = result.diagnosis == incident.diagnosis
    return Outcome(
        incident.name,
        seed,
        result.diagnosis,
        result.verdict,
        counted_rightly(result, truth.numbers) if own else None,
        covered(result, truth.numbers) if own else None,
        result.primary.p if result.primary else None,
        result.headline,
        commit,
    )


def _commit() -> str:
    """The commit that runs, with a + where files differ from it."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return told.stdout.strip()


def _tasks(
    args: argparse.Namespace, done: set[tuple[str, int, str]]
) -> Iterator[tuple[int, int, bool]]:
    """What is not in the log yet, seed by seed, so that a run that is cut off is even."""
    for seed in range(args.first, args.first + args.seeds):
        for i, incident in enumerate(ALL):
            if args.names and not incident.name.startswith(tuple(args.names)):
                continue
            if args.all and incident.kind == "trap":
                continue
            wanted = [d.name for d in DIAGNOSES] if args.all else [incident.diagnosis]
            if not all((incident.name, seed, name) in done for name in wanted):
                yield i, seed, args.all


def main() -> None:
    """Run what is not yet in the log, and print or write what the log says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of names of incidents")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first", type=int, default=1000, help="first seed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--all", action="store_true", help="all diagnoses, on what is planted or healthy"
    )
    parser.add_argument("--log", type=Path, default=OUT)
    parser.add_argument(
        "--page", action="store_true", help="write docs/validity.md and run nothing"
    )
    args = parser.parse_args()
    if args.page:
        write_page(ALL, read_outcomes(args.log))
        return
    args.log.parent.mkdir(exist_ok=True)
    tasks = list(_tasks(args, {o.key for o in read_outcomes(args.log) if o.verdict != "error"}))
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="casework-") as folder,
        ProcessPoolExecutor(args.workers) as pool,
        args.log.open("a") as log,
    ):
        empty = Path(folder, "empty.duckdb")
        Case.create(empty).close()
        for outcomes in pool.map(partial(_run, empty, _commit()), tasks, chunksize=2):
            for outcome in outcomes:
                log.write(json.dumps(outcome._asdict()) + "\n")
            log.flush()
    print(f"{len(tasks)} cases in {time.monotonic() - began:.0f} s", file=sys.stderr)
    print_table(args)


def print_table(args: argparse.Namespace) -> None:
    """A line for each incident that was asked for, and each case that went wrong."""
    outcomes = read_outcomes(args.log)
    chosen = [i for i in ALL if not args.names or i.name.startswith(tuple(args.names))]
    for line in verdict_table(chosen, outcomes):
        print(line)
    for outcome in outcomes:
        incident = next((i for i in chosen if i.name == outcome.incident), None)
        if (
            incident
            and incident.diagnosis == outcome.diagnosis
            and (outcome.verdict not in incident.verdicts or outcome.counted is False)
        ):
            print(f"  {outcome.incident} seed {outcome.seed}: {outcome.verdict}: "
                  f"{outcome.headline}", file=sys.stderr)  # fmt: skip


if __name__ == "__main__":
    main()
