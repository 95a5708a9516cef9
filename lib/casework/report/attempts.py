"""Diagnoses that were run under several settings: what was asked, and what came of it.

METHODS section 14, 14: test, smallest effect and window are settled before the data are looked at,
and what departs from that is told. The result of the last run is the one that a report has, and its
p-value knows nothing of the others.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from casework import words
from casework.report.annexes import MOST_ENTRIES, left_out
from casework.report.model import Report
from casework.report.tables import Column, Table, exact
from casework.visible import on_one_line


def table(report: Report) -> Table:
    """Each setting under which a diagnosis was run, where there are several, the last one last."""
    columns = (
        Column("diagnosis"),
        Column("settings given"),
        Column("runs", "number"),
        Column("verdicts"),
        Column("last run", "instant"),
    )
    rows = tuple(
        (
            words.title(name),
            settings,
            words.number(len(runs)),
            ", ".join(dict.fromkeys(verdict for _, verdict in runs)),
            words.instant(runs[-1][0]),
        )
        for name, asked in _attempts(report).items()
        if len(asked) > 1
        for settings, runs in sorted(asked.items(), key=lambda one: one[1][-1][0])
    )
    shown = rows[:MOST_ENTRIES]
    return Table("Diagnoses that were run under several settings", columns, shown,
                 left_out(len(shown), len(rows)))  # fmt: skip


def _attempts(report: Report) -> dict[str, dict[str, list[tuple[datetime, str]]]]:
    """For each diagnosis of the report and the settings given, when it was run and the verdict."""
    found: dict[str, dict[str, list[tuple[datetime, str]]]] = {
        result.diagnosis: defaultdict(list) for result in report.results
    }
    for entry in report.custody:
        for name, told in entry.detail.items() if entry.action == "diagnose" else ():
            if name in found and isinstance(told, Mapping):
                verdict = str(told.get("verdict") or words.UNKNOWN)
                known = {str(word): said for word, said in words.VERDICT_WORD.items()}
                run = entry.occurred_at, known.get(verdict, on_one_line(verdict))
                found[name][_given(told.get("given"))].append(run)
    return found


def _given(settings: object) -> str:
    if not isinstance(settings, Mapping) or not settings:
        return "none"
    return ", ".join(f"{on_one_line(str(name))} = {on_one_line(exact(settings[name]))}"
                     for name in sorted(settings))  # fmt: skip
