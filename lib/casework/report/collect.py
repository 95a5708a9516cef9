"""From a case to its report: what was concluded, what it rests on, and who did what."""

import platform
from collections.abc import Sequence
from importlib.metadata import version

from casework import diagnoses
from casework.case import Case
from casework.errors import CaseworkError
from casework.report.model import Report


def collect(case: Case, names: Sequence[str] = ()) -> Report:
    """Put the report of a case together. Nothing is run: the results are those that it keeps.

    Args:
        case: the case.
        names: which diagnoses; all that were run if empty. They stand in the order of the
            release, whatever the order of the names.

    Raises:
        CaseworkError: NOT_DIAGNOSED, a diagnosis was not run yet, or none was.
    """
    found = {result.diagnosis: result for result in case.results()}
    lacking = [name for name in names if name not in found]
    if lacking or not found:
        what = f"{lacking[0]} was not run" if lacking else "no diagnosis was run"
        raise CaseworkError(
            "NOT_DIAGNOSED", f"{what} on this case", "run `casework diagnose`", where=str(case.path)
        )
    # a case may keep a result of another release, whose diagnosis is not among ours
    order = {diagnosis.name: i for i, diagnosis in enumerate(diagnoses.ALL)}
    wanted = sorted(set(names or found), key=lambda name: order.get(name, len(order)))
    results = tuple(found[name] for name in wanted)
    custody = case.custody()
    return Report(
        case=case.facts(),
        produced_at=custody[-1].occurred_at,
        tool=versions(),
        results=results,
        tables=case.tables(),
        exhibits=case.exhibits(),
        rejects=case.rejects(),
        custody=custody,
        triage=diagnoses.triage(case, results),
    )


def versions() -> dict[str, str]:
    """Name the programs that a result rests on, with their versions."""
    return {
        "casework": version("casework"),
        "duckdb": version("duckdb"),
        "python": platform.python_version(),
    }


def outdated(case: Case, names: Sequence[str]) -> list[str]:
    """Those of the diagnoses that were last run before the last evidence was loaded."""
    loaded = 0
    run: dict[str, int] = {}
    for entry in case.custody():
        if entry.action == "load":
            loaded = entry.sequence
        elif entry.action == "diagnose":
            run |= dict.fromkeys(entry.detail, entry.sequence)
    return [name for name in names if run.get(name, 0) < loaded]
