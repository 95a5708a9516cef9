"""What the apps share: how marimo shows a verdict, a setting, a picture, a row, an error.

Text of a case reaches the page through the pieces of the report or through `said`, both of which
escape it. It is never given to Markdown, nor to a marimo table, which fetches images in cells.
"""

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import chain, count
from pathlib import Path
from typing import Any

import marimo as mo

from casework import words
from casework.case.origins import MOST_ROWS, Origin
from casework.diagnoses._settings import Setting
from casework.errors import CaseworkError
from casework.findings import Chart, Evidence, Result
from casework.importers._excerpt import excerpt
from casework.records import RejectGroup
from casework.report import Report, pieces, tables, write
from casework.report.figures import NARROW, WIDE
from casework.visible import on_one_line, shorten, visible


def said(text: object) -> str:
    """Text of a case as HTML: what is unseen is written out, and nothing in it is markup."""
    return escape(visible(str(text)))


def page(*parts: object, kind: str = "") -> mo.Html:
    """Parts that are HTML or elements, in the style of the report."""
    inside = "".join(part if isinstance(part, str) else mo.as_html(part).text for part in parts)
    return mo.Html(f'<div class="{pieces.SCOPE} {kind}">{inside}</div>')


def style() -> mo.Html:
    """The style of the report, for all of the app."""
    return mo.Html(f"<style>{pieces.style()}</style>")


def working(what: str) -> Any:
    """Shows that something runs, while it runs."""
    return mo.status.spinner(title=f"{words.title(what)}: running", remove_on_exit=True)


# What stands where there is nothing else to show


def welcome(path: mo.ui.text) -> mo.Html:
    """What to do before there is a case."""
    return page(
        "<h1>Open a case</h1><p>A case is one file with the evidence of one investigation. "
        "Looking at it changes nothing in it.</p>",
        path,
        "<h3>No case yet?</h3><p>Make one in a terminal, then give its path above.</p>",
        commands("casework new my.duckdb", "casework load my.duckdb FOLDER"),
        kind="alone",
    )


def failure(error: CaseworkError, *next_steps: object) -> mo.Html:
    """What could not be done, and what to do about it."""
    told = (
        f"<h1 class='lead'>{_manual(error.what)}</h1><p class='quiet'>{said(error.where)}</p>"
        f"<p><strong>What to do:</strong> {_manual(error.fix)}</p>"
        f"<p class='quiet'>{said(error.code)}</p>"
    )
    return page(told, *next_steps, kind="alone")


def to_load(result: Result, path: Path, again: mo.ui.run_button) -> list[object]:
    """How to load what a diagnosis lacks."""
    lacks = dict.fromkeys(absent.table for absent in result.missing if absent.required)
    lines = [f"casework load {shlex.quote(str(path))} FILE --as {table}" for table in lacks]
    ask = "<p>Load it in a terminal; without <code>--as</code> where the format is known.</p>"
    return [ask, commands(*lines), again] if lines else []


def commands(*lines: str) -> str:
    """Commands for a terminal."""
    return f"<pre tabindex='0'><code>{said(chr(10).join(lines))}</code></pre>"


# The verdict that is looked at


def ruling(result: Result, before: Result, given: Mapping[str, Any]) -> mo.Html:
    """The verdict and its sentence, and what it was before settings were changed."""
    meaning = words.SEVERITY_MEANING[result.severity] if result.severity else ""
    parts = [
        f"<p class='ruling'>{pieces.verdict(result.verdict)} "
        f"<strong>{words.title(result.diagnosis)}</strong> <span>{result.severity or ''}</span> "
        f"<span>{meaning}</span></p><h1 class='lead'>{_sentence(result)}</h1>"
    ]
    if given:
        changes = ", ".join(f"{name} = {words.said(value, '')}" for name, value in given.items())
        parts.append(
            f"<p class='quiet before'>With {said(changes)}. As inferred: "
            f"{pieces.verdict(before.verdict)} {_sentence(before)}</p>"
        )
    return page(*parts, _NAV, kind="bar")


