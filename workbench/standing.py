"""What the apps show of a case as a whole: its facts, its verdicts, and what may explain several.

Text of a case reaches the page as in `widgets`: escaped, by the pieces of the report or by `said`.
"""

from collections.abc import Mapping
from pathlib import Path

import marimo as mo
from workbench.widgets import figure, page, pictures, said

from casework import words
from casework.findings import Result
from casework.report import causes, pieces, timeline
from casework.report.desk import Desk


def case_facts(desk: Desk, path: Path) -> str:
    """The case in some words."""
    exhibits = desk.report.exhibits
    rows = words.count(sum(item.rows_kept for item in exhibits), "rows")
    refused = sum(item.rows_rejected for item in exhibits)
    return (
        f"<h2 class='case'>{said(desk.report.case.title)}</h2>"
        f"<p class='quiet'>{said(path.name)}: {words.count(len(exhibits), 'exhibits')}, {rows}, "
        f"<a href='#loaded'>{words.number(refused)} rejected</a></p>"
    )


def verdict_row(name: str, kept: Result | None, seen: Result | None, old: bool) -> str:
    """One diagnosis of the list: its sign, its name, its verdict, and whether the case keeps it."""
    result = kept or seen
    if result is None:
        return f"<span class='row'><i></i><b>{words.title(name)}</b><small>not run</small></span>"
    word = f"{words.VERDICT_WORD[result.verdict]} {result.severity or ''}".strip()
    age = ", before the last load" if old else "" if kept else ", not kept"
    return (
        f"<span class='row verdict {result.verdict}'>{pieces.sign(result.verdict)}"
        f"<b>{words.title(name)}</b><small>{word}{age}</small></span>"
    )


def verdict_list(rows: mo.ui.dictionary, chosen: str) -> str:
    """The list of diagnoses; the one that is looked at is marked."""
    marks = (" aria-current='true'" if name == chosen else "" for name in rows.elements)
    items = zip(marks, rows.elements.values(), strict=True)
    return f"<ol class='standing'>{''.join(f'<li{m}>{row.text}</li>' for m, row in items)}</ol>"


def strip(desk: Desk, seen: Mapping[str, Result]) -> mo.Html:
    """All verdicts in one line, for screens on which the list is folded away."""
    signs = []
    for name, kept in desk.standing.items():
        result = kept or seen.get(name)
        sign, word = (pieces.sign(result.verdict), result.verdict) if result else ("", "")
        signs.append(f"<li class='verdict {word}'>{sign}<span>{words.title(name)}</span></li>")
    return page(f"<p>{said(desk.report.case.title)}</p><ol>{''.join(signs)}</ol>", kind="strip")


def overview(desk: Desk, keep_all: mo.ui.run_button) -> mo.Html:
    """What may explain the incident: breaks in the same stretch of time, and the changes there."""
    report = desk.report
    lead = f"<p>{said(causes.lead(report))}</p>"
    if not report.triage.ranking:
        return page(lead, keep_all, kind="overview")
    together, alone, drawn = causes.shared(report), causes.single(report), timeline.picture(report)
    parts = [lead]
    if together.rows:
        parts.append(str(pieces.causes(together)))
    if alone.rows:
        count = words.count(len(alone.rows), "breaks")
        parts.append(_folded(f"{count} told by one diagnosis alone", str(pieces.causes(alone))))
    if drawn:
        parts.append(_folded("Timeline", figure(drawn, pictures([drawn]))))
    return page("<h2>What may have one cause</h2>", *parts, kind="overview")


def _folded(name: str, inside: str) -> str:
    return f"<details><summary>{name}</summary>{inside}</details>"
