"""Annotations and evaluations of Phoenix, saved as a table.

## Reads
The tables that the clients of Phoenix return and evaluators make, saved with their index as
Parquet, CSV, a JSON array or JSON Lines, and pages of the API: a column `context.span_id` or
`span_id` (of traces and sessions `context.trace_id`, `trace_id`, `session_id`), of documents
`document_position` too, and `label`, `score`, `explanation`, also as `result.label` and so on.

## Fills
| row of the table | evidence row |
|---|---|
| of a person, saying up or down, with an instant | `feedback` about that span, at `created_at` |
| any other | `eval_samples` of the run `openinference:<annotator kind>:<name>`, `item_id` being \
the span, the trace, the session, or `<span id>/<position>` |

The name is that of the column `annotation_name` or `name`, else that of the evaluation in the
Parquet file, else that of the file, which is told. Where no kind is named, a judge is not told
from a program: the run is `openinference:annotation:<name>`. Each run whose scores have an instant
has a row in `eval_runs`, without end.

## Leaves out
Nothing that a row says: it is in `attributes`.

## Known limits
Whether the span is a model call is not in the table: `casework evidence` counts the feedback that
points at no request. A number is up or down where the numbers that people gave under that name are
-1, 0 and 1 alone, and more than one of them. `NOT_PARSABLE` and a score that is no number are no
judgment: both stay empty, and are told. Several annotations of one name about one thing are epochs
in the order of the file. Of two files, as of pages of the API that were saved apart, the second
begins again, and what then differs is a reject: put the pages into one file. A table that was saved
without its index names no span, and is not recognised; nor is JSON by columns, as `to_json` writes
by default.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from casework.case import Item, Note, Reject
from casework.importers._annotations import Annotation, Annotations, numeric_thumbs
from casework.importers._fields import FieldLog, find
from casework.importers._importer import Importer, Options
from casework.importers._judges import Judges
from casework.importers._parquet import PARQUET, parquet_notes
from casework.importers._shape import mapping, text
from casework.importers._source import Source
from casework.importers._table_records import first_record, table_records
from casework.importers._thumbs import as_number
from casework.tables import eval_runs, eval_samples, feedback
from casework.words import several

_IDS = {
    "context.span_id": "span",
    "span_id": "span",
    "context.trace_id": "trace",
    "trace_id": "trace",
    "session_id": "session",
}
_SAID = ("label", "score", "explanation")
_NAMES = ("annotation_name", "name", "eval_name")
_OF_SPANS = {"span_kind", "start_time", "attributes", "startTime"}


def _recognises(source: Source) -> bool:
    first = first_record(source)
    keys = first.keys() | {f"result.{name}" for name in mapping(first.get("result"))}
    has_result = "result" in first and {"annotator_kind", "name"} <= keys
    says_all = all({name, f"result.{name}"} & keys for name in _SAID)
    return bool(_IDS.keys() & keys) and not _OF_SPANS & keys and (says_all or has_result)


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, judges, named = FieldLog(options.timezone), Judges("openinference"), _name(source)
    given = (_annotation(found.locator, found.values, named)
             for found in table_records(source, constants=True)
             if not isinstance(found, Reject))  # fmt: skip
    marks = Annotations(log, numeric_thumbs(given), judges)
    nameless = 0
    for found in table_records(source, constants=True):
        if isinstance(found, Reject):
            yield found._replace(table=eval_samples)
            continue
        one = _annotation(found.locator, found.values, named)
        nameless += not any(text(found.values.get(name)) for name in _NAMES)
        if one.about is None:
            reason = "it names no span, trace or session"
            raw = found.raw or str(found.values)[:4_000]
            yield Reject(found.locator, "ORPHAN", reason, raw, eval_samples)
        else:
            yield marks.row(one)
    if nameless:
        told = several(nameless, "row names", "rows name")
        yield Note(f"{told} no evaluation; it was taken to be {named!r}")
    yield from marks.notes()
    yield from judges.rows()
    yield from log.items()


def _annotation(locator: str, row: Mapping[str, Any], named: str) -> Annotation:
    """A row of the table under the names that all annotations share."""
    fields = {name: value for name, value in row.items()
              if name not in ("result", *_NAMES, *(f"result.{one}" for one in _SAID))}  # fmt: skip
    fields |= {name: find(row, f"result.{name}") for name in _SAID if row.get(name) is None}
    fields["name"] = next(filter(None, (text(row.get(name)) for name in _NAMES)), named)
    key = next((key for key in _IDS if text(row.get(key))), None)
    about, level = (text(row[key]), _IDS[key]) if key else (None, "span")
    position = _position(row.get("document_position"))
    if about and level == "span" and position is not None:
        return Annotation(locator, "document", f"{about}/{position}", None, fields)
    request = about if level == "span" else None
    return Annotation(locator, level, about, request, fields)


def _position(value: Any) -> str | None:
    """The position of a document, which a table with rows that have none holds as a fraction."""
    found = as_number(value)
    return None if found is None or not found.is_integer() else str(int(found))


def _name(source: Source) -> str:
    """The name of the evaluation, where the rows do not say it."""
    if source.head().startswith(PARQUET):
        try:
            held = msgspec.json.decode(parquet_notes(source).get("arize", ""))
        except (ValueError, RecursionError):
            held = None
        if said := text(mapping(held).get("eval_name")):
            return said
    return source.bare_name.rpartition(".")[0] or source.bare_name


phoenix_annotations = Importer(
    name="phoenix_annotations",
    doc=__doc__ or "",
    tables=(feedback, eval_samples, eval_runs),
    recognises=_recognises,
    read=_read,
)