_NAV = (
    "<nav><ol><li><a href='#argument'>Argument</a></li><li><a href='#row'>Row to source</a></li>"
    "<li><a href='#loaded'>What is loaded</a></li><li><a href='#report'>Report</a></li></ol></nav>"
)


def _sentence(result: Result) -> str:
    return said(words.headline(result.headline, result.verdict))


# Settings


def knobs(settings: Sequence[Setting]) -> mo.ui.dictionary:
    """One control for each setting, holding what the diagnosis used."""
    return mo.ui.dictionary({setting.name: _knob(setting) for setting in settings})


def _knob(setting: Setting) -> Any:
    if setting.kind == "flag":
        return mo.ui.switch(value=bool(setting.value), label=setting.title)
    # marimo's number field reads its label aloud as markup; what is typed is checked either way.
    return mo.ui.text(value=setting.text, debounce=True, full_width=True, label=setting.title)


def settings_form(settings: Sequence[Setting], controls: mo.ui.dictionary) -> str:
    """The controls, each with where its value came from and what the setting means."""
    parts = []
    for setting in settings:
        source = words.SOURCE_WORD[setting.source] if setting.source else "not used so far"
        said_of = f"{source.capitalize()}. {_manual(setting.doc)}"
        control = controls.elements[setting.name].text
        parts.append(f"<div class='setting'>{control}<p class='quiet'>{said_of}</p></div>")
    return "".join(parts)


