"""The report as one HTML page that needs nothing else: no network, no script, no second file.

The page is rendered from what was read back from the JSON. Every text is escaped and made
visible by the template engine itself, so that no template can forget it. Scripts are named by
their digest in the security policy: text of a case that became a script would not run.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casework import words
from casework.charts.palette import pairs
from casework.diagnoses import by_gravity
from casework.errors import CaseworkError
from casework.findings import Evidence, Result
from casework.report import annexes, attempts, causes, primaries, tables, timeline
from casework.report.figures import Figure, figure
from casework.report.model import Report
from casework.report.tables import Table
from casework.report.wire import as_json, read_json
from casework.visible import ends, on_one_line, visible

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_BYTES = 5_000_000
"""A page of twelve chapters with their queries in full has three to four; see decision 008."""
_MOST_EVIDENCE_ROWS = 150
"""Rows of evidence in one chapter; the query of each piece gives all of them again."""
_ID_LENGTH = 20
_NAMED = re.compile(r"`([^`]+)`")
_NOT_IN_ANCHORS = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One result with everything that its chapter shows."""

    anchor: str
    result: Result
    figures: tuple[Figure, ...]
    numbers: Table
    in_full: Table
    tables: tuple[Table, ...]
    rivals: Table
    parameters: Table
    evidence: tuple[tuple[Evidence, Table, str], ...]


def as_html(report: Report) -> str:
    """Return the report as a page of HTML; the same report always gives the same bytes.

    Raises:
        CaseworkError: `REPORT_TOO_LARGE`, naming the biggest parts.
    """
    kept = read_json(as_json(report))
    chapters = tuple(_chapter(result) for result in by_gravity(kept.results))
    drawn = timeline.picture(kept)
    overview = figure(drawn, "f-timeline") if drawn else None
    listed = kept.exhibits[: annexes.MOST_ENTRIES]
    named = annexes.names(kept.exhibits)
    live = any(chapter.figures for chapter in chapters) or overview is not None
    script = _script() if live else ""
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=kept,
            chapters=chapters,
            untested=[c for c in chapters if c.result.verdict == "not_testable"],
            timeline=overview,
            moments=timeline.table(kept),
            causes=causes.table(kept),
            lead=causes.lead(kept),
            period=timeline.period(kept),
            exhibits={item.id: named[item.id] for item in listed},
            listed=listed,
            unlisted=annexes.left_out(len(listed), len(kept.exhibits)),
            tools=", ".join(f"{name} {kept.tool[name]}" for name in sorted(kept.tool)),
            **_annexes(kept),
            live=live,
            script=script,
            style=_style(),
            policy=_policy(script),
        )
    )
    _limit(page, chapters)
    return page


def _annexes(report: Report) -> dict[str, tables.Table | str | tuple[str, ...]]:
    """What the end of the page says of the whole report."""
    return {
        "sources": annexes.sources(report),
        "completeness": annexes.completeness(report),
        "rejects": annexes.rejects(report),
        "custody": annexes.custody(report),
        "primaries": primaries.table(report),
        "tested": primaries.lead(report),
        "attempts": attempts.table(report),
        "unkept": ", ".join(words.title(name).lower() for name in report.unkept),
        "checksums": annexes.checksums(report.exhibits),
        "checked_apart": annexes.checked_apart(report.exhibits),
        "written": annexes.written(),
    }


def _chapter(result: Result) -> Chapter:
    anchor = _anchor("r", result.diagnosis)
    most = tables.shown_rows(result.evidence, _MOST_EVIDENCE_ROWS)
    return Chapter(
        anchor=anchor,
        result=result,
        figures=tuple(figure(chart, _anchor("f", anchor, chart.id)) for chart in result.charts),
        numbers=tables.measures(result),
        in_full=tables.measures_in_full(result),
        tables=tuple(
            tables.of_measure(name, measure)
            for name, measure in sorted(result.measures.items())
            if tables.is_table(measure)
        ),
        rivals=annexes.rivals(result),
        parameters=annexes.parameters(result),
        evidence=tuple((e, tables.evidence(e, most), annexes.rerun(e)) for e in result.evidence),
    )


def _anchor(*parts: str) -> str:
    """An id for a place on the page, which links can name."""
    return "-".join(_NOT_IN_ANCHORS.sub("_", part) for part in parts)


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def printed(value: Any) -> Any:
        if value is None:
            raise TypeError("a template would print None")
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printed,
        trim_blocks=True,
    )
    environment.globals |= {"words": words, "anchor": _anchor, "most_named": annexes.MOST_NAMED}
    # Only for what this library drew or wrote: pictures, their data as JSON, style and script.
    environment.filters["drawn"] = Markup
    environment.filters["coded"] = _coded
    environment.filters["parts"] = _parts
    environment.filters["rfc3339"] = _rfc3339
    return environment


def _coded(text: str) -> "Markup":
    """A sentence, escaped and made visible, in which backticks mark names as code."""
    from markupsafe import Markup, escape

    marked = _NAMED.sub(r"<code>\1</code>", str(escape(visible(text))))
    return Markup(marked)  # noqa: S704 (escaped on the line above)


def _parts(text: str) -> tuple[str, str, str]:
    """An id as its beginning, its middle, and its end; the middle is copied but not shown."""
    shown = on_one_line(text)
    if len(shown) <= _ID_LENGTH:
        return shown, "", ""
    head, tail = ends(_ID_LENGTH)
    return shown[:head], shown[head:-tail], shown[-tail:]


def _rfc3339(text: str) -> str:
    moment = words.parse_instant(text.removesuffix(" UTC"))
    return moment.isoformat().replace("+00:00", "Z") if moment else ""


def _style() -> str:
    """The style sheet, with a rule for each colour of the pictures that turns it dark."""
    dark = "".join(
        f'.picture [fill="{light}"]{{fill:{other}}}.picture [stroke="{light}"]{{stroke:{other}}}'
        for light, other in pairs()
    )
    rules = f"@media screen and (prefers-color-scheme: dark){{{dark}}}"
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8") + rules


@cache
def _script() -> str:
    """Vega, Vega-Lite and Vega-Embed with the lines that start them; nothing is left global."""
    from vl_convert import javascript_bundle

    found: str = javascript_bundle((_TEMPLATES / "boot.js").read_text(encoding="utf-8"))
    if "</script" in found.lower() or "<!--" in found or "\r" in found:
        raise ValueError("the bundle of Vega cannot stand inside a script element")
    return found


def _policy(script: str) -> str:
    """The content security policy: nothing may be fetched, and only this script may run."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    allowed = f"'sha256-{digest}'" if script else "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _limit(page: str, chapters: tuple[Chapter, ...]) -> None:
    size = len(page.encode())
    if size <= _MOST_BYTES:
        return
    parts: Mapping[str, int] = {
        f"{kind} {name!r} of {chapter.result.diagnosis}": weight
        for chapter in chapters
        for kind, name, weight in (
            *(("chart", f.chart.id, f.size) for f in chapter.figures),
            *(("evidence", e.id, len(str(rows)) + len(sql)) for e, rows, sql in chapter.evidence),
        )
    }
    biggest = sorted(parts.items(), key=lambda item: -item[1])[:3]
    named = ", ".join(f"{name} {weight // 1000:,} KB" for name, weight in biggest)
    raise CaseworkError(
        "REPORT_TOO_LARGE",
        f"the page would have {size / 1e6:.1f} MB, more than {_MOST_BYTES / 1e6:.0f} MB; "
        f"its biggest parts are {named}",
        "report fewer diagnoses at a time, by name, or the JSON alone",
    )
