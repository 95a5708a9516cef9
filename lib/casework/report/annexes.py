"""The tables at the end of a report: sources, completeness, custody, and how to do it again."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any

from casework import importers, words
from casework import tables as evidence_tables
from casework.canonical import dumps, instant
from casework.findings import Evidence, Result
from casework.records import Exhibit, TableFill
from casework.report.model import Report
from casework.report.tables import Column, Table, exact
from casework.visible import on_one_line, visible

MOST_ENTRIES = 500
"""Exhibits, groups of rejects and entries of custody on a page: a case may have thousands."""
MOST_NAMED = 12
"""Exhibits that are named where one piece of evidence or one table rests on them."""
_TIMED = frozenset(table.name for table in evidence_tables.ALL if table.time)
_OF_FOLDERS = frozenset(taker.name for taker in importers.ALL if taker.of_folders)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def names(exhibits: Sequence[Exhibit]) -> dict[str, str]:
    """A name for each exhibit by its id: its path without the folder that all share.

    An archive, whose name ends in `!` in the paths that lead into it, is no such folder.
    """
    paths = [item.path.split("/") for item in exhibits]
    folders = zip(*(path[:-1] for path in paths), strict=False)
    shared = sum(1 for _ in takewhile(_is_shared_folder, folders))
    return {item.id: "/".join(path[shared:]) for item, path in zip(exhibits, paths, strict=True)}


def _is_shared_folder(parts: tuple[str, ...]) -> bool:
    return len(set(parts)) == 1 and not parts[0].endswith("!")


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
            _instant(item, item.first),
            _instant(item, item.last),
            _filled_by([on_one_line(named.get(id, id)) for id in item.exhibits]),
        )
        for item in report.tables
    )
    return Table("Evidence tables", columns, rows)


def _instant(item: TableFill, moment: datetime | None) -> str:
    if moment is not None:
        return words.instant(moment)
    return words.UNKNOWN if item.table in _TIMED else "has no time"


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
    """What a mapping within it holds stands without its braces."""
    return "; ".join(f"{key}: {_told(detail[key])}" for key in sorted(detail)) or "none"


def _told(value: object) -> str:
    if not isinstance(value, Mapping):
        return exact(value)
    return ", ".join(f"{key} {_told(value[key])}" for key in sorted(value)) or "none"


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
    """The list that `sha256sum -c` reads, with its escapes for names that hold a line break.

    A line that it cannot check is a comment to it: that of an exhibit that is a folder, and that of
    a name with characters that cannot be seen, which are written out.
    """
    named = names(exhibits)
    shown = exhibits[:MOST_ENTRIES]
    return "\n".join(_checksum(item, named[item.id]) for item in shown)


def _checksum(item: Exhibit, path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != path else ""
    seen = visible(escaped)
    by_hand = "# " if seen != escaped or item.importer in _OF_FOLDERS else ""
    return f"{by_hand}{mark}{item.sha256}  {seen}"


def checked_apart(exhibits: Sequence[Exhibit]) -> tuple[str, ...]:
    """What to know of lines that `sha256sum -c` cannot check, or only once archives are unpacked.

    Sentences in which backticks mark names.
    """
    lines = checksums(exhibits).splitlines()
    inside = any("!/" in line for line in lines)
    by_hand = any(line.startswith("#") for line in lines)
    archives = (
        "A part of a path that ends in `!` is an archive. Unpack it first, beside itself, into a "
        "folder of that name: `e.zip` into `e.zip!`."
    )
    passed_over = (
        "Lines that begin with `#` are passed over; compare them by hand. The digest of a folder "
        "is that of the `sha256sum` listing of its files, sorted by path. A sign such as "
        "`⟨U+200B⟩` stands for a character of the name that cannot be seen."
    )
    return (*([archives] if inside else []), *([passed_over] if by_hand else []))


_WRITTEN: tuple[tuple[str, str, Any], ...] = (
    ("text", "Zürich", "Zürich"),
    ("true or false", "true", True),
    ("NULL", "NULL", None),
    ("integer up to 2^53", "42", 42),
    ("integer beyond 2^53", "9007199254740993", 2**53 + 1),
    ("floating point, with the fewest digits that give it again", "[1, 0.1, 1e-5, 1e16]",
     [1.0, 0.1, 1e-5, 1e16]),
    ("floating point that is no number or has no end", "[nan, -inf]", [math.nan, -math.inf]),
    ("decimal, UUID", "0.10", Decimal("0.10")),
    ("instant; a time without a zone is UTC", "2026-01-05 10:00:00+00",
     datetime(2026, 1, 5, 10, tzinfo=UTC)),
    ("instant with a fraction of a second", "2026-01-05 11:00:00.5+01",
     datetime(2026, 1, 5, 10, 0, 0, 500_000, tzinfo=UTC)),
    ("date", "2026-01-05", date(2026, 1, 5)),
    ("time of day", "10:00:00", time(10)),
    ("interval, in seconds", "INTERVAL 90 seconds", timedelta(seconds=90)),
    ("bytes, as hexadecimal digits", "\\x00\\xFF", b"\x00\xff"),
    ("list", "[2, 1]", [2, 1]),
    ("struct, map", "{'b': 1, 'a': 2}", {"b": 1, "a": 2}),
)  # fmt: skip


def written() -> Table:
    """How each kind of value is written in the JSON of which digests of rows are taken."""
    columns = (Column("kind of value"), Column("a value in DuckDB"), Column("in the JSON"))
    rows = tuple((kind, shown, dumps(value)) for kind, shown, value in _WRITTEN)
    return Table("How the values of a row are written for its digest", columns, rows)


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