def _manual(text: str) -> str:
    """A sentence in which backticks mark what is typed."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", said(words.sentence(text)))


# Pictures


def pictures(charts: Sequence[Chart]) -> mo.ui.dictionary:
    """Each chart twice: for a wide and for a narrow screen."""
    from casework.charts.live import draw_live

    drawn = {}
    for chart in charts:
        for name, width in (("wide", WIDE), ("narrow", NARROW)):
            picture = draw_live(chart, width=width)
            drawn[f"{chart.id} {name}"] = mo.ui.altair_chart(picture, False, False)
    return mo.ui.dictionary(drawn)


def figure(chart: Chart, drawn: mo.ui.dictionary) -> str:
    """A chart with its title and its numbers."""
    wide, narrow = (drawn.elements[f"{chart.id} {name}"].text for name in ("wide", "narrow"))
    return str(pieces.figure(chart, wide, narrow))


BRUSH_HINT = "<p class='quiet'>Draw over the picture to see the rows of that time.</p>"


def window(span: tuple[datetime, datetime], found: Sequence[Evidence]) -> mo.Html:
    """The rows of the time that was drawn over."""
    start, end = map(words.instant, span)
    shown = [str(pieces.table(tables.evidence(item))) for item in found if item.rows]
    none = "<p class='absent'>No row of the evidence lies in it.</p>"
    return page(f"<h3>From {start} to {end}</h3>", *(shown or [none]), kind="window")


# Rows


def evidence_name(evidence: Evidence) -> str:
    """A piece of evidence in a list."""
    return on_one_line(f"{words.title(evidence.id.partition('.')[2])}: {evidence.caption}")


def row_names(evidence: Evidence | None) -> dict[str, int]:
    """The rows of a piece of evidence, each by what it holds first."""
    rows = evidence.rows if evidence else ()
    cells = (" · ".join(shorten(tables.exact(cell), 28) for cell in row[:3]) for row in rows)
    return {f"{number}: {text}": number - 1 for number, text in enumerate(cells, 1)}


def rejects_names(
    groups: Sequence[RejectGroup], exhibits: Mapping[str, str]
) -> dict[str, RejectGroup]:
    """Groups of rejects for a list; those that would be named alike are numbered."""
    named: dict[str, RejectGroup] = {}
    for group in groups:
        path = on_one_line(exhibits.get(group.exhibit_id, group.exhibit_id))
        name = f"{path}: {group.code}, {words.count(group.count, 'rows')}"
        numbered = (f"{name} ({number})" for number in count(2))
        free = next(one for one in chain([name], numbered) if one not in named)
        named[free] = group
    return named


def followed(
    evidence: Evidence | None, row: int | None, found: Sequence[Origin], beside: Path
) -> str:
    """A row of evidence, the rows of the case that it names, and their places in the sources."""
    if evidence is None or row is None:
        return "<p class='quiet'>Choose a piece of evidence, then one of its rows.</p>"
    facts = _facts(dict(zip(evidence.columns, evidence.rows[row], strict=True)))
    if not found:
        return f"{facts}<p class='absent'>This row sums others up and names none of them.</p>"
    rest = len(found) - _FOLLOWED
    more = f"<p class='note'>{_at_least(found)}{words.count(rest, 'rows')} more.</p>"
    more = more if rest > 0 else ""
    return facts + "".join(_origin_of(item, beside) for item in found[:_FOLLOWED]) + more


def _at_least(found: Sequence[Origin]) -> str:
    """What to say before a count, where of a table no more rows were looked up."""
    most = max(Counter(item.table for item in found).values())
    return "At least " if most >= MOST_ROWS else ""


_FOLLOWED = 3
"""Rows of the case that are followed at once; each means a look into a source file."""


def _origin_of(found: Origin, beside: Path) -> str:
    try:
        text = said(excerpt(found.exhibit, found.locator, beside))
        shown = f"<pre class='excerpt' tabindex='0'><code>{text}</code></pre>"
    except CaseworkError as error:
        shown = f"<p class='absent'>{said(words.sentence(error.what))} {said(error.fix)}.</p>"
    place = f"{said(found.exhibit.path)}, <strong>{said(found.locator)}</strong>"
    return f"<h3>{said(found.table)}</h3>{_facts(found.values)}<p>{place}</p>{shown}"


def _facts(values: Mapping[str, Any]) -> str:
    told = ((said(name), said(tables.exact(value))) for name, value in values.items())
    facts = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in told)
    return f"<dl class='facts'>{facts}</dl>"


# The case as it was handed over, and what is handed on


def loaded(found: Sequence[str], refused: mo.ui.dropdown, rows: str) -> mo.Html:
    """What is loaded, what was refused, and on demand the refused rows."""
    evidence, sources, rejects, custody = found
    return page(
        f"<h2 id='loaded'>What is loaded</h2>{evidence}<h3>Exhibits</h3>{sources}<h3>Rejected</h3>",
        *([rejects, refused, rows] if refused.options else ["<p>No row was rejected.</p>"]),
        f"<details><summary>Custody</summary>{custody}</details>",
    )


def write_both(seen: Report, case: Path) -> list[Path]:
    """Write the report into a folder beside the case, as a page and as JSON.

    Raises:
        CaseworkError: REPORT_TOO_LARGE, UNWRITABLE.
    """
    folder = case.with_name(f"{case.stem}-report")
    try:
        return write(seen, folder, ["html", "json"])
    except OSError as error:
        what = f"the report was not written: {error.strerror or error}"
        fix = "see that it is a folder that has room and is open to you, or download the report"
        raise CaseworkError("UNWRITABLE", what, fix, where=str(folder)) from None


def export(seen: Report, ways: Sequence[object], written: Sequence[Path]) -> mo.Html:
    """What the report holds, the ways to get it, and where it was written."""
    held = ", ".join(words.title(result.diagnosis).lower() for result in seen.results)
    paths = "".join(f"<li>{said(path)}</li>" for path in written)
    return page(
        f"<h2 id='report'>Report</h2><p>It holds the verdicts that the case keeps, and the one "
        f"above as it stands here: {held}.</p>{_unkept(seen)}",
        mo.hstack(list(ways), justify="start", wrap=True),
        f"<p>Written:</p><ul>{paths}</ul>" if written else "",
    )


def _unkept(seen: Report) -> str:
    """Say which result is not the one that the case keeps."""
    named = ", ".join(words.title(name).lower() for name in seen.unkept)
    told = f"The case does not keep this result of {named}; the report says so."
    return f"<p class='quiet'>{told}</p>" if named else ""
