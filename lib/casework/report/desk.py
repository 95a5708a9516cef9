"""What an investigator has on the desk: the case, and how each diagnosis stands on it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from casework import diagnoses, words
from casework.canonical import dumps
from casework.case import Case, Rows
from casework.charts.live import over_time
from casework.findings import Evidence, Result
from casework.report.collect import outdated, versions
from casework.report.model import Report
from casework.report.tables import Column, Table, exact
from casework.tables import ALL


@dataclass(frozen=True, slots=True)
class Desk:
    """A case at a glance.

    `report` holds the results that the case keeps. `standing` has every diagnosis of the release:
    the result that is kept, or what is missing where it cannot run, or None where it was not run.
    The gravest verdict comes first, what was not run comes before what cannot be. `outdated` names
    those that were run before the last evidence was loaded.
    """

    report: Report
    standing: Mapping[str, Result | None]
    outdated: tuple[str, ...]

    @property
    def first(self) -> str:
        """The diagnosis to look at first: the gravest verdict, else one that can be run."""
        return next(iter(self.standing))

    def report_with(self, case: Case, seen: Result) -> Report:
        """The report of the case with a result that it does not keep in the place of its own.

        What differs in the adjustment of its p-value alone, to those of the diagnoses that ran with
        it, is the result that the case keeps.
        """
        results = {result.diagnosis: result for result in self.report.results}
        kept = results.get(seen.diagnosis)
        if kept and dumps(replace(seen, primary=kept.primary)) == dumps(kept):
            return self.report
        results[seen.diagnosis] = seen
        order = [diagnosis.name for diagnosis in diagnoses.ALL]
        ordered = tuple(results[name] for name in order if name in results)
        triage = diagnoses.triage(case, ordered)
        return replace(self.report, results=ordered, triage=triage, unkept=(seen.diagnosis,))


def lay_out(case: Case) -> Desk:
    """Lay a case out; what is slow to run is not run."""
    kept = {result.diagnosis: result for result in case.results()}
    results = tuple(kept[d.name] for d in diagnoses.ALL if d.name in kept)
    report = Report(
        case=case.facts(),
        produced_at=case.custody()[-1].occurred_at,
        tool=versions(),
        results=results,
        tables=case.tables(),
        exhibits=case.exhibits(),
        rejects=case.rejects(),
        custody=case.custody(),
        triage=diagnoses.triage(case, results),
    )
    standing: dict[str, Result | None] = {}
    for diagnosis in diagnoses.ALL:
        lacks = any(absent.required for absent in diagnosis.missing(case))
        standing[diagnosis.name] = kept.get(diagnosis.name) or (diagnosis(case) if lacks else None)
    return Desk(report, _by_gravity(standing), tuple(outdated(case, list(kept))))


def _by_gravity(standing: Mapping[str, Result | None]) -> dict[str, Result | None]:
    ranked = diagnoses.by_gravity([result for result in standing.values() if result])
    ran = [result.diagnosis for result in ranked if result.verdict != "not_testable"]
    names = [*ran, *(name for name, result in standing.items() if result is None)]
    return {name: standing[name] for name in (*names, *standing)}


def consult(path: Path, name: str, given: Mapping[str, Any] | None = None) -> Result:
    """Run a diagnosis on a case as it is now. A case that did not change is not asked twice.

    Raises:
        CaseworkError: the case cannot be read.
        UsageError: an unknown diagnosis or setting.
    """
    state = path.stat() if path.is_file() else None
    stamp = (state.st_mtime_ns, state.st_size) if state else (0, 0)
    return _consult(path.resolve(), stamp, name, tuple(sorted((given or {}).items())))


@lru_cache(maxsize=32)
def _consult(
    path: Path, stamp: tuple[int, int], name: str, given: tuple[tuple[str, Any], ...]
) -> Result:
    with Case(path) as case:
        return diagnoses.get(name)(case, **dict(given))


def timed_evidence(result: Result) -> tuple[Evidence, ...]:
    """The dated evidence behind the pictures over time and the findings that show them."""
    drawn = [chart for chart in result.charts if over_time(chart)]
    shown = {chart.id for chart in drawn}
    named = {chart.evidence for chart in drawn}
    named |= {id for f in result.findings if shown & set(f.charts) for id in f.evidence}
    times = {table.time for table in ALL}
    return tuple(e for e in result.evidence if e.id in named and times & {*e.columns})


def rejected_rows(caption: str, rows: Rows, total: int) -> Table:
    """Rows that could not be used: where they stand, why, and as they were received.

    `total` is how many there are, of which the first are shown.
    """
    columns = (Column("at"), Column("meant for"), Column("why"), Column("as received"))
    shown = tuple(tuple(map(exact, row)) for row in rows.rows)
    part = f"The first {words.number(len(shown))} of {words.number(total)} rows."
    return Table(caption, columns, shown, part if len(shown) < total else "")
