"""Phoenix database (SQLite), of 2024 and later.

## Reads
Tables `projects`, `traces`, `spans`, `project_sessions`, and the annotations of spans, traces,
sessions and documents, by the columns that are there and not by the version of the schema: names
of the first schema (`kind`, `parent_span_id`, `status`, `traces.session_id`) too.

## Fills
Spans as `openinference_spans` does. Instants are in UTC, as Phoenix keeps them. The project and the
trace of a span are in its `attributes`; its session is that of the trace where the span names none.

| annotation | row |
|---|---|
| of a person, saying up or down | `feedback`, at `created_at` |
| of a judge or a program, or a grade | `eval_samples` of the run \
`openinference:<annotator kind>:<name>`, `epoch` counting annotators of one item |
| of a document | `eval_samples`, `item_id` being `<span id>/<position>` |

`request_id` of `feedback` is the span where it is a model call, else the one call of its trace.
A number is up or down where the numbers that people gave under that name are -1, 0 and 1 alone, and
more than one of them: a 1 may be one star of five. Each run has a row in `eval_runs`, without end.

## Leaves out
Spans of other kinds, counted; sums over spans below; costs; users, keys and secrets. Experiments,
data sets and prompts, counted. Annotations of what is not in the database are rejects.

## Known limits
The label `NOT_PARSABLE` and a score that is no number are no judgment: both stay empty, and are
told. A database must be copied with its `-wal` file checkpointed: what stands only there is not
read. A database of Phoenix on PostgreSQL is read from its span table, by `openinference_spans`.
"""

from collections.abc import Iterator

from casework.case import Item, Reject
from casework.errors import CaseworkError
from casework.importers import _phoenix_stored
from casework.importers._annotations import Annotation, Annotations, numeric_thumbs
from casework.importers._fields import FieldLog
from casework.importers._importer import Importer, Options
from casework.importers._openinference import TABLES, Spans
from casework.importers._source import Source
from casework.importers._sqlite import columns, open_database, table_names, unread_journal
from casework.tables import feedback


def _recognises(source: Source) -> bool:
    if not table_names(source) >= {"projects", "traces", "spans"}:
        return False
    try:
        with open_database(source) as database:
            return _phoenix_stored.is_phoenix(columns(database))
    except CaseworkError:
        return False


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    spans = Spans(log)
    yield from unread_journal(source)
    with open_database(source) as database:
        known = columns(database)
        if not _phoenix_stored.is_phoenix(known):
            what, fix = "tables of Phoenix lack columns", "copy the database again"
            raise CaseworkError("DATABASE_SCHEMA", what, fix, where=source.name)
        for found in _phoenix_stored.spans(database, known):
            if isinstance(found, Reject):
                yield found
            else:
                at, span = found
                yield from spans.rows(span, at)
        listed = _phoenix_stored.annotations(database, known)
        thumbs = numeric_thumbs(one for one in listed if isinstance(one, Annotation))
        marks = Annotations(log, thumbs, spans.judges)
        for one in _phoenix_stored.annotations(database, known):
            if isinstance(one, Reject):
                yield one
                continue
            row = marks.row(one)
            if row.table is feedback and not one.request:
                spans.later(row, one.trace)
            else:
                yield row
        yield from marks.notes()
        for name, count in _phoenix_stored.left_out(database, known):
            log.leave(name, count)
    yield from spans.rest()


phoenix_database = Importer(
    name="phoenix_database",
    doc=__doc__ or "",
    tables=TABLES,
    recognises=_recognises,
    read=_read,
)
