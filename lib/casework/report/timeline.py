"""What happened when: the instants that the results name, over the time that evidence covers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from casework import charts, words
from casework.diagnoses import by_gravity
from casework.findings import Chart, Result
from casework.report.figures import cut
from casework.report.model import Report
from casework.report.tables import MOST_ROWS, Column, Table
from casework.visible import on_one_line

_MOST_COVERS = 6
"""Evidence tables that the picture shows; all are in the table of completeness."""
_MOST_CHANGES = 200
"""Recorded changes that the picture shows."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, at an instant or over a span, and the results that say so."""

    start: datetime
    end: datetime | None
    kind: str
    label: str
    results: tuple[Result, ...]
    role: str = ""


def moments(report: Report) -> tuple[Moment, ...]:
    """Everything that has an instant, in order: first and last evidence, events, spans, zones.

    What several results tell is one moment, with all of them.
    """
    unique: dict[tuple[datetime, datetime | None, str], Moment] = {}
    for found in (m for result in by_gravity(report.results) for m in _of_result(result)):
        key = found.start, found.end, found.label
        known = unique.setdefault(key, found)
        if known.results[-1] is not found.results[0]:
            unique[key] = replace(known, results=known.results + found.results)
    covered = period(report)
    if covered:
        first, last = covered
        for at, label in ((first, "First evidence in the case"), (last, "Last evidence")):
            unique[at, None, label] = Moment(at, None, "evidence", label, ())
    return tuple(sorted(unique.values(), key=lambda m: (m.start, m.end or m.start, m.label)))


def period(report: Report) -> tuple[datetime, datetime] | None:
    """The first and the last instant that the evidence holds."""
    firsts = [_utc(table.first) for table in report.tables if table.first]
    lasts = [_utc(table.last) for table in report.tables if table.last]
    return (min(firsts), max(lasts)) if firsts and lasts else None


def _utc(value: datetime) -> datetime:
    return words.parse_instant(value) or value


def _of_result(result: Result) -> Iterator[Moment]:
    """The breaks of a result, and what its pictures place in time.

    What is clean has no span in doubt, whatever its pictures frame.
    """
    breaks = result.breaks if result.verdict != "clean" else ()
    for one in breaks:
        kind = "zone" if one.end > one.start else "span"
        yield Moment(_utc(one.start), _utc(one.end), kind, on_one_line(one.what), (result,))
    told = {(_utc(one.start), _utc(one.end)) for one in breaks}
    rows = [row for chart in result.charts if chart.form == "spans" for row in chart.rows]
    for row in rows:
        start, end = words.parse_instant(row.get("start")), words.parse_instant(row.get("end"))
        kind = str(row.get("kind") or "span")
        again = kind == "zone" and (result.verdict == "clean" or (start, end) in told)
        if start is not None and kind != "tick" and not again:
            role = str(row.get("role") or "") if kind == "event" else ""
            end = None if kind == "event" else end
            yield Moment(start, end, kind, _label(row, kind), (result,), role)


def _label(row: Mapping[str, Any], kind: str) -> str:
    parts = [on_one_line(str(row.get(key) or "")) for key in ("lane", "label")]
    if kind == "event":
        return parts[1]
    return ": ".join(filter(None, parts)) + (" (in doubt)" if kind == "zone" else "")


def picture(report: Report) -> Chart | None:
    """The moments of each result as a lane over the evidence; None where no result names any.

    The window holds the moments with a margin, since evidence may reach back for years.
    """
    rows = _once(row for result in by_gravity(report.results) for row in _lane(result))
    if not rows:
        return None
    start, end = _window(report)
    changes = _recorded(report, start, end)
    drawn = Chart(
        id="timeline",
        form="spans",
        title=_title(report, rows),
        subtitle="Vermilion: spans in doubt. Ticks: moments at which something begins. Rules: "
        "events. Grey: the time that evidence covers. Recorded changes: what was changed on "
        "purpose.",
        alt=_alt(report),
        rows=(*rows, *changes, *_covers(report, start, end)),
        encode={"x_title": "UTC", "start": start, "end": end},
    )
    return cut(drawn, charts.MOST_ROWS)


def _window(report: Report) -> tuple[datetime, datetime]:
    """From the first to the last moment that a result names, with a tenth on either side.

    A single moment has a day on either side.
    """
    told = [moment for moment in moments(report) if moment.results]
    first = min(moment.start for moment in told)
    last = max(moment.end or moment.start for moment in told)
    margin = max((last - first) / 10, timedelta(minutes=1)) if last > first else timedelta(days=1)
    return _moved(first, -margin), _moved(last, margin)


