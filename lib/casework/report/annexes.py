"""The tables at the end of a report: sources, completeness, custody, and how to do it again."""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from casework import words
from casework.canonical import instant
from casework.findings import Evidence, Result
from casework.records import Exhibit
from casework.report.model import Report
from casework.report.tables import Column, Table, exact
from casework.visible import on_one_line, visible

MOST_ENTRIES = 500
"""Exhibits, groups of rejects and entries of custody on a page: a case may have thousands."""
MOST_NAMED = 12
"""Exhibits that are named where one piece of evidence or one table rests on them."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def names(exhibits: Sequence[Exhibit]) -> dict[str, str]:
    """A name for each exhibit by its id: its path without the folder that all share."""
    paths = [item.path.split("/") for item in exhibits]
    folders = zip(*(path[:-1] for path in paths), strict=False)
    shared = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, folders))
    return {item.id: "/".join(path[shared:]) for item, path in zip(exhibits, paths, strict=True)}


def _limited(
    caption: str, columns: tuple[Column, ...], rows: tuple[tuple[str, ...], ...], total: int
) -> Table:
    return Table(caption, columns, rows, left_out(len(rows), total))


def left_out(shown: int, total: int) -> str:
    """Say that a page shows a part; nothing where it shows all."""
    if shown == total:
        return ""
    return f"{words.number(shown)} of {words.number(total)}; report.json has all of them."


def sources(report: Report) -> Table:
    """What became of the rows of each exhibit."""
    heads = ("bytes", "rows read", "kept", "rejected", "duplicate")
    named = names(report.exhibits)
    rows = tuple(
        (on_one_line(named[item.id]), *map(words.number, _counts(item)))
        for item in report.exhibits[:MOST_ENTRIES]
    )
    columns = (Column("exhibit"), *(Column(head, "number") for head in heads))
    return _limited("Rows of each exhibit", columns, rows, len(report.exhibits))


def _counts(item: Exhibit) -> tuple[int, ...]:
    return item.bytes, item.rows_read, item.rows_kept, item.rows_rejected, item.rows_duplicate


def completeness(report: Report) -> Table:
    """How full each evidence table is, and the time that it covers."""
    named = names(report.exhibits)
    columns = (
        Column("table"),
        Column("rows", "number"),
        Column("first", "instant"),
        Column("last", "instant"),
        Column("filled by"),
    )
    rows = tuple(
        (
            item.table,
            words.number(item.rows),
            words.instant(item.first) if item.first else "has no time",
            words.instant(item.last) if item.last else "has no time",
            _filled_by([on_one_line(named.get(id, id)) for id in item.exhibits]),
        )
        for item in report.tables
    )
    return Table("Evidence tables", columns, rows)


def _filled_by(exhibits: Sequence[str]) -> str:
    more = len(exhibits) - MOST_NAMED
    told = [*exhibits[:MOST_NAMED], *([f"{words.number(more)} more"] if more > 0 else [])]
    return ", ".join(told) or "no exhibit"


def rejects(report: Report) -> Table:
    """The rows that could not be used, by exhibit and code."""
    named = names(report.exhibits)
    columns = (
        Column("exhibit"),
        Column("code"),
        Column("rows", "number"),
        Column("first at"),
        Column("why"),
    )
    rows = tuple(
        (
            on_one_line(named.get(item.exhibit_id, item.exhibit_id)),
            item.code,
            words.number(item.count),
            item.first_locator or words.UNKNOWN,
            words.sentence(item.first_reason) or words.UNKNOWN,
        )
        for item in report.rejects[:MOST_ENTRIES]
    )
    return _limited("Rows that could not be used", columns, rows, len(report.rejects))


def custody(report: Report) -> Table:
    """Who did what to the case, in order; where there is too much, what was done last."""
    columns = (
        Column("no.", "number"),
        Column("when", "instant"),
        Column("who"),
        Column("what"),
        Column("with"),
        Column("detail"),
    )
    rows = tuple(
        (
            words.number(entry.sequence),
            words.instant(entry.occurred_at),
            entry.actor or words.UNKNOWN,
            words.title(entry.action),
            entry.tool or words.UNKNOWN,
            _detail(entry.detail),
        )
        for entry in report.custody[-MOST_ENTRIES:]
    )
    return _limited("Chain of custody", columns, rows, len(report.custody))


def _detail(detail: Mapping[str, Any]) -> str:
    return "; ".join(f"{key}: {exact(detail[key])}" for key in sorted(detail)) or "none"


def parameters(result: Result) -> Table:
    """The settings of a diagnosis as they were used, and where each came from."""
    columns = (Column("parameter"), Column("value"), Column("where it came from"))
    rows = tuple(
        (
            name,
            "none" if found.value is None else exact(found.value),
            words.SOURCE_WORD[found.source],
        )
        for name, found in sorted(result.parameters.items())
    )
    seed = ("seed of random draws", exact(result.seed), "fixed, so that a rerun gives the same")
    every = rows if "seed" in result.parameters else (*rows, seed)
    return Table(f"Parameters of {words.title(result.diagnosis).lower()}", columns, every)


def rivals(result: Result) -> Table:
    """Other explanations of the same data, and what became of them."""
    heads = ("other explanation", "test", "outcome", "why")
    rows = tuple(
        (
            words.sentence(rival.explanation),
            words.sentence(rival.test) or "none made",
            words.OUTCOME_WORD[rival.outcome],
            words.sentence(rival.why) or words.UNKNOWN,
        )
        for rival in result.rivals
    )
    caption = f"Other explanations of {words.title(result.diagnosis).lower()}"
    return Table(caption, tuple(map(Column, heads)), rows)


def checksums(exhibits: Sequence[Exhibit]) -> str:
    """The list that `sha256sum -c` reads, with its escapes for names that hold a line break."""
    named = names(exhibits)
    shown = exhibits[:MOST_ENTRIES]
    return "\n".join(_checksum(item.sha256, named[item.id]) for item in shown)


def _checksum(digest: str, path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != path else ""
    return visible(f"{mark}{digest}  {escaped}")


def rerun(found: Evidence) -> str:
    """The commands that give a piece of evidence again in DuckDB's own shell, on the case file."""
    body = found.sql.strip().rstrip(";")
    if not found.params:
        return f"SET TimeZone = 'UTC';\n{body};"
    given = ", ".join(
        f"{_name(key)} := {_literal(found.params[key])}" for key in sorted(found.params)
    )
    return f"SET TimeZone = 'UTC';\nPREPARE evidence AS\n{body};\nEXECUTE evidence({given});"


def _name(key: str) -> str:
    return key if _PLAIN_NAME.fullmatch(key) else '"' + key.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    """A value as DuckDB writes it. Text is quoted, so that evidence in it stays a value."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if "e" in repr(value) else f"{value!r}e0"  # else it is a DECIMAL
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, Mapping):
        items = (f"{_literal(str(key))}: {_literal(item)}" for key, item in sorted(value.items()))
        return f"{{{', '.join(items)}}}"
    moment = words.parse_instant(value)
    if moment is not None and instant(moment) == value:  # an instant is text in JSON
        return f"TIMESTAMPTZ '{value}'"
    return "'" + str(value).replace("'", "''") + "'"
