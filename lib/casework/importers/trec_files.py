"""TREC run and relevance files: what retrieval gave, and what people judged.

## Reads
Runs, six columns `query Q0 document rank score tag`; judgments, four columns `query 0 document
grade`, with the round of judging in place of 0 where the names of documents are no numbers;
separated by blanks or tabs; plain, gzip or zstd. A line that begins with `#` is a comment, as it
is to `trec_eval`.

## Fills
| column | from |
|---|---|
| `candidates.query_id`, `doc_id` | first and third column |
| `candidates.dense_rank`, `dense_score` | fourth and fifth column |
| `candidates.embedding_model` | the tag, which names the system |
| `candidates.arm` | folder and name of the file: systems often share a tag |
| `judgments.query_id`, `doc_id`, `grade` | first, third and fourth column |

## Leaves out
The second column, which says nothing of a run, and of judgments at most in which round each came.
Comments, counted.

## Known limits
A run has no instant. The score is that of the system named by the tag, dense or not. A line that is
not UTF-8, or has more than 4,096 bytes, is a reject.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from casework.case import Item, Reject, Row
from casework.errors import CaseworkError
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._shape import number
from casework.importers._source import BROKEN_COMPRESSION, Source
from casework.tables import candidates, judgments

_RUN = re.compile(r"^(\S+)\s+[Qq]0\s+(\S+)\s+(\d{1,9})\s+([-+]?\.?\d[\d.eE+-]*)\s+(\S+)$")
# Four columns may be anything: with a round of judging a document has a letter, and rounds and
# grades are the small numbers that they are in such files.
_ROUND = r"\d(?:\.5)?(?=\s+\S*[^\W\d]\S*\s+-?\d(?:\.0+)?$)"
_JUDGED = re.compile(rf"^(\S+)\s+(?:0|Q0|q0|{_ROUND})\s+(\S+)\s+(-?\d{{1,3}}(?:\.\d{{1,6}})?)$")
_NAMED = {"query_id": ("first",), "doc_id": ("third",)}
_CANDIDATE = Form(
    candidates,
    of="column",
    columns={
        **_NAMED,
        "dense_rank": ("fourth",),
        "dense_score": ("fifth",),
        "embedding_model": ("sixth",),
    },
)
_JUDGMENT = Form(judgments, of="column", columns={**_NAMED, "grade": ("fourth",)})
_COMMENT = "#"
_SAMPLE = 20
_LINE_BYTES = 4_096


def _recognises(source: Source) -> bool:
    return _pattern(source) is not None


def _pattern(source: Source) -> re.Pattern[str] | None:
    """The pattern that all of the first whole lines have that are no comments."""
    lines = source.head().removeprefix(BOM_UTF8).decode("utf-8", "replace").split("\n")
    whole = (line.strip() for line in lines[:-1] or lines)
    first = [*islice((line for line in whole if line and line[0] != _COMMENT), _SAMPLE)]
    for pattern in (_RUN, _JUDGED):
        if first and all(pattern.match(line) for line in first):
            return pattern
    return None


def _read(source: Source, options: Options) -> Iterator[Item]:
    pattern = _pattern(source)
    if pattern is None:
        what, fix = "neither a run nor judgments of TREC", "see `casework formats`"
        raise CaseworkError("NOT_TREC", what, fix, where=source.name)
    form, kept, comments = _CANDIDATE if pattern is _RUN else _JUDGMENT, 0, 0
    run = "/".join(source.name.split("/")[-2:])
    try:
        with source.open() as file:
            for at, data in enumerate(_lines(file), start=1):
                if data.lstrip().startswith(_COMMENT.encode()):
                    comments += 1
                    continue
                item = _item(data, f"line {at}", pattern, form, run)
                kept += isinstance(item, Row)
                if item:
                    yield item
    except BROKEN_COMPRESSION as error:
        what, fix = f"cannot be read: {error}", "ask for the file again"
        raise CaseworkError("COMPRESSION", what, fix, where=source.name) from error
    yield from _account(form, kept, comments, options)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of an overlong one the beginning, which has too many characters."""
    data = file.readline(_LINE_BYTES + 1 + len(BOM_UTF8)).removeprefix(BOM_UTF8)
    while data:
        yield data
        while len(data) > _LINE_BYTES and not data.endswith(b"\n"):
            data = file.readline(_LINE_BYTES + 1)
        data = file.readline(_LINE_BYTES + 1)


def _item(data: bytes, locator: str, pattern: re.Pattern[str], form: Form, run: str) -> Item | None:
    """The row of a line, or the reason that it is none; None of a blank line."""
    shown = data.decode("utf-8", "backslashreplace").strip()
    if len(data) > _LINE_BYTES:
        return Reject(locator, "LINE_TOO_LONG", "longer than is read", shown, form.table)
    try:
        line = data.decode().strip()
    except UnicodeDecodeError as error:
        return Reject(locator, "ENCODING", f"not UTF-8: {error.reason}", shown, form.table)
    if found := pattern.match(line):
        return _row(found, locator, run)
    reason = "not of the columns of the lines before"
    return Reject(locator, "COLUMNS", reason, line, form.table) if line else None


def _account(form: Form, rows: int, comments: int, options: Options) -> Iterator[Item]:
    """Where the columns went: the same on each line, so told once and not row by row."""
    log = FieldLog(options.timezone)
    for column, names in form.columns.items() if rows else ():
        log.took(form, names[0], column)
    log.leave("column.second", rows)
    log.leave("comments", comments)
    yield from log.items()


def _row(found: re.Match[str], locator: str, run: str) -> Item:
    query, document, *rest = found.groups()
    named = {"query_id": query, "doc_id": document}
    if len(rest) == 1:
        return Row(judgments, locator, {**named, "grade": float(rest[0])})
    rank, score, tag = rest
    try:
        value = number(float(score))
    except ValueError:
        value = None
    if value is None:
        reason = f"{score!r} is no finite number"
        return Reject(locator, "VALUE", reason, found.group(0), candidates)
    scored = {"dense_rank": int(rank), "dense_score": value, "embedding_model": tag}
    return Row(candidates, locator, {**named, **scored, "arm": run})


trec_files = Importer(
    name="trec_files",
    doc=__doc__ or "",
    tables=(candidates, judgments),
    recognises=_recognises,
    read=_read,
)