def _moved(at: datetime, by: timedelta) -> datetime:
    """An instant moved, but not beyond the years 1 and 9999: sources write those for no end."""
    try:
        return at + by
    except OverflowError:
        return at


def _covers(report: Report, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The biggest evidence tables that hold something of the window."""
    held = [
        table
        for table in report.tables
        if table.first and table.last and _utc(table.first) <= end and _utc(table.last) >= start
    ]
    return [
        {
            "lane": "Evidence loaded",
            "label": f"{table.table}, {words.count(table.rows, 'rows')}",
            "start": table.first,
            "end": table.last,
            "kind": "span",
            "role": "muted",
        }
        for table in sorted(held, key=lambda table: -table.rows)[:_MOST_COVERS]
    ]


def _recorded(report: Report, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The changes of the window that the case records, evenly thinned where there are many."""
    held = [c for c in report.triage.changes if start <= _utc(c.occurred_at) <= end]
    step = -(-len(held) // _MOST_CHANGES) or 1
    return [
        {"lane": "Recorded changes", "label": change.key, "start": change.occurred_at,
         "kind": "tick"}
        for change in held[::step]
    ]  # fmt: skip


def _lane(result: Result) -> Iterator[dict[str, Any]]:
    """The marks of a result; spans in doubt that overlap are drawn as one."""
    found = list(_of_result(result))
    zones = _joined([moment for moment in found if moment.kind == "zone"])
    for moment in [*zones, *(moment for moment in found if moment.kind != "zone")]:
        mark: dict[str, Any] = {"lane": words.title(result.diagnosis), "start": moment.start}
        if moment.kind == "event":
            mark = {"start": moment.start, "label": moment.label, "kind": "event"}
            mark |= {"role": moment.role}
        elif moment.kind == "zone":
            mark |= {"end": moment.end, "label": "", "kind": "zone"}
        else:
            mark |= {"label": moment.label, "kind": "tick"}
        yield mark


def _once(marks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each mark once: events that differ in their label alone are two, ticks are one."""
    unique: dict[tuple[str, ...], dict[str, Any]] = {}
    for mark in marks:
        told = "label" if mark["kind"] == "event" else "lane"
        key = tuple(str(mark.get(name)) for name in ("kind", "start", "end", told))
        unique.setdefault(key, mark)
    return list(unique.values())


def _joined(zones: Sequence[Moment]) -> list[Moment]:
    joined: list[Moment] = []
    for zone in sorted(zones, key=lambda zone: zone.start):
        last = joined[-1] if joined else None
        if last and last.end and zone.end and zone.start <= last.end:
            joined[-1] = replace(last, end=max(last.end, zone.end))
        else:
            joined.append(zone)
    return joined


def _title(report: Report, rows: Sequence[Mapping[str, Any]]) -> str:
    """Say how many marks the results put on the picture, and over which days."""
    told = [moment for moment in moments(report) if moment.results]
    drawn = [row["kind"] for row in rows]
    parts = [
        words.count(drawn.count(kind), noun)
        for kind, noun in (("event", "events"), ("zone", "spans in doubt"), ("tick", "moments"))
        if kind in drawn
    ]
    ends = (told[0].start, max(moment.end or moment.start for moment in told))
    first, last = (f"{end.day} {end:%B %Y}" for end in ends)
    return f"{', '.join(parts)} {f'on {first}' if first == last else f'from {first} to {last}'}"


def _alt(report: Report) -> str:
    found = moments(report)
    named = "; ".join(f"{words.instant(m.start)} {m.label}" for m in found[:8])
    return f"Timeline of {words.count(len(found), 'moments')}. {named}."


def _until(moment: Moment) -> str:
    if moment.end is None:
        return "an instant" if moment.kind in ("event", "evidence") else "open"
    return words.instant(moment.end) if moment.end > moment.start else "an instant"


def table(report: Report) -> Table:
    """The moments as a table; where there are too many, changes of spans are left out first."""
    found = moments(report)
    shown = found if len(found) <= MOST_ROWS else tuple(m for m in found if m.kind != "span")
    columns = (
        Column("from", "instant"),
        Column("to", "instant"),
        Column("what"),
        Column("told by"),
    )
    rows = tuple(
        (
            words.instant(m.start),
            _until(m),
            m.label,
            ", ".join(words.title(r.diagnosis) for r in m.results) or "the evidence tables",
        )
        for m in shown[:MOST_ROWS]
    )
    note = f"{len(rows)} of {len(found)} moments; changes of spans are left out first."
    return Table("Moments in order", columns, rows, note if len(rows) < len(found) else "")
