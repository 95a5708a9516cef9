"""Tables of a report as values: a caption, columns with a kind, and cells that are words.

A cell is never blank: what is unknown is said. Numbers in tables have full precision where the
table is there to be checked (`exact`), and are said as prose does where it is there to be read.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from casework import words
from casework.canonical import plain
from casework.findings import Chart, Evidence, Measure, Result
from casework.visible import on_one_line, shorten, visible

MOST_ROWS = 50
"""Rows of evidence that a report shows; all are in the case, and the query gives them again."""
_LONGEST_CELL = 300
_LONGEST_LIST = 60
"""A list of values that takes more than this is counted; the numbers in full have it whole."""

Kind = Literal["text", "number", "id", "instant", "full", "evidence"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, and how its cells are set.

    A `full` cell is a number with all its digits; an `evidence` cell names a piece of evidence.
    """

    head: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A table: each row has a cell for each column. `note` says what is left out."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def exact(value: Any) -> str:
    """Write a value of a row in full: no rounding, NULL as a word, nested values as JSON."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    held = plain(value)
    if isinstance(held, dict | list):
        return _short(json.dumps(held, ensure_ascii=False, sort_keys=True))
    return _short(str(held)) or "(empty text)"


def _short(text: str) -> str:
    if len(text) <= _LONGEST_CELL:
        return visible(text)
    rest = len(text) - _LONGEST_CELL
    return f"{visible(text[:_LONGEST_CELL])}… ({rest:,} characters more)"


def measures(result: Result) -> Table:
    """The numbers of a result as prose says them; those without a value are named below."""
    columns = (
        Column("measure"),
        Column("value (95 % interval)", "number"),
        Column("unit"),
        Column("n", "number"),
        Column("evidence", "evidence"),
    )
    found = _scalars(result)
    rows = tuple(_measure(name, one) for name, one in found if one.value is not None)
    without = [words.title(name, one.unit) for name, one in found if one.value is None]
    note = f"{words.sentence(words.UNMEASURED)[:-1]}: {', '.join(without)}." if without else ""
    return Table(f"Numbers of {words.title(result.diagnosis).lower()}", columns, rows, note)


def measures_in_full(result: Result) -> Table:
    """The numbers of a result with all their digits, under the names that programs use."""
    columns = (Column("measure"), *(Column(head, "full") for head in ("value", "low", "high")))
    rows = tuple(
        (name, exact(measure.value), *map(exact, measure.ci95 or ("none", "none")))
        for name, measure in _scalars(result)
    )
    return Table("The numbers in full", columns, rows)


def _scalars(result: Result) -> list[tuple[str, Measure]]:
    """The measures that are no tables: those that the findings name first, then by name."""
    named = dict.fromkeys(name for finding in result.findings for name in finding.measures)
    order = [name for name in named if name in result.measures]
    order += sorted(set(result.measures) - set(order))
    found = ((name, result.measures[name]) for name in order)
    return [(name, measure) for name, measure in found if not is_table(measure)]


def is_table(measure: Measure) -> bool:
    """Whether a measure is a list of rows."""
    rows = measure.value
    return isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows)


def _measure(name: str, measure: Measure) -> tuple[str, ...]:
    kind = measure.unit.partition(":")[0]
    said_with_it = kind in {"share", "points", "s", "p"}
    said = words.spread(measure.value, measure.ci95, measure.unit if said_with_it else "")
    if isinstance(measure.value, list | tuple) and len(said) > _LONGEST_LIST:
        said = words.number(len(measure.value))
    return (
        words.title(name, measure.unit),
        said,
        _UNITS.get(measure.unit) or words.unit_word(measure.unit),
        "not stated" if measure.n is None else words.number(measure.n),
        measure.evidence or "none named",
    )


_UNITS = {"p": "p-value", "label": "label", "score": "score", "": "number", "share": "share"}


def of_measure(name: str, measure: Measure) -> Table:
    """The rows of a measure that is a table; columns with ids first, nested ones last.

    All is said as prose does, and a column without any value is left out; the JSON of the report
    has everything in full.
    """
    rows = list(measure.value)
    found = {key for row in rows for key in row if row[key] is not None}
    keys = sorted(found, key=lambda key: _rank(key, rows))
    columns = tuple(Column(_head(key), _kind([row.get(key) for row in rows])) for key in keys)
    cells = [tuple(_said(key, row.get(key)) for key in keys) for row in rows]
    return _cut(words.title(name), columns, cells, len(cells))


def _said(key: str, value: Any) -> str:
    """Say a cell of a measure: p-values and times as such, nested values in words."""
    if value is None:
        return words.UNKNOWN
    if isinstance(value, float) and _P_VALUE.fullmatch(key):
        return words.p_value(value).removeprefix("p ").removeprefix("= ")
    if isinstance(value, int | float) and key.endswith(_SECONDS):
        return words.duration(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{_head(name)} {_said(name, item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_nested(key, item) for item in value) or "none"
    return _short(words.said(value, "")) or "(empty text)"


def _nested(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return _said(key, {name: _brief(item) for name, item in value.items()})
    return _said(key, _brief(value))


def _brief(value: Any) -> Any:
    is_id = isinstance(value, str) and len(value) > _LONGEST_ID and " " not in value
    return shorten(value, _SHORT_ID) if is_id else value


_P_VALUE = re.compile(r"[pq]|p_.*|.*_p")
_SECONDS = "_s"
_LONGEST_ID = 32
_SHORT_ID = 20


def _rank(key: str, rows: Sequence[Mapping[str, Any]]) -> tuple[int, int, str]:
    """Ids, text, numbers, the ends of intervals after what they are of, what is nested."""
    values = [row.get(key) for row in rows]
    end = _ENDS.get(key.removesuffix(_SECONDS), 0)
    if key.endswith("_id"):
        return 0, end, key
    if any(isinstance(value, Mapping | list | tuple) for value in values):
        return 3, end, key
    return (1 if any(isinstance(value, str) for value in values) else 2), end, key


_ENDS = {"low": 1, "high": 2, "end": 1, "until": 1}


def _head(name: str) -> str:
    """The name of a column in words; one in seconds is said as a duration."""
    return on_one_line(name.removesuffix(_SECONDS).replace("_", " ")) or "(unnamed)"


def _kind(values: Iterable[Any]) -> Kind:
    known = [value for value in values if value is not None]
    if known and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known):
        return "number"
    if known and all(words.parse_instant(value) for value in known):
        return "instant"
    digests = all(isinstance(v, str) and 24 < len(v) <= 128 and " " not in v for v in known)
    return "id" if known and digests else "text"


def shown_rows(found: Sequence[Evidence], budget: int) -> int:
    """How many rows of each piece of evidence are shown, so that all of them are about `budget`.

    Short answers are shown whole; the long ones share what is left, five rows at least.
    """
    for most in range(MOST_ROWS, 5, -1):
        if sum(min(len(one.rows), most) for one in found) <= budget:
            return most
    return 5


def evidence(found: Evidence, most: int = MOST_ROWS) -> Table:
    """The first rows of a piece of evidence, as the query gave them."""
    kinds = [_kind([row[place] for row in found.rows]) for place in range(len(found.columns))]
    columns = tuple(Column(name, kind) for name, kind in zip(found.columns, kinds, strict=True))
    rows = [tuple(exact(value) for value in row) for row in found.rows[:most]]
    return _cut(found.caption, columns, rows, found.row_count)


def chart(found: Chart) -> Table:
    """The rows of a chart, without the columns that only say how they are drawn."""
    keys = [key for key in _COLUMNS if any(row.get(key) not in (None, "") for row in found.rows)]
    keys += sorted({key for row in found.rows for key in row} - {*_COLUMNS, "role"})
    columns = tuple(Column(key, _kind([row.get(key) for row in found.rows])) for key in keys)
    rows = [
        tuple("none" if row.get(key) in (None, "") else exact(row[key]) for key in keys)
        for row in found.rows[:MOST_ROWS]
    ]
    return _cut(found.title, columns, rows, len(found.rows))


_COLUMNS = (
    *("panel", "lane", "kind", "label", "series", "part", "x", "start", "end"),
    *("value", "low", "high", "share", "n"),
)


def _cut(
    caption: str, columns: tuple[Column, ...], rows: Sequence[tuple[str, ...]], total: int
) -> Table:
    shown = tuple(rows[:MOST_ROWS])
    note = f"The first {len(shown)} of {words.number(total)} rows." if len(shown) < total else ""
    return Table(caption, columns, shown, note)
